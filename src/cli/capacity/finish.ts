/** After the last trial: the figures from the directory alone, the knee, and the files that are ready to use. */
import { resolve } from "node:path";
import { toSummary } from "../../analysis/summary.ts";
import { configurationKey } from "../../plan/configuration.ts";
import type { LlamaServerPreset } from "../../preset/preset.ts";
import type { RunStatus } from "../../record/run-manifest.ts";
import { toReportModel } from "../../report/model.ts";
import { readRun } from "../../store/read-run.ts";
import type { RunWriter } from "../../store/run-directory.ts";
import type { ServerModel } from "../../predict/vram/preset-ledger.ts";
import { readConfig } from "../config.ts";
import type { CliIo, ExitCode } from "../io.ts";
import { runDocuments } from "../report/run-documents.ts";
import { shownPath } from "../shown-path.ts";
import type { RawCapacityFlags } from "./flags.ts";
import type { CapacityOutcome } from "./outcome.ts";
import { readSweep } from "./outcome.ts";
import type { CapacitySpec } from "./spec.ts";
import { cellsOfSpec } from "./spec.ts";
import { outcomeMarkdown, renderOutcome } from "./view.ts";
import type { PresetFiles, Written } from "./write-preset.ts";
import { presetFiles, writePresetFiles } from "./write-preset.ts";

export interface EndedSweep {
  readonly spec: CapacitySpec;
  readonly model: ServerModel;
  readonly writer: RunWriter;
  readonly status: RunStatus;
}

export function finishSweep(ended: EndedSweep, flags: RawCapacityFlags, io: CliIo): ExitCode {
  const { spec, writer, status } = ended;
  const { outcome, files } = documents(ended);
  // An interrupted sweep has no last word, so nothing is put where the next slipway up would find it.
  const written =
    files === undefined || status !== "complete"
      ? undefined
      : writePresetFiles(presetFolder(flags, io), files);
  if (flags.json === true)
    io.out(
      `${JSON.stringify({ run: writer.path, status, ...outcome, ...(written === undefined ? {} : { preset: written }) })}\n`,
    );
  else {
    io.out(`${renderOutcome(outcome, spec, io.outColumns)}\n`);
    if (written !== undefined && files !== undefined) io.out(`\n${nextSteps(written, files, writer, io)}\n`);
  }
  if (status === "interrupted") {
    const runsDir = flags.runsDir === "runs" ? "" : ` --runs-dir ${flags.runsDir}`;
    io.err(
      `interrupted; what was measured is kept. Go on with: slipway capacity --resume ${writer.manifest.runId}${runsDir}\n`,
    );
    return 130;
  }
  return outcome.knee.kind === "none" ? 3 : 0;
}

function documents(ended: EndedSweep): {
  readonly outcome: CapacityOutcome;
  readonly files: PresetFiles | undefined;
} {
  const { spec, model, writer, status } = ended;
  try {
    writer.updateManifest({ status });
    const { outcome, views } = readSweep(readRun(writer.path), spec, model);
    const report = toReportModel(views.analysis, { runDirectory: writer.path });
    writer.writeDocument("summary.json", toSummary(views.analysis));
    for (const { name, text } of runDocuments(report, views)) writer.writeDocument(name, text);
    writer.writeDocument("capacity.json", outcome);
    writer.writeDocument("capacity.md", outcomeMarkdown(outcome, spec));
    const files = filesOf(outcome, ended);
    if (files !== undefined) {
      writer.writeDocument("knee-preset.yaml", files.presetText);
      writer.writeDocument("knee-mode.yaml", files.modeText);
    }
    return { outcome, files };
  } finally {
    writer.close(status);
  }
}

function filesOf({ knee, starts }: CapacityOutcome, { spec, writer }: EndedSweep): PresetFiles | undefined {
  if (knee.kind === "none") return undefined;
  const cell = cellsOfSpec(spec).find(
    ({ configuration }) => configurationKey(configuration) === configurationKey(knee.best.configuration),
  );
  if (cell === undefined) return undefined;
  const { preset, presetPath: basePath } = spec.capacity;
  return presetFiles({
    base: preset as LlamaServerPreset,
    ...(basePath === undefined ? {} : { basePath }),
    beside: spec.capacity.beside.map(({ name }) => name),
    cell,
    start: starts.find((start) => start.cell === cell.name),
    reason: knee.reason,
    runId: writer.manifest.runId,
  });
}

/** Where presets of the operator's are looked for. */
function presetFolder(flags: RawCapacityFlags, io: CliIo): string {
  return resolve(io.cwd, flags.presetsDir ?? readConfig(io.cwd).presetsDir ?? "presets");
}

function nextSteps(written: Written, files: PresetFiles, writer: RunWriter, io: CliIo): string {
  if (written.kind === "in-the-way")
    return `The preset is in ${shownPath(writer.path, io.cwd)}/knee-preset.yaml: ${shownPath(written.path, io.cwd)} is somebody's own and was left alone`;
  const { presetPath, modePath } = written;
  return `wrote ${shownPath(presetPath, io.cwd)} and ${shownPath(modePath, io.cwd)}\nuse it with: slipway up ${files.modeName}`;
}
