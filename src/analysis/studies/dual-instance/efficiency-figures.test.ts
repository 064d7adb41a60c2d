import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { spreadOf } from "../sample-figures.ts";
import { combinedMean, mostSdPoints } from "./efficiency-figures.ts";

const exact = (value: number) => ({ text: String(value), value, halfUnit: 0 });

const configuration = (mean: number, peak: number) => ({
  test: "t",
  scenario: "chimera_hetero" as const,
  numGpu: [60],
  numCtx: [512],
  averageEfficiencyPct: exact(mean),
  peakEfficiencyPct: exact(peak),
});

describe("the largest deviation that a mean and a best run allow", () => {
  it("is reached when one run carries the whole distance", () => {
    // Four runs of 100 and one of 95: mean 99, sd = √5 · 1.
    expect(spreadOf([100, 100, 100, 100, 95]).sd).toBeCloseTo(Math.sqrt(5), 12);
    expect(mostSdPoints(configuration(99, 100), 5)).toBeCloseTo(Math.sqrt(5), 12);
  });

  it("is exceeded by no runs", () => {
    const run = fc.integer({ min: 5000, max: 9999 }).map((hundredths) => hundredths / 100);
    fc.assert(
      fc.property(fc.array(run, { minLength: 5, maxLength: 5 }), (runs) => {
        fc.pre(new Set(runs).size > 1);
        const mean = runs.reduce((sum, one) => sum + one, 0) / runs.length;
        const most = mostSdPoints(configuration(mean, Math.max(...runs)), runs.length);
        expect(spreadOf(runs).sd).toBeLessThanOrEqual(most + 1e-9);
      }),
    );
  });
});

describe("the mean over all runs", () => {
  it("weighs scenarios by their configurations", () => {
    const counts = { baseline_vs_chimera: 7, chimera_hetero: 7, chimera_homo: 13 };
    // (7·97.37057 + 7·98.79229 + 13·98.40) ÷ 27.
    expect(combinedMean(counts, 681.594 / 7, 691.546 / 7, 98.4)).toBeCloseTo(2652.34 / 27, 10);
  });
});
