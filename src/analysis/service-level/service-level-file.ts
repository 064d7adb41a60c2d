/** Service levels as data: which figure of a run has to stay on which side of which limit. */
import { z } from "zod";

/** Raised when a field changes its meaning. */
export const SERVICE_LEVEL_FILE_VERSION = 1;

const text = z.string().trim().min(1);

/**
 * How a level is judged follows from what kind of figure it is. `sharing`: what several agents make
 * of each other; one agent has no such figure, or has it by definition.
 */
export const METRICS = {
  /** The published "speedup" and "efficiency", under their own names. */
  balanceIndex: { kind: "mean", unit: "×", name: "balance index (published speedup)", sharing: true },
  balancePct: { kind: "mean", unit: "%", name: "balance (published efficiency)", sharing: true },
  trueSpeedup: { kind: "mean", unit: "×", name: "true speedup", sharing: true },
  trueEfficiencyPct: { kind: "mean", unit: "%", name: "true efficiency", sharing: true },
  retention: { kind: "mean", unit: "", name: "share of solo speed kept", sharing: true },
  agentTokS: { kind: "mean", unit: "tok/s", name: "throughput of an agent" },
  aggregateTokS: { kind: "mean", unit: "tok/s", name: "aggregate throughput" },
  aggregateGain: { kind: "mean", unit: "×", name: "aggregate gain", sharing: true },
  fairness: { kind: "mean", unit: "", name: "fairness (Jain)", sharing: true },
  /** Over requests; the worst agent of the worst cell counts. */
  ttftMsP50: { kind: "percentile", unit: "ms", name: "TTFT p50", of: "ttftMs", q: 0.5 },
  ttftMsP95: { kind: "percentile", unit: "ms", name: "TTFT p95", of: "ttftMs", q: 0.95 },
  ttftMsP99: { kind: "percentile", unit: "ms", name: "TTFT p99", of: "ttftMs", q: 0.99 },
  latencyMsP95: { kind: "percentile", unit: "ms", name: "latency p95", of: "latencyMs", q: 0.95 },
  /** The largest distance between the first two agents in any trial, whichever is ahead. */
  ttftDeltaMs: { kind: "worst", unit: "ms", name: "TTFT delta of a trial", sharing: true },
  contentionPct: { kind: "rate", unit: "%", name: "contended trials", sharing: true },
  errorPct: { kind: "rate", unit: "%", name: "failed requests" },
  timeoutPct: { kind: "rate", unit: "%", name: "timed-out requests" },
  costPerThousand: { kind: "cost", unit: "", name: "cost per thousand executions" },
  costPerMillion: { kind: "cost", unit: "", name: "cost per million executions" },
  costPctOfBaseline: { kind: "cost", unit: "%", name: "cost against the baseline" },
} as const;
export type MetricName = keyof typeof METRICS;

const limit = z.number().exactOptional();

const target = z
  .strictObject({
    metric: z.enum(Object.keys(METRICS) as [MetricName, ...MetricName[]]),
    atLeast: limit,
    atMost: limit,
    above: limit,
    below: limit,
    /** `rollback`: what to undo a change at. `alert`: what to tell someone. All three fail the run. */
    kind: z.enum(["target", "alert", "rollback"]).default("target"),
    /**
     * `interval`: met or missed only where the 95 % interval lies on one side. `observed`: by the
     * figure as it came out, which for few trials is chance as well.
     */
    judge: z.enum(["interval", "observed"]).default("interval"),
    /** Of the cost file; for costs. */
    option: text.exactOptional(),
  })
  .refine(
    ({ atLeast, atMost, above, below }) =>
      [atLeast, atMost, above, below].filter((one) => one !== undefined).length === 1,
    "needs exactly one of atLeast, atMost, above and below",
  )
  .refine(({ metric, option }) => (METRICS[metric].kind === "cost") === (option !== undefined), {
    message: "a cost needs the option it is the cost of, and nothing else has one",
    path: ["option"],
  });
export type Target = z.output<typeof target>;

export const serviceLevelFileSchema = z.strictObject({
  version: z.literal(SERVICE_LEVEL_FILE_VERSION),
  title: text,
  targets: z.array(target).min(1),
  /** Promises that a run cannot show, such as availability over a year. */
  notJudged: z.array(z.strictObject({ promise: text, why: text })).default([]),
});
export type ServiceLevelFile = z.output<typeof serviceLevelFileSchema>;
