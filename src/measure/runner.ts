/**
 * Runs a plan of trials in order. A trial that cannot be prepared (its server is gone) stops the
 * run with its reason; what was measured before stays, and a resume goes on from there.
 */
import type { Clock } from "../core/clock.ts";
import { defined } from "../core/assert.ts";
import type { EndpointFacts } from "../record/run-manifest.ts";
import type { RecordSink } from "../record/record-sink.ts";
import type { TrialRecord } from "../record/trial-record.ts";
import type { Scenario } from "../workload/scenario.ts";
import type { PlannedTrial } from "../workload/trial-plan.ts";
import type { TrialContext } from "./trial-context.ts";
import { readCorpus } from "./corpus.ts";
import type { ConnectedEndpoint } from "./endpoint.ts";
import type { SeatedAgent } from "./preparation.ts";
import type { ClientHealthMeter } from "./trial.ts";
import { runTrial } from "./trial.ts";

export type RunProgress =
  | {
      readonly kind: "trial-start";
      readonly trial: PlannedTrial;
      readonly index: number;
      readonly total: number;
    }
  | { readonly kind: "tokens"; readonly agent: string; readonly textEvents: number }
  | { readonly kind: "request-end"; readonly agent: string; readonly failure: string | undefined }
  | { readonly kind: "trial-end"; readonly trial: PlannedTrial; readonly record: TrialRecord };

export interface RunPlan {
  readonly scenario: Scenario;
  readonly trials: readonly PlannedTrial[];
  readonly endpoints: ReadonlyMap<string, ConnectedEndpoint>;
  /** The model of each agent that names none itself, by endpoint. */
  readonly defaultModels: ReadonlyMap<string, string>;
  readonly corpusFolder: string;
  readonly seed: number;
}

export interface RunDeps {
  readonly clock: Clock;
  readonly sink: RecordSink;
  readonly health: ClientHealthMeter;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: RunProgress) => void;
  /** Called with what the servers state after each trial's preparation. */
  readonly onFacts?: (facts: readonly EndpointFacts[]) => void;
}

/** Resolves with how many trials ended whole. Throws what makes going on pointless. */
export async function runPlan(plan: RunPlan, deps: RunDeps): Promise<{ readonly completed: number }> {
  let completed = 0;
  let previousCell: string | undefined;
  for (const [index, planned] of plan.trials.entries()) {
    if (deps.signal.aborted) break;
    deps.onProgress?.({ kind: "trial-start", trial: planned, index, total: plan.trials.length });
    const { record, facts } = await runTrial(
      {
        planned,
        agents: seatsOf(planned, plan),
        scenario: plan.scenario,
        cellChanged: previousCell !== planned.cell.hash,
        corpusFolder: plan.corpusFolder,
      },
      trialContext(planned, plan, deps),
      deps.health,
    );
    previousCell = planned.cell.hash;
    deps.sink.trial(record);
    deps.onFacts?.(facts);
    deps.onProgress?.({ kind: "trial-end", trial: planned, record });
    if (record.status === "complete") completed++;
  }
  return { completed };
}

function seatsOf(planned: PlannedTrial, plan: RunPlan): readonly SeatedAgent[] {
  return planned.cell.agents
    .filter((spec) => planned.soloAgent === undefined || spec.name === planned.soloAgent)
    .map((spec) => ({
      spec,
      endpoint: defined(plan.endpoints.get(spec.endpoint), `endpoint ${spec.endpoint}`),
      model: defined(spec.model ?? plan.defaultModels.get(spec.endpoint), `model of agent ${spec.name}`),
    }));
}

function trialContext(planned: PlannedTrial, plan: RunPlan, deps: RunDeps): TrialContext {
  const { scenario } = plan;
  return {
    clock: deps.clock,
    sink: deps.sink,
    trialId: planned.trialId,
    promptKey: promptKeyOf(planned, scenario),
    promptCold: scenario.promptCache === "cold",
    seed: plan.seed,
    originNs: deps.clock.nowNs(),
    limits: scenario.limits,
    retries: scenario.retries,
    signal: deps.signal,
    readCorpus: () => readCorpus(plan.corpusFolder),
    onProgress: (agent, textEvents) => deps.onProgress?.({ kind: "tokens", agent, textEvents }),
    onRequestEnd: (agent, failure) => deps.onProgress?.({ kind: "request-end", agent, failure }),
  };
}

/** Warm prompts repeat from trial to trial; cold ones never, or only in other cells' trials of the same repeat. */
function promptKeyOf({ trialId, repeat }: PlannedTrial, scenario: Scenario): string {
  if (scenario.promptCache === "warm") return "";
  return scenario.prompts === "per-repeat" ? `repeat-${repeat}` : trialId;
}
