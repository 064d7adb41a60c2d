/** Hypotheses as data: what is claimed, which figures speak to it, and which of their values decide it how. */
import { z } from "zod";

/** Raised when a field changes its meaning. */
export const HYPOTHESIS_FILE_VERSION = 1;

/**
 * `reattributed`: the effect is there and its cause is another one. `overturned`: an earlier
 * conclusion does not hold. `negligible`: an effect was bounded and is too small to matter.
 */
export const VERDICTS = [
  "confirmed",
  "partially",
  "rejected",
  "reattributed",
  "overturned",
  "negligible",
  "unknown",
] as const;
export type Verdict = (typeof VERDICTS)[number];

const text = z.string().trim().min(1);

/** One side of a measurement. Several names are pooled, which the verdict then names as a threat. */
const side = z.union([
  text,
  z.strictObject({
    figure: z.union([text, z.array(text).min(2)]),
    /** Multiplies every value, such as bytes per token × agents. */
    times: z.number().exactOptional(),
    /** What the factor is. */
    why: text,
  }),
  /** A number that is not in the data, with where it comes from. */
  z.strictObject({ number: z.number(), why: text }),
]);
export type Side = z.output<typeof side>;

const measured = z.strictObject({
  id: text,
  what: text,
  unit: z.string().default(""),
  numerator: side,
  denominator: side.exactOptional(),
  /** percent: numerator ÷ denominator × 100. percentChange: that − 100. */
  as: z.enum(["value", "ratio", "percent", "percentChange", "difference"]).default("value"),
  /** Whether chance explains the difference of the two sides; joins the family that Holm corrects. */
  test: z.enum(["none", "welch", "mannWhitney"]).default("none"),
});

const notMeasured = z.strictObject({ id: text, what: text, notMeasured: text });

const measure = z.union([measured, notMeasured]).check((context) => {
  const value = context.value;
  if ("notMeasured" in value) return;
  const needsTwo = value.as !== "value" || value.test !== "none";
  if (needsTwo === (value.denominator !== undefined)) return;
  context.issues.push({
    code: "custom",
    input: value,
    message: needsTwo ? "needs a denominator" : "has a denominator and does not say `as` what",
  });
});
export type Measure = z.output<typeof measure>;

const bounds = {
  above: z.number().exactOptional(),
  atLeast: z.number().exactOptional(),
  below: z.number().exactOptional(),
  atMost: z.number().exactOptional(),
};

const condition = z
  .strictObject({
    measure: text,
    ...bounds,
    /** After Holm's correction over all tests of the file. */
    significant: z.boolean().exactOptional(),
    /** Overrides the rule's own. */
    by: z.enum(["point", "interval"]).exactOptional(),
  })
  .refine(
    ({ above, atLeast, below, atMost, significant }) =>
      [above, atLeast, below, atMost, significant].some((bound) => bound !== undefined),
    "needs above, atLeast, below, atMost or significant",
  );
export type Condition = z.output<typeof condition>;

const rule = z.strictObject({
  words: text,
  /** `interval`: a bound holds where the whole interval lies on its side, and fails where none of it does. */
  by: z.enum(["point", "interval"]).default("interval"),
  /** The first entry whose conditions all hold decides. */
  decide: z.array(
    z.strictObject({ when: z.array(condition).min(1), verdict: z.enum(VERDICTS), say: text.exactOptional() }),
  ),
  otherwise: z
    .strictObject({ verdict: z.enum(VERDICTS), say: text.exactOptional() })
    .default({ verdict: "unknown" }),
});
export type Rule = z.output<typeof rule>;

const hypothesis = z
  .strictObject({
    id: text,
    kind: z.enum(["hypothesis", "claim", "attribution"]).default("hypothesis"),
    statement: text,
    scope: text,
    measures: z.array(measure).min(1),
    published: z
      .strictObject({ verdict: z.enum(VERDICTS), words: text, confidence: text.exactOptional() })
      .exactOptional(),
    /** The rule that the study set itself, applied to its own figures. */
    studyRule: rule.exactOptional(),
    rule,
    threats: z.array(text).default([]),
    wouldSettle: text,
  })
  .check((context) => {
    const known = new Set(context.value.measures.map((one) => one.id));
    for (const one of [context.value.rule, context.value.studyRule])
      for (const entry of one?.decide ?? [])
        for (const { measure: id } of entry.when)
          if (!known.has(id))
            context.issues.push({
              code: "custom",
              input: id,
              path: ["rule", "decide"],
              message: `${id} is none of the measures of ${context.value.id}`,
            });
  });
export type Hypothesis = z.output<typeof hypothesis>;

export const hypothesisFileSchema = z.strictObject({
  version: z.literal(HYPOTHESIS_FILE_VERSION),
  title: text,
  /** A shipped study whose inputs the figures are; absent: the run that the report is about. */
  study: text.exactOptional(),
  /** Of every interval; 1 − confidence is what Holm bounds over the family. */
  confidence: z.number().gt(0.5).lt(1).default(0.95),
  hypotheses: z.array(hypothesis).min(1),
});
export type HypothesisFile = z.output<typeof hypothesisFileSchema>;
