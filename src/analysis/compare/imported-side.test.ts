import { expect, test } from "vitest";
import { madeRun } from "../../../test/fakes/recorded-run.ts";
import type { SummaryRecord, SummaryRun } from "../../record/summary-record.ts";
import { SUMMARY_VERSION } from "../../record/summary-record.ts";
import { compareRuns } from "./compare-runs.ts";
import { importedSide } from "./imported-side.ts";
import type { Side } from "./side.ts";

function side(name: string, ofRun: Partial<SummaryRun>): Side {
  const runs = [1.8, 1.82, 1.79].map(
    (speedup, index): SummaryRun => ({
      run: index + 1,
      concurrency_speedup: speedup,
      efficiency_percent: speedup * 50,
      agents: [],
      ...ofRun,
    }),
  );
  const summary: SummaryRecord = {
    version: SUMMARY_VERSION,
    run_id: name,
    scenario: "imported",
    simulated: false,
    imported: true,
    configurations: [{ test: "test_1", scenario: "imported", parameters: {}, runs }],
    overall: { configurations: 1, runs: 3 },
  };
  return importedSide(name, madeRun([], { runId: name, imported: { files: [] } }).manifest, summary);
}

test("failures of imported runs count where their requests do", () => {
  const agent = { agent: "x", requests: 8 };
  const [pair] = compareRuns(
    side("a", { agents: [agent], failures: 0 }),
    side("b", { agents: [agent], failures: 2 }),
    {
      metrics: ["balanceIndex"],
    },
  ).pairs;
  // Two of ten in each of three trials, against none of eight: one of C(6, 3) = 20 ways.
  expect(pair?.failures).toMatchObject({
    a: { failed: 0, requests: 24 },
    b: { failed: 6, requests: 30 },
    p: 1 / 20,
  });
  const [unknown] = compareRuns(side("a", {}), side("b", { failures: 2 }), {
    metrics: ["balanceIndex"],
  }).pairs;
  expect(unknown?.failures).toBeUndefined();
});
