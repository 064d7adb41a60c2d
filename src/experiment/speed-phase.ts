/** Phase 2: each trial on a server of its own, and whatever befalls it a record. */
import { OperatorError, messageOf } from "../core/errors.ts";
import { createEngine } from "../engines/registry.ts";
import type { LoanTrouble } from "../fleet/loan.ts";
import type { ConnectedEndpoint } from "../measure/endpoint.ts";
import { InFlightLimit } from "../measure/in-flight-limit.ts";
import type { RunDeps } from "../measure/runner.ts";
import { runPlan } from "../measure/runner.ts";
import type { Scenario } from "../workload/scenario.ts";
import type { PlannedTrial } from "../workload/trial-plan.ts";
import { clear, startServer } from "./server-round.ts";
import { UNUSABLE_EVENT } from "./start-record.ts";
import type { Sweep } from "./sweep.ts";
import type { SweepCell } from "./sweep-cells.ts";

export interface SpeedPlan {
  readonly scenario: Scenario;
  readonly trials: readonly PlannedTrial[];
  /** By name; a trial whose cell is not among them is left out. */
  readonly cells: ReadonlyMap<string, SweepCell>;
  readonly seed: number;
  readonly health: RunDeps["health"];
  readonly onFacts: NonNullable<RunDeps["onFacts"]>;
}

/** Resolves with why cells gave no figure, by name. Throws what makes going on pointless. */
export async function speedPhase(sweep: Sweep, plan: SpeedPlan): Promise<ReadonlyMap<string, string>> {
  const unusable = new Map<string, string>();
  const trials = plan.trials.filter(({ cell }) => plan.cells.has(cell.label));
  for (const [index, trial] of trials.entries()) {
    const cell = plan.cells.get(trial.cell.label);
    if (cell === undefined || unusable.has(cell.name)) continue;
    sweep.signal.throwIfAborted();
    sweep.onProgress({ kind: "trial", cell: cell.name, index, total: trials.length });
    const reason = await oneTrial(sweep, plan, trial, cell);
    if (reason === undefined) continue;
    unusable.set(cell.name, reason);
    sweep.sink.event({
      atNs: sweep.clock.nowNs(),
      kind: UNUSABLE_EVENT,
      message: `${cell.name} gives no figure: ${reason}`,
      data: { cell: cell.name, reason },
    });
    sweep.onProgress({ kind: "trouble", message: `${cell.name}: ${reason}` });
  }
  return unusable;
}

/** Why the cell gives no figure; undefined when its trial is whole. */
async function oneTrial(
  sweep: Sweep,
  plan: SpeedPlan,
  trial: PlannedTrial,
  cell: SweepCell,
): Promise<string | undefined> {
  const { record, url } = await startServer(sweep, cell);
  if (url === undefined) return "reason" in record.outcome ? record.outcome.reason : "it has no address";
  const taken = new AbortController();
  let trouble: LoanTrouble | undefined;
  const stopListening = sweep.machine.onTrouble((what) => {
    trouble ??= what;
    // First the workload; the server is cleared away below, or by the watchdog.
    taken.abort(new Error(what.message));
  });
  try {
    await measure(
      sweep,
      plan,
      trial,
      { name: cell.name, url },
      AbortSignal.any([sweep.signal, taken.signal]),
    );
  } catch (thrown) {
    sweep.signal.throwIfAborted();
    if (trouble === undefined) {
      if (!(thrown instanceof OperatorError)) throw thrown;
      return messageOf(thrown);
    }
  } finally {
    stopListening();
  }
  sweep.signal.throwIfAborted();
  if (trouble === undefined) return undefined;
  await clear(sweep);
  return trouble.message;
}

async function measure(
  sweep: Sweep,
  plan: SpeedPlan,
  trial: PlannedTrial,
  server: { readonly name: string; readonly url: string },
  signal: AbortSignal,
): Promise<void> {
  const { clock, sink, onProgress } = sweep;
  const { scenario, seed, health, onFacts } = plan;
  const engine = await createEngine(
    { ...server, engine: "llama-server" },
    {
      clock,
      env: {},
      connections: Math.max(trial.cell.agents.length, 1),
      loadingMs: scenario.limits.loadingMs,
    },
  );
  try {
    const endpoint: ConnectedEndpoint = {
      ...server,
      engine,
      headers: {},
      inFlight: new InFlightLimit(undefined),
      vocabularies: new Map(),
    };
    const [model] = await engine.models();
    let requests = 0;
    await runPlan(
      {
        scenario,
        trials: [trial],
        endpoints: new Map([[server.name, endpoint]]),
        defaultModels: new Map(model === undefined ? [] : [[server.name, model]]),
        // Roles read no corpus.
        corpusFolder: ".",
        seed,
      },
      {
        clock,
        sink,
        health,
        signal,
        onFacts,
        onProgress: (progress) => {
          if (progress.kind === "request-end") requests++;
          if (progress.kind === "trial-end")
            onProgress({
              kind: "trial-end",
              cell: server.name,
              requests,
              failures: progress.record.failures,
            });
        },
      },
    );
  } finally {
    await engine.close();
  }
}
