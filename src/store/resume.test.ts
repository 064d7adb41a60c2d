import { expect, test } from "vitest";
import { SAMPLE_CELL_HASH, sampleManifest, sampleTrial } from "../../test/fakes/sample-records.ts";
import type { TrialRecord } from "../record/trial-record.ts";
import type { TrialIdentity } from "./resume.ts";
import { planResume } from "./resume.ts";

const solo = (soloAgent: string, repeat: number): TrialIdentity => ({
  cell: { hash: SAMPLE_CELL_HASH },
  kind: "solo",
  soloAgent,
  repeat,
});
const together = (repeat: number, hash = SAMPLE_CELL_HASH): TrialIdentity => ({
  cell: { hash },
  kind: "together",
  repeat,
});

function runWith(trials: readonly TrialRecord[]) {
  return { path: "runs/one", manifest: sampleManifest(), trials };
}

test("complete trials are left out, all others stay in the planned order", () => {
  const planned = [solo("insight", 0), together(0), solo("collector", 0), together(1), together(0, "other")];
  const run = runWith([
    sampleTrial({ kind: "together", repeat: 0 }),
    sampleTrial({ kind: "solo", soloAgent: "collector", repeat: 0 }),
    sampleTrial({ kind: "together", repeat: 1, status: "interrupted" }),
  ]);
  const plan = planResume(run, run.manifest.specHash, planned);
  expect(plan.complete).toEqual([planned[1], planned[2]]);
  expect(plan.missing).toEqual([planned[0], planned[3], planned[4]]);
});

test("another specification is refused with both hashes", () => {
  expect(() => planResume(runWith([]), "ffff", [])).toThrow(
    expect.objectContaining({
      code: "RESUME_MISMATCH",
      received: "specification ffff, the run has 00112233445566aa",
    }),
  );
});
