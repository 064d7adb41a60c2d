/** What a sweep's run directory says, worked out from the directory alone: also of an old sweep, and of one cut short. */
import { readRunViews } from "../../analysis/run-views.ts";
import type { RunViews } from "../../analysis/run-views.ts";
import type { RoleFigures } from "../../analysis/roles/role-table.ts";
import type { RequestDistribution } from "../../analysis/request-distribution.ts";
import { BYTES_PER_MIB, formatNumber } from "../../core/units.ts";
import { floorOf, imageRoom } from "../../experiment/image-room.ts";
import type { ImageRoom } from "../../experiment/image-room.ts";
import { configured } from "../../experiment/server-round.ts";
import { placeOf, poolBytes, presetLedger } from "../../predict/vram/preset-ledger.ts";
import type { ServerModel } from "../../predict/vram/preset-ledger.ts";
import {
  START_EVENT,
  UNUSABLE_EVENT,
  startRecordSchema,
  unusableSchema,
} from "../../experiment/start-record.ts";
import type { StartRecord } from "../../experiment/start-record.ts";
import { roleTooLarge, turnTokens } from "../../experiment/sweep-cells.ts";
import type { SweepCell } from "../../experiment/sweep-cells.ts";
import { cliffOf } from "../../plan/cliff.ts";
import type { Configuration } from "../../plan/configuration.ts";
import { configurationKey } from "../../plan/configuration.ts";
import type { Evaluated, NoisyFigure } from "../../plan/evaluation.ts";
import { kneeOf } from "../../plan/knee.ts";
import { paretoTable } from "../../plan/pareto.ts";
import type { CapacityResult } from "../../plan/search.ts";
import { expectedResidual, isUnknowable } from "../../predict/vram/residual.ts";
import { bytesAt } from "../../predict/vram/ledger.ts";
import type { LlamaServerPreset } from "../../preset/preset.ts";
import type { RunSource } from "../../record/run-source.ts";
import type { Description } from "../../stats/describe.ts";
import type { CapacitySpec } from "./spec.ts";
import { cellsOfSpec, limitsOfSpec, needOfSpec } from "./spec.ts";

export interface CapacityOutcome extends Omit<CapacityResult, "boundary" | "unusable"> {
  readonly unusable: readonly { readonly cell: string; readonly reason: string }[];
  /** The last of each cell that was started or excluded, in the order of the cells. */
  readonly starts: readonly StartRecord[];
  /** What another agent beyond the knee got, where that was measured. */
  readonly next?: string;
  /** Where a projector is loaded: of each cell that fits. */
  readonly images: readonly (ImageRoom & { readonly cell: string })[];
}

export interface ReadSweep {
  readonly outcome: CapacityOutcome;
  readonly views: RunViews;
}

export function readSweep(run: RunSource, spec: CapacitySpec, model: ServerModel): ReadSweep {
  const views = readRunViews(run);
  const { starts, befallen } = eventsOf(run);
  const cells = cellsOfSpec(spec);
  const measured = new Map(views.analysis.roles.map((roles) => [roles.label, roles]));
  const evaluated = cells.flatMap((cell) => {
    const roles = measured.get(cell.name);
    const start = starts.get(cell.name);
    const evaluation = roles === undefined ? undefined : evaluationOf(roles, start);
    return evaluation === undefined ? [] : [{ cell, configuration: cell.configuration, evaluation }];
  });
  const done = new Set(evaluated.map(({ cell }) => cell.name));
  const candidates = evaluated.map(({ configuration, evaluation }) => ({ configuration, evaluation }));
  const knee = kneeOf(candidates, needOfSpec(spec), limitsOfSpec(spec));
  const known = cells.flatMap(({ name }) => starts.get(name) ?? []);
  const best = knee.kind === "found" ? knee.best.configuration : undefined;
  const cliff = best === undefined ? undefined : cliffAt(best, spec, model, known);
  const next = best === undefined ? undefined : nextOf(best, evaluated);
  return {
    views,
    outcome: {
      knee,
      table: paretoTable(candidates),
      unusable: cells
        .filter(({ name }) => !done.has(name))
        .map((cell) => ({
          cell: cell.name,
          reason: whyNot(cell, starts.get(cell.name), befallen.get(cell.name)),
        })),
      starts: known,
      ...(cliff === undefined ? {} : { cliff }),
      ...(next === undefined ? {} : { next }),
      images: imagesOf(spec.capacity.preset as LlamaServerPreset, known),
    },
  };
}

/** The last word on each cell counts: a resume may have tried again. */
export function eventsOf(run: RunSource): {
  readonly starts: ReadonlyMap<string, StartRecord>;
  readonly befallen: ReadonlyMap<string, string>;
} {
  const starts = new Map<string, StartRecord>();
  const befallen = new Map<string, string>();
  run.eachEvent(({ kind, data }) => {
    if (kind === START_EVENT) {
      const record = startRecordSchema.safeParse(data);
      if (record.success) starts.set(record.data.cell, record.data);
    }
    if (kind === UNUSABLE_EVENT) {
      const record = unusableSchema.safeParse(data);
      if (record.success) befallen.set(record.data.cell, record.data.reason);
    }
  });
  return { starts, befallen };
}

/** Undefined where no turn was ever finished: nothing is known then of how fast an agent is. */
function evaluationOf(
  { all, roles }: { readonly all: RoleFigures; readonly roles: readonly RoleFigures[] },
  start: StartRecord | undefined,
): Evaluated | undefined {
  const aggregate = figureOf(all.aggregateTokS);
  const perAgent = figureOf(all.perCallTokS);
  if (aggregate === undefined || perAgent === undefined) return undefined;
  return {
    kind: "evaluated",
    aggregateTokensPerS: aggregate,
    perAgentTokensPerS: perAgent,
    roleLatencyMs: Object.fromEntries(
      roles.flatMap(({ role, turnMs }) => {
        const latency = latencyOf(turnMs);
        return latency === undefined ? [] : [[role, latency] as const];
      }),
    ),
    ...(start?.freeBytes === undefined ? {} : { freeBytes: start.freeBytes }),
  };
}

function figureOf(description: Description | undefined): NoisyFigure | undefined {
  if (description === undefined) return undefined;
  const { mean, spread } = description;
  const { low, high } = spread.kind === "known" ? spread.ci95 : { low: mean, high: mean };
  return { value: mean, low, high };
}

/** The median where there are turns enough for one, else the mean. */
function latencyOf({ percentiles, mean }: RequestDistribution): NoisyFigure | undefined {
  const [median] = percentiles;
  if (median?.kind === "certified") {
    const { interval, value } = median;
    return interval.kind === "known"
      ? { value, low: interval.low, high: interval.high }
      : { value, low: value, high: value };
  }
  return mean === undefined ? undefined : { value: mean, low: mean, high: mean };
}

function whyNot(cell: SweepCell, start: StartRecord | undefined, befallen: string | undefined): string {
  const role = roleTooLarge(cell);
  if (role !== undefined)
    return `a turn of ${role.name} has ${turnTokens(role)} tokens before its answer, and a slot ${cell.configuration.contextTokensPerSlot}`;
  if (start !== undefined && "reason" in start.outcome) return start.outcome.reason;
  return (
    befallen ??
    (start === undefined
      ? "not tried: one with less did not fit, or the sweep ended before"
      : "no turn was finished in its time")
  );
}

/** What another slot and a longer context would take, by the ledger with what this sweep's own starts taught. */
function cliffAt(
  best: Configuration,
  { capacity }: CapacitySpec,
  model: ServerModel,
  starts: readonly StartRecord[],
): CapacityResult["cliff"] {
  const start = starts.find(
    ({ configuration }) => configurationKey(configuration as Configuration) === configurationKey(best),
  );
  const base = capacity.preset as LlamaServerPreset;
  if (start?.freeBeforeBytes === undefined) return undefined;
  const { pool, freeBeforeBytes } = start;
  const residuals = starts.flatMap((one) => {
    if (one.usedBytes === undefined) return [];
    const preset = configured(base, cellAt(one.configuration as Configuration));
    const known = presetLedger(preset, model, pool).lines.filter((line) => !isUnknowable(line));
    return [{ predictedBytes: bytesAt(known, placeOf(pool)), measuredBytes: one.usedBytes }];
  });
  const residual = expectedResidual(residuals);
  const needBytes = (configuration: Configuration): number =>
    poolBytes(
      presetLedger(
        configured(base, cellAt(configuration)),
        model,
        pool,
        residual === undefined ? {} : { residual },
      ),
      pool,
    );
  const contexts = [...new Set(capacity.cells.map((cell) => cell.configuration.contextTokensPerSlot))];
  return cliffOf(
    best,
    contexts.toSorted((one, other) => one - other),
    needBytes,
    freeBeforeBytes - floorOf(base, capacity.floorBytes),
  );
}

function cellAt(configuration: Configuration): SweepCell {
  return { name: "at", configuration, vision: "as-preset", agents: [] };
}

function nextOf(
  best: Configuration,
  cells: readonly {
    readonly cell: SweepCell;
    readonly configuration: Configuration;
    readonly evaluation: Evaluated;
  }[],
): string | undefined {
  const own = cells.find(({ configuration }) => configurationKey(configuration) === configurationKey(best));
  const alike = cells
    .filter(
      ({ cell, configuration }) =>
        // Another mix is another question.
        rolesOf(cell) === rolesOf(own?.cell) &&
        configuration.contextTokensPerSlot === best.contextTokensPerSlot &&
        configuration.kvTypeK === best.kvTypeK,
    )
    .toSorted((one, other) => one.configuration.slots - other.configuration.slots);
  const at = alike.findIndex(({ configuration }) => configuration.slots === best.slots);
  const here = alike[at]?.evaluation;
  const after = alike[at + 1];
  if (here === undefined || after === undefined) return undefined;
  const { slots } = after.configuration;
  const { aggregateTokensPerS, perAgentTokensPerS } = after.evaluation;
  return `With ${slots} slots instead of ${best.slots} all together get ${formatNumber(aggregateTokensPerS.value)} instead of ${formatNumber(here.aggregateTokensPerS.value)} tok/s, and each agent ${formatNumber(perAgentTokensPerS.value)} instead of ${formatNumber(here.perAgentTokensPerS.value)}`;
}

function rolesOf(cell: SweepCell | undefined): string {
  return [...new Set((cell?.agents ?? []).map(({ role }) => role.name))].toSorted().join();
}

function imagesOf({ mmproj }: LlamaServerPreset, starts: readonly StartRecord[]): CapacityOutcome["images"] {
  if (mmproj === undefined) return [];
  return starts.flatMap(({ cell, freeBytes, outcome }) =>
    freeBytes === undefined || outcome.kind !== "fits" ? [] : [{ cell, ...imageRoom(freeBytes) }],
  );
}

/** MiB as a preset declares them, rounded up. */
export function declaredMib(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_MIB);
}
