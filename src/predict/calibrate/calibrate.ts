/**
 * From run directories to a calibration: requests become observations of steps, observations
 * become constants, and what they do not tell stays what it was.
 */
import type { RequestRecord } from "../../record/request-record.ts";
import type { EndpointFacts } from "../../record/run-manifest.ts";
import type { RunSource } from "../../record/run-source.ts";
import type { KernelEfficiency, StepTimeModel } from "../step-time.ts";
import type { Calibration, CalibrationKey } from "./calibration.ts";
import { CALIBRATION_VERSION, keyName } from "./calibration.ts";
import { fitKernels } from "./fit-kernels.ts";
import { leaveOneOut } from "./leave-one-out.ts";
import type { Observation, TimeWithoutKernels } from "./observation.ts";
import { worksOf } from "./observation.ts";
import type { LeftOut, Span, TrialLoad } from "./observe-trial.ts";
import { observeTrial } from "./observe-trial.ts";
import type { Phases } from "./phases.ts";
import { phasesOf } from "./phases.ts";
import type { CapacityQuestion, RangeAnswer } from "./range.ts";
import { rangeOf, withinRange } from "./range.ts";

export type CalibrationSource = Pick<RunSource, "manifest" | "trials" | "eachRequest">;

export interface CalibrationOptions {
  /** `model` and `engine` are those of the request records. */
  readonly key: CalibrationKey;
  /** What the server computes with: shapes of model and device, layers on the card. */
  readonly time: TimeWithoutKernels;
  /** Constants to start from, and to keep where the runs do not tell. */
  readonly prior: KernelEfficiency;
  /** Tokens one step may carry: llama-server's --batch-size. */
  readonly batchTokens: number;
}

export type CalibrationResult =
  | { readonly kind: "calibrated"; readonly calibration: Calibration }
  /** No request of this model and engine says how long its steps took. */
  | { readonly kind: "nothing-observed"; readonly leftOut: Readonly<Record<string, number>> };

/** Held at once while overlaps are looked for; later trials are left out, and counted. */
const MOST_REQUESTS = 50_000;

/** Steps that the fit evaluates at each turn: a leave-one-out over ten cells takes seconds. */
const MOST_STEPS = 2_000;

export function calibrate(
  sources: readonly CalibrationSource[],
  options: CalibrationOptions,
): CalibrationResult {
  const counts = new Map<string, number>();
  const countLeftOut = (why: LeftOut | "past-the-limit"): void => {
    counts.set(why, (counts.get(why) ?? 0) + 1);
  };
  const found: Observation[] = [];
  let simulated = false;
  for (const source of sources) {
    const { trials, isSimulated } = trialsOf(source, options.key, countLeftOut);
    simulated ||= isSimulated;
    const engine = { model: options.time.model, batchTokens: options.batchTokens };
    for (const trial of trials) observeTrial(trial, engine, (one) => found.push(one), countLeftOut);
  }
  const leftOut = Object.fromEntries(counts);
  if (found.length === 0) return { kind: "nothing-observed", leftOut };
  const observations = thinned(found, MOST_STEPS);
  const { kernels, origins } = fitKernels(observations, options.time, options.prior);
  return {
    kind: "calibrated",
    calibration: {
      version: CALIBRATION_VERSION,
      key: options.key,
      kernels: { ...kernels, name: keyName(options.key) },
      origins,
      // Of all that was seen, not only of what the fit had time for.
      range: rangeOf(found),
      leaveOneOut: leaveOneOut(observations, options.time, options.prior),
      observations: {
        prompts: observations.filter(({ kind }) => kind === "prefill").length,
        answers: observations.filter(({ kind }) => kind === "decode").length,
      },
      leftOut,
      runs: sources.map(({ manifest }) => manifest.runId),
      simulated,
    },
  };
}

export type CalibratedTime =
  | { readonly kind: "time"; readonly time: StepTimeModel }
  | Exclude<RangeAnswer, { kind: "within" }>;

/** The step-time model of a calibration, for a question that lies within it; never beyond. */
export function calibratedTime(
  { kernels, range }: Pick<Calibration, "kernels" | "range">,
  time: TimeWithoutKernels,
  question: CapacityQuestion,
): CalibratedTime {
  const answer = withinRange(range, question);
  return answer.kind === "beyond" ? answer : { kind: "time", time: { ...time, efficiency: kernels } };
}

/** A trial as it is put together: {@link TrialLoad}, growing. */
interface Gathered {
  readonly load: Phases[];
  readonly measured: Phases[];
  readonly unknown: Span[];
}

/** The loads of each server in each finished trial. Everything else that ran at the time hides what it overlaps. */
function trialsOf(
  source: CalibrationSource,
  key: CalibrationKey,
  countLeftOut: (why: "past-the-limit") => void,
): { readonly trials: readonly TrialLoad[]; readonly isSimulated: boolean } {
  const gathered = new Map<string, Map<string, Gathered>>();
  const everything = new Map<string, { readonly server: string | undefined; readonly span: Span }[]>();
  let requests = 0;
  let isSimulated = false;
  source.eachRequest((record, membership) => {
    if (membership !== "finished") return;
    if (++requests > MOST_REQUESTS) {
      countLeftOut("past-the-limit");
      return;
    }
    const { trialId, endpoint, stamps } = record;
    const span = { fromNs: stamps.sentNs ?? stamps.endNs, toNs: stamps.endNs };
    const isMeant = record.model === key.model && record.engine === key.engine;
    const beside = everything.get(trialId) ?? [];
    beside.push({ server: isMeant ? endpoint : undefined, span });
    everything.set(trialId, beside);
    if (!isMeant) return;
    isSimulated ||= record.simulated;
    gather(gathered, record, span);
  });
  const cells = new Map(source.trials.map((trial) => [trial.trialId, trial.cell]));
  const loads = [...gathered].flatMap(([trialId, servers]) =>
    [...servers].map(([endpoint, server]): TrialLoad => {
      const elsewhere = (everything.get(trialId) ?? []).filter((one) => one.server !== endpoint);
      const allocatedTokens = allocatedOf(source.manifest.endpoints.find(({ name }) => name === endpoint));
      return {
        cell: cells.get(trialId) ?? trialId,
        trialId,
        load: server.load,
        measured: server.measured,
        unknown: [...server.unknown, ...elsewhere.map(({ span }) => span)],
        ...(allocatedTokens === undefined ? {} : { allocatedTokens }),
      };
    }),
  );
  return { trials: loads, isSimulated };
}

function gather(gathered: Map<string, Map<string, Gathered>>, record: RequestRecord, span: Span): void {
  const servers = gathered.get(record.trialId) ?? new Map<string, Gathered>();
  gathered.set(record.trialId, servers);
  const server = servers.get(record.endpoint) ?? { load: [], measured: [], unknown: [] };
  servers.set(record.endpoint, server);
  const phases = phasesOf(record);
  if (phases === undefined) {
    server.unknown.push(span);
    return;
  }
  server.load.push(phases);
  if (record.outcome.kind === "ok" && record.phase === "measured") server.measured.push(phases);
}

function allocatedOf(facts: EndpointFacts | undefined): number | undefined {
  if (facts?.slots === undefined || facts.contextTokens === undefined) return undefined;
  return facts.slots * facts.contextTokens;
}

/** Every so-many-th of each cell, so that the fit looks at about so many steps in all. */
function thinned(observations: readonly Observation[], mostSteps: number): readonly Observation[] {
  const steps = observations.reduce((sum, observation) => sum + worksOf(observation).length, 0);
  const every = Math.ceil(steps / mostSteps);
  const seen = new Map<string, number>();
  return observations.filter(({ cell, kind }) => {
    const name = `${kind} ${cell}`;
    const index = seen.get(name) ?? 0;
    seen.set(name, index + 1);
    return index % every === 0;
  });
}
