/** What study 001 published by configuration, overall and as costs. */
import { z } from "zod";
import { assert } from "../../../core/assert.ts";
import { printedNumber } from "../printed-number.ts";

export const SCENARIOS = ["baseline_vs_chimera", "chimera_hetero", "chimera_homo"] as const;
export type Scenario = (typeof SCENARIOS)[number];
export const SCENARIO_NAMES: Readonly<Record<Scenario, string>> = {
  baseline_vs_chimera: "baseline vs chimera",
  chimera_hetero: "chimera hetero",
  chimera_homo: "chimera homo",
};

const perScenario = <Schema extends z.ZodType>(schema: Schema) =>
  z.strictObject({ baseline_vs_chimera: schema, chimera_hetero: schema, chimera_homo: schema });

const configuration = z.strictObject({
  test: z.string(),
  scenario: z.enum(SCENARIOS),
  /** Of the agents whose settings were chosen; the baseline agent keeps the engine's own. */
  numGpu: z.array(z.int()),
  numCtx: z.array(z.int()),
  temperature: z.number().exactOptional(),
  averageSpeedup: printedNumber.exactOptional(),
  averageEfficiencyPct: printedNumber,
  peakEfficiencyPct: printedNumber,
  contentionRuns: z.int().exactOptional(),
});
export type Configuration = z.output<typeof configuration>;

const solo = z.strictObject({
  tokS: printedNumber,
  ttftMs: printedNumber,
  memoryMb: printedNumber,
  startupS: printedNumber,
});

const option = z.strictObject({
  monthly: z.array(z.strictObject({ count: z.int(), usd: z.number() })),
  devUsd: z.array(z.number()),
  yearlyUsd: z.array(z.number()),
});
export type CostOption = z.output<typeof option>;

const distribution = z.strictObject({
  min: printedNumber,
  max: printedNumber,
  mean: printedNumber,
  median: printedNumber,
  sd: printedNumber,
});
export type Distribution = z.output<typeof distribution>;

const span = z.tuple([z.number(), z.number()]);

export const dualInstanceInputs = z.strictObject({
  runsPerConfiguration: z.int(),
  configurationsPerScenario: perScenario(z.int()),
  homoGrid: z.strictObject({
    numGpu: z.array(z.int()),
    numCtx: z.array(z.int()),
    temperature: z.array(z.number()),
  }),
  layersOfModel: z.strictObject({ about: z.int(), note: z.string() }),
  configurations: z.array(configuration),
  otherPeaks: z.array(
    z.strictObject({ test: z.string(), scenario: z.enum(SCENARIOS), efficiencyPct: printedNumber }),
  ),
  homoMeanAllPct: printedNumber,
  withinConfigurationSdPoints: perScenario(printedNumber),
  overall: z.strictObject({
    speedup: z.strictObject({
      min: printedNumber,
      max: printedNumber,
      mean: printedNumber,
      median: printedNumber,
      sd: printedNumber,
      p5: printedNumber,
      p25: printedNumber,
      p75: printedNumber,
      p95: printedNumber,
    }),
    efficiencyPct: distribution,
    /** First agent less second. */
    throughputDeltaTokS: distribution,
    ttftDeltaMs: distribution,
  }),
  python: z.strictObject({
    meanPct: printedNumber,
    medianPct: printedNumber,
    sdPoints: printedNumber,
    cvPct: printedNumber,
    p95Pct: printedNumber,
    peakConfigurationPct: printedNumber,
    best: perScenario(printedNumber),
    contentionPct: z.tuple([printedNumber, printedNumber]),
  }),
  rustP95Pct: printedNumber,
  rustCvPct: printedNumber,
  singleServer: z.strictObject({
    firstPeakPct: printedNumber,
    dualFirstVersionPeakPct: printedNumber,
    contentionPct: printedNumber,
  }),
  solo: z.strictObject({ rust: solo, python: solo }),
  togetherTokS: z.strictObject({
    rust: perScenario(z.array(printedNumber)),
    python: perScenario(z.array(printedNumber)),
  }),
  togetherTokSRounded: printedNumber,
  overheadMs: z.strictObject({ workStealing: span, httpClient: span, coordination: span, memorySync: span }),
  inferenceS: span,
  cost: z.strictObject({
    years: z.int(),
    executionsPerMonth: z.int(),
    python: option,
    rust: option,
    hybrid: option,
  }),
  contentionThresholdMs: z.number(),
  serviceLevels: z.strictObject({
    latencyP95S: z.number(),
    costShareOfPythonPctBelow: z.number(),
    speedupAtLeast: z.number(),
    efficiencyPctAtLeast: z.number(),
    agentTokSAtLeast: z.number(),
    contentionPctAtMost: z.number(),
    errorPctAtMost: z.number(),
    timeoutPctAtMost: z.number(),
    availabilityPct: z.number(),
    ttftDeltaAlertMs: z.number(),
    /** For a million executions a month. */
    costUsdPerMonthAtMost: z.number(),
  }),
  rollback: z.strictObject({
    efficiencyPctBelow: z.number(),
    efficiencyBelowForHours: z.number(),
    contentionPctAbove: z.number(),
    errorPctAbove: z.number(),
    costPctOfBaselineAbove: z.number(),
  }),
});
export type DualInstanceInputs = z.output<typeof dualInstanceInputs>;

/** Agents of every scenario; efficiency is the speedup's share of this. */
export const AGENTS = 2;

export function configurationsOf(
  { configurations }: DualInstanceInputs,
  scenario: Scenario,
  published: "with-speedup" | "all" = "with-speedup",
): readonly Configuration[] {
  return configurations.filter(
    (one) => one.scenario === scenario && (published === "all" || one.averageSpeedup !== undefined),
  );
}

export function contendedRuns(configurations: readonly Configuration[]): number {
  return configurations.reduce((sum, one) => sum + (one.contentionRuns ?? 0), 0);
}

/** Of all parts of the coordination together, least and most. */
export function overheadSumMs({ overheadMs }: DualInstanceInputs): readonly [number, number] {
  const parts = Object.values(overheadMs);
  return [parts.reduce((sum, [least]) => sum + least, 0), parts.reduce((sum, [, most]) => sum + most, 0)];
}

export function configurationNamed({ configurations }: DualInstanceInputs, test: string): Configuration {
  const found = configurations.find((one) => one.test === test);
  assert(found !== undefined, `no configuration ${test}`);
  return found;
}
