/** `--explain`: the ledger of one server, each line with its formula and where its number comes from, beside its log. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { readTextFile } from "../../core/file.ts";
import { formatBytes } from "../../core/units.ts";
import { presetLedger, poolBytes } from "../../predict/vram/preset-ledger.ts";
import type { Pool, ServerModel } from "../../predict/vram/preset-ledger.ts";
import { logPath, tailLog } from "../../fleet/server-log.ts";
import { logFolder } from "../../fleet/state-directory.ts";
import { parseLlamaLog } from "../../predict/vram/llama-log.ts";
import type { MemoryLedger } from "../../predict/vram/ledger.ts";
import type { ExpectedResidual } from "../../predict/vram/residual.ts";
import { residencyOf, setBeside } from "../../predict/vram/set-beside.ts";
import type { ComparedItem } from "../../predict/vram/set-beside.ts";
import type { LlamaServerPreset } from "../../preset/preset.ts";
import { alignColumns, wrapText } from "../fleet/bar.ts";
import { stateFolder } from "../fleet/places.ts";
import type { CliIo } from "../io.ts";
import type { RawCapacityFlags } from "./flags.ts";

/** A start's own lines stand within its first thousands. */
const LOG_LINES = 100_000;

export interface ExplainedServer {
  readonly preset: LlamaServerPreset;
  readonly model: ServerModel;
  readonly pool: Pool;
  readonly residual: ExpectedResidual | undefined;
}

export function explain(server: ExplainedServer, flags: RawCapacityFlags, io: CliIo): void {
  const { preset, model, pool, residual } = server;
  const ledger = presetLedger(preset, model, pool, residual === undefined ? {} : { residual });
  const lines = logOf(preset.name, flags, io);
  const log = parseLlamaLog(lines);
  const compared = setBeside(ledger, log);
  const residency = residencyOf(log, model.facts);
  if (flags.json === true) {
    io.out(
      `${JSON.stringify({ preset: preset.name, pool, ledger, ...(lines.length === 0 ? {} : { compared, residency }) }, undefined, 2)}\n`,
    );
    return;
  }
  const place = pool === "gpu" ? "GPU memory" : "host memory";
  io.out(`${preset.name} needs ${formatBytes(poolBytes(ledger, pool))} of ${place}.\n\n`);
  io.out(`${ledgerLines(ledger, io.outColumns).join("\n")}\n`);
  if (lines.length === 0) return;
  io.out(`\nBeside its log:\n${comparedLines(compared).join("\n")}\n`);
  io.out(`The server is ${residency.kind}${"reason" in residency ? `: ${residency.reason}` : ""}.\n`);
}

function ledgerLines({ lines, caveats }: MemoryLedger, columns: number): readonly string[] {
  const table = alignColumns(
    [
      { heading: "", align: "left" },
      { heading: "memory", align: "right" },
      { heading: "of", align: "left" },
      { heading: "is", align: "left" },
    ],
    lines.map(({ label, bytes, place, provenance }) => [label, formatBytes(bytes), place, provenance]),
  );
  const [head = "", ...rows] = table;
  return [
    head,
    ...rows.flatMap((row, index) => [row, wrapText(lines[index]?.formula ?? "", columns, "    ", "    ")]),
    ...caveats.map((caveat) => wrapText(`note: ${caveat}`, columns, "  ")),
  ];
}

function comparedLines(compared: readonly ComparedItem[]): readonly string[] {
  const right = (heading: string) => ({ heading, align: "right" }) as const;
  return alignColumns(
    [
      { heading: "item", align: "left" },
      { heading: "of", align: "left" },
      right("predicted"),
      right("in the log"),
      right("more"),
    ],
    compared.map(({ item, place, predictedBytes, parsedBytes, differenceBytes }) => [
      item,
      place,
      formatBytes(predictedBytes),
      formatBytes(parsedBytes),
      formatBytes(differenceBytes),
    ]),
  );
}

/** The log that was named, else what this state directory has of the preset's last start. */
function logOf(name: string, flags: RawCapacityFlags, io: CliIo): readonly string[] {
  if (flags.log !== undefined) return readTextFile(resolve(io.cwd, flags.log)).split("\n");
  const path = logPath(logFolder(stateFolder(flags, io)), name);
  return existsSync(path) ? tailLog(path, { lines: LOG_LINES, from: "last-start" }) : [];
}
