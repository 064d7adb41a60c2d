/** Which of the planned trials a run already has. A cell is keyed by the hash of its full specification. */
import { OperatorError } from "../core/errors.ts";
import type { RunSource } from "../record/run-source.ts";
import type { TrialKind } from "../record/trial-record.ts";

/** What identifies a trial within a run; a planned trial of the workload has these members. */
export interface TrialIdentity {
  readonly cell: { readonly hash: string };
  readonly kind: TrialKind;
  readonly soloAgent?: string;
  readonly repeat: number;
}

export type TrialKey = string;

export function trialKey(trial: TrialIdentity): TrialKey {
  return JSON.stringify([trial.cell.hash, trial.kind, trial.soloAgent ?? null, trial.repeat]);
}

export interface ResumePlan<T extends TrialIdentity> {
  readonly complete: readonly T[];
  /** In the planned order: never begun, cut short, or ended with a status other than complete. */
  readonly missing: readonly T[];
}

/**
 * Splits the plan. Throws RESUME_MISMATCH when the run was made from another specification: its
 * trials and the missing ones would not be comparable.
 */
export function planResume<T extends TrialIdentity>(
  run: Pick<RunSource, "path" | "manifest" | "trials">,
  specHash: string,
  planned: readonly T[],
): ResumePlan<T> {
  if (run.manifest.specHash !== specHash)
    throw new OperatorError("RESUME_MISMATCH", {
      message: `the run ${run.manifest.runId} was made from another specification`,
      received: `specification ${specHash}, the run has ${run.manifest.specHash}`,
      nextStep: `resume with the specification in ${run.path}/manifest.json, or begin a new run`,
    });
  const done = new Set(
    run.trials
      .filter((trial) => trial.status === "complete")
      .map((trial) => trialKey({ ...trial, cell: { hash: trial.cellHash } })),
  );
  return {
    complete: planned.filter((trial) => done.has(trialKey(trial))),
    missing: planned.filter((trial) => !done.has(trialKey(trial))),
  };
}
