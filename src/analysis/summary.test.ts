import { describe, expect, it } from "vitest";
import type { MadeTrial } from "../../test/fakes/recorded-run.ts";
import { madeRun, steadyRequest } from "../../test/fakes/recorded-run.ts";
import { summarySchema } from "../record/summary-record.ts";
import { analyseRun } from "./analyse-run.ts";
import { toSummary } from "./summary.ts";

const alone = [steadyRequest(210, 100)];
const trials = [42, 35].flatMap((tokS, repeat) => [
  {
    kind: "solo" as const,
    repeat,
    agents: { collector: alone },
    record: { soloFor: ["collector", "insight"] },
  },
  {
    kind: "together" as const,
    repeat,
    agents: { collector: [steadyRequest(210, 42)], insight: [steadyRequest(210, tokS)] },
    record: { parameters: { num_gpu: 60 } },
  },
]);

describe("summary.json", () => {
  const summary = toSummary(analyseRun(madeRun(trials)));

  it("obeys its schema, with nothing that the schema does not know", () => {
    expect(summarySchema.parse(JSON.parse(JSON.stringify(summary)))).toEqual(summary);
  });

  it("has the study's names: speedup, efficiency, deltas and averages", () => {
    const [configuration] = summary.configurations;
    expect(configuration).toMatchObject({ test: "made", parameters: { num_gpu: 60 }, contention_runs: 0 });
    // First run: both take 5 s. Second: 5 s and 6 s, (5 + 6) ÷ 6.
    expect(configuration?.runs.map((run) => run.concurrency_speedup)).toEqual([
      expect.closeTo(2, 9),
      expect.closeTo(11 / 6, 9),
    ]);
    expect(configuration?.runs[1]).toMatchObject({
      run: 2,
      efficiency_percent: expect.closeTo(1100 / 12, 9),
      throughput_delta: expect.closeTo(7, 9),
      resource_contention_detected: false,
      // 2 × 210 ÷ 100 s of work alone in 6 s.
      true_speedup: expect.closeTo(0.7, 9),
      aggregate_gain: expect.closeTo(0.7, 9),
    });
    expect(configuration?.average_efficiency).toBeCloseTo((100 + 1100 / 12) / 2, 9);
    expect(configuration?.peak_efficiency_percent).toBeCloseTo(100, 9);
    expect(summary.overall).toMatchObject({ configurations: 1, runs: 2, efficiency_percent: { n: 2 } });
  });

  it("gives no averages over configurations of different numbers of agents", () => {
    const third = { ...trials[1], cell: "three", agents: { a: alone, b: alone, c: alone } } as MadeTrial;
    const { overall } = toSummary(analyseRun(madeRun([...trials, third])));
    expect(overall).toEqual({ configurations: 2, runs: 3, contention_runs: 0 });
  });

  it("leaves out what is not known: no solo trials, no true speedup, no contention", () => {
    const bare = toSummary(analyseRun(madeRun(trials.filter((trial) => trial.kind === "together"))));
    const run = bare.configurations[0]?.runs[0] ?? {};
    expect(Object.keys(run)).not.toContain("true_speedup");
    expect(Object.keys(run)).not.toContain("resource_contention_detected");
    expect(Object.keys(bare.overall)).not.toContain("contention_runs");
  });
});
