/**
 * Trials that stand apart from the repeats of their own cell, with what the records show about them
 * that they do not show about the others. A cause is likely, never proven: it was there, and not elsewhere.
 */
import type { TelemetrySample } from "../../record/event-record.ts";
import type { TrialRecord } from "../../record/trial-record.ts";
import { tukeyFences } from "../../stats/outliers.ts";
import { median } from "../../stats/quantile.ts";
import type { BlockAnalysis } from "../block.ts";
import type { CellAnalysis } from "../cell.ts";

export type OutlierCause =
  | "cold-model"
  | "failures"
  | "memory-pressure"
  | "client-bound"
  | "queueing"
  | "longer-answers";

export interface LikelyCause {
  readonly cause: OutlierCause;
  /** What the records say, with its number. */
  readonly evidence: string;
}

export interface OutlyingFigure {
  readonly figure: string;
  readonly unit: string;
  readonly value: number;
  /** Of its cell's trials. */
  readonly median: number;
}

export interface Outlier {
  readonly trialId: string;
  readonly cell: string;
  readonly figures: readonly OutlyingFigure[];
  /** Empty where the records show nothing unusual. */
  readonly causes: readonly LikelyCause[];
}

export interface RecordedFacts {
  readonly trials: ReadonlyMap<string, TrialRecord>;
  /** In the trial's window; none where telemetry was off. */
  readonly telemetry: (trial: TrialRecord) => readonly TelemetrySample[];
}

interface Watched {
  readonly figure: string;
  readonly unit: string;
  readonly of: (block: BlockAnalysis) => number | undefined;
}

const WATCHED: readonly Watched[] = [
  { figure: "balance (published efficiency)", unit: "%", of: (block) => block.nominal?.efficiencyPct },
  { figure: "true efficiency", unit: "%", of: (block) => block.true?.efficiencyPct },
  { figure: "wall", unit: "ms", of: (block) => block.figures.wallMs },
];

/** Beyond Tukey's fences of the cell in at least one watched figure. */
export function outliersOf(cells: readonly CellAnalysis[], facts: RecordedFacts): readonly Outlier[] {
  return cells.flatMap((cell) => {
    const watched = WATCHED.flatMap((figure) => fencesOf(cell, figure));
    return cell.blocks.flatMap((block) => {
      const figures = watched.flatMap(({ of, figure, unit, median: middle, low, high }) => {
        const value = of(block);
        return value === undefined || (value >= low && value <= high)
          ? []
          : [{ figure, unit, value, median: middle }];
      });
      if (figures.length === 0) return [];
      const others = cell.blocks.filter((other) => other !== block);
      return [{ trialId: block.trialId, cell: cell.label, figures, causes: causesOf(block, others, facts) }];
    });
  });
}

function fencesOf(cell: CellAnalysis, watched: Watched) {
  const values = cell.blocks.map(watched.of).filter((value) => value !== undefined);
  const fences = tukeyFences(values);
  const middle = median(values);
  return fences === undefined || middle === undefined ? [] : [{ ...watched, ...fences, median: middle }];
}

function causesOf(
  block: BlockAnalysis,
  others: readonly BlockAnalysis[],
  facts: RecordedFacts,
): readonly LikelyCause[] {
  const cold = coldModel(block, others);
  return [
    ...cold,
    ...failures(block, others),
    ...memoryPressure(block, others, facts),
    ...clientBound(block, others, facts),
    // Loading is inside TTFT: where it explains the wait, nothing has to have queued.
    ...(cold.length > 0 ? [] : queueing(block, others)),
    ...longerAnswers(block, others),
  ];
}

/** A fact explains an outlier only where its repeats do not share it. */
function unusual(own: number, others: readonly number[], factor: number): boolean {
  const usual = median(others);
  return usual === undefined ? own > 0 : own > usual * factor;
}

function coldModel(block: BlockAnalysis, others: readonly BlockAnalysis[]): readonly LikelyCause[] {
  const loads = (one: BlockAnalysis): number =>
    one.agents.reduce((sum, agent) => sum + agent.together.coldLoads, 0);
  return loads(block) > 0 && unusual(loads(block), others.map(loads), 1)
    ? [{ cause: "cold-model", evidence: `${counted(loads(block), "request")} waited for the model to load` }]
    : [];
}

function failures(block: BlockAnalysis, others: readonly BlockAnalysis[]): readonly LikelyCause[] {
  return block.failures > 0 &&
    unusual(
      block.failures,
      others.map((one) => one.failures),
      1,
    )
    ? [{ cause: "failures", evidence: `${counted(block.failures, "request")} failed` }]
    : [];
}

/** Under a twentieth free, the driver or the kernel starts to move memory about. */
const SCARCE_SHARE = 0.05;

function memoryPressure(
  block: BlockAnalysis,
  others: readonly BlockAnalysis[],
  facts: RecordedFacts,
): readonly LikelyCause[] {
  const free = (one: BlockAnalysis): FreeMemory => freeMemory(facts, facts.trials.get(one.trialId));
  const own = free(block);
  return (["host", "GPU"] as const).flatMap((where) => {
    const share = own[where];
    const usual = median(others.map((one) => free(one)[where]).filter((one) => one !== undefined));
    if (share === undefined || share >= SCARCE_SHARE || (usual !== undefined && usual < SCARCE_SHARE))
      return [];
    return [
      {
        cause: "memory-pressure" as const,
        evidence: `${where} memory fell to ${(share * 100).toFixed(1)} % free`,
      },
    ];
  });
}

/** The least share of memory that was free during a trial. */
interface FreeMemory {
  readonly host: number | undefined;
  readonly GPU: number | undefined;
}

function freeMemory(facts: RecordedFacts, trial: TrialRecord | undefined): FreeMemory {
  const samples = trial === undefined ? [] : facts.telemetry(trial);
  const host = samples.flatMap(({ memoryAvailableBytes: free, memoryTotalBytes: total }) =>
    free === undefined || total === undefined || total === 0 ? [] : [free / total],
  );
  const gpu = samples.flatMap((sample) =>
    (sample.gpus ?? []).flatMap(({ memoryFreeBytes: free, memoryUsedBytes: used }) =>
      free === undefined || used === undefined || free + used === 0 ? [] : [free / (free + used)],
    ),
  );
  return { host: least(host), GPU: least(gpu) };
}

function least(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.min(...values);
}

/** Twice the usual delay of the client's own event loop, and more than a millisecond. */
const UNUSUAL_FACTOR = 2;
const LEAST_LAG_MS = 1;

function clientBound(
  block: BlockAnalysis,
  others: readonly BlockAnalysis[],
  { trials }: RecordedFacts,
): readonly LikelyCause[] {
  const lag = (one: BlockAnalysis): number => trials.get(one.trialId)?.client.loopLagMsP99 ?? 0;
  return lag(block) > LEAST_LAG_MS && unusual(lag(block), others.map(lag), UNUSUAL_FACTOR)
    ? [
        {
          cause: "client-bound",
          evidence: `the client's event loop lagged ${lag(block).toFixed(1)} ms at p99`,
        },
      ]
    : [];
}

/** Where the longest median TTFT doubles, requests stood in line, at the server or in the client. */
function queueing(block: BlockAnalysis, others: readonly BlockAnalysis[]): readonly LikelyCause[] {
  const ttft = (one: BlockAnalysis): number =>
    Math.max(0, ...one.agents.map((agent) => agent.together.ttftMedianMs ?? 0));
  const queued = (one: BlockAnalysis): number =>
    one.agents.reduce((sum, agent) => sum + (agent.together.time?.queueMs ?? 0), 0);
  if (queued(block) > LEAST_LAG_MS && unusual(queued(block), others.map(queued), UNUSUAL_FACTOR))
    return [
      { cause: "queueing", evidence: `requests waited ${queued(block).toFixed(0)} ms in the client's queue` },
    ];
  return unusual(ttft(block), others.map(ttft), UNUSUAL_FACTOR)
    ? [{ cause: "queueing", evidence: `median TTFT rose to ${ttft(block).toFixed(0)} ms` }]
    : [];
}

/** Half as many tokens again as its repeats produced. */
const LONGER_FACTOR = 1.5;

function longerAnswers(block: BlockAnalysis, others: readonly BlockAnalysis[]): readonly LikelyCause[] {
  const tokens = (one: BlockAnalysis): number => one.figures.whole.tokens;
  return unusual(tokens(block), others.map(tokens), LONGER_FACTOR)
    ? [
        {
          cause: "longer-answers",
          evidence: `${tokens(block)} tokens were produced, ${(median(others.map(tokens)) ?? 0).toFixed(0)} usually`,
        },
      ]
    : [];
}

function counted(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}
