/** What can be said before anything is started: the ledger, and what a sweep would try. */
import { formatBytes, formatDurationMs } from "../../core/units.ts";
import { floorOf } from "../../experiment/image-room.ts";
import { configured } from "../../experiment/server-round.ts";
import type { Pool, ServerModel } from "../../predict/vram/preset-ledger.ts";
import { placeOf, presetLedger, readServerModel } from "../../predict/vram/preset-ledger.ts";
import { roleTooLarge } from "../../experiment/sweep-cells.ts";
import { readMemoryBook } from "../../fleet/memory-book.ts";
import type { MemoryReading } from "../../fleet/memory.ts";
import { machineMemorySources, readMemory } from "../../fleet/memory-reader.ts";
import { BYTES_PER_MIB } from "../../core/units.ts";
import { expectedResidual, knownBytes } from "../../predict/vram/residual.ts";
import type { LlamaServerPreset } from "../../preset/preset.ts";
import { alignColumns } from "../fleet/bar.ts";
import { stateFolder } from "../fleet/places.ts";
import type { CliIo, ExitCode } from "../io.ts";
import { explain } from "./explain.ts";
import type { RawCapacityFlags } from "./flags.ts";
import type { CapacitySpec } from "./spec.ts";
import { cellsOfSpec, newCapacitySpec } from "./spec.ts";

/** A start, its memory back, and quiet: what a small model takes; a large one takes longer, and the sweep then says so. */
const ASSUMED_START_MS = 15_000;

export async function previewCapacity(
  study: string | undefined,
  flags: RawCapacityFlags,
  io: CliIo,
): Promise<ExitCode> {
  const spec = newCapacitySpec(study, flags, io);
  const preset = spec.capacity.preset as LlamaServerPreset;
  const model = readServerModel(preset);
  const reading = await readingOf(flags, io);
  const residual = expectedResidual(readMemoryBook(stateFolder(flags, io), reading.kind));
  if (flags.explain === true)
    explain({ preset: explained(preset, spec, flags), model, pool: reading.kind, residual }, flags, io);
  else
    dryRun(
      { spec, preset, model, reading, leastResidualBytes: Math.min(0, residual?.lowestBytes ?? 0) },
      flags,
      io,
    );
  return 0;
}

/** The preset as it is, or in the one size that the flags name. */
function explained(
  preset: LlamaServerPreset,
  spec: CapacitySpec,
  flags: RawCapacityFlags,
): LlamaServerPreset {
  const [cell] = cellsOfSpec(spec);
  const named = flags.slots !== undefined || flags.ctx !== undefined || flags.kv !== undefined;
  return named && cell !== undefined ? configured(preset, cell) : preset;
}

async function readingOf({ memoryBudgetMib }: RawCapacityFlags, io: CliIo): Promise<MemoryReading> {
  const { reading } = await readMemory(machineMemorySources({ clock: io.clock }), {
    serverPids: [],
    ...(memoryBudgetMib === undefined ? {} : { budgetBytes: memoryBudgetMib * BYTES_PER_MIB }),
  });
  return reading;
}

interface Preview {
  readonly spec: CapacitySpec;
  readonly preset: LlamaServerPreset;
  readonly model: ServerModel;
  readonly reading: MemoryReading;
  readonly leastResidualBytes: number;
}

/** As if what runs now went on: a sweep stops it first, and has more. */
function dryRun(preview: Preview, flags: RawCapacityFlags, io: CliIo): void {
  const { spec, reading } = preview;
  const rows = cellsOfSpec(spec).map((cell) => {
    const preset = configured(preview.preset, cell);
    const needBytes = leastBytes(preview, preset, reading.kind);
    const floorBytes = floorOf(preset, spec.capacity.floorBytes);
    const role = roleTooLarge(cell);
    const outlook =
      role !== undefined
        ? `left out: a turn of ${role.name} does not fit a slot`
        : needBytes + floorBytes > reading.freeBytes
          ? "excluded by the ledger"
          : "would be tried";
    return { cell: cell.name, agents: cell.agents.length, needBytes, floorBytes, outlook };
  });
  const tried = rows.filter(({ outlook }) => outlook === "would be tried").length;
  const { runs, durationMs = 0 } = spec.scenario;
  const mostMs = tried * ASSUMED_START_MS + tried * runs * (ASSUMED_START_MS + durationMs);
  if (flags.json === true) {
    io.out(`${JSON.stringify({ freeBytes: reading.freeBytes, cells: rows, mostMs }, undefined, 2)}\n`);
    return;
  }
  io.out(
    `${tried} of ${rows.length} configurations would be tried, in about ${formatDurationMs(mostMs)} at most; ${formatBytes(reading.freeBytes)} are free now.\n\n`,
  );
  const right = (heading: string) => ({ heading, align: "right" }) as const;
  const columns = [
    { heading: "configuration", align: "left" } as const,
    right("agents"),
    right("needs"),
    { heading: "", align: "left" } as const,
  ];
  const lines = rows.map(({ cell, agents, needBytes, outlook }) => [
    cell,
    `${agents}`,
    formatBytes(needBytes),
    outlook,
  ]);
  io.out(`${alignColumns(columns, lines).join("\n")}\n`);
}

function leastBytes({ model, leastResidualBytes }: Preview, preset: LlamaServerPreset, pool: Pool): number {
  return knownBytes(presetLedger(preset, model, pool), placeOf(pool)) + leastResidualBytes;
}
