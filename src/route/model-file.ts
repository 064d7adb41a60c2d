/**
 * Models to choose from, as an operator writes them down: what each takes in memory, how fast it
 * is, what it costs, and how good it is believed to be at each type of work before anything is graded.
 */
import { z } from "zod";
import { MAX_TOKENS } from "../core/limits.ts";
import type { Difficulty } from "../workload/task-graph.ts";
import { nameSchema } from "../workload/scenario.ts";

/** Models of one file. The planner is measured with 20; a machine with more than this has shelves, not slots. */
const MAX_ROUTED_MODELS = 64;

/** Imaginary answers that a prior is worth: more than this, and no grading would ever move it. */
const MAX_PRIOR_ANSWERS = 1_000_000;

/** A petabyte: larger than any memory, small enough for sums to stay exact. */
const MAX_MEMORY_MIB = 2 ** 30;

/** `alpha` right and `beta` wrong answers, imagined before any is seen; the mean is alpha ÷ (alpha + beta). */
export const betaSchema = z.strictObject({
  alpha: z.number().gt(0).max(MAX_PRIOR_ANSWERS),
  beta: z.number().gt(0).max(MAX_PRIOR_ANSWERS),
});

const qualitySchema = z.union([
  betaSchema,
  z.strictObject({
    easy: betaSchema.optional(),
    medium: betaSchema.optional(),
    hard: betaSchema.optional(),
  }),
]);

const perSecond = z.number().gt(0).max(1e9);

export const routedModelSchema = z.strictObject({
  name: z.string().min(1).max(200),
  /** Resident: weights, key-value cache and buffers together. */
  memoryMib: z.number().gt(0).max(MAX_MEMORY_MIB),
  loadS: z.number().min(0).max(86_400).optional(),
  prefillTokensPerS: perSecond.optional(),
  decodeTokensPerS: perSecond.optional(),
  contextTokens: z.int().min(1).max(MAX_TOKENS).optional(),
  /** Of 1,000 tokens, in whatever unit: a plan compares costs after dividing by the largest of its job. */
  tokenPrice: z.strictObject({ prompt: z.number().min(0), output: z.number().min(0) }).optional(),
  /** What a load of this model counts as; 1 makes the sum of them the number of switches. */
  switchCost: z.number().min(0).max(1000).default(1),
  /** By type of task, and by difficulty where that matters. The model is not given what has no entry. */
  quality: z.record(nameSchema, qualitySchema),
  /** How it is served, for whoever carries a plan out. */
  engine: nameSchema.optional(),
  preset: nameSchema.optional(),
});
export type RoutedModel = z.output<typeof routedModelSchema>;

export const modelFileSchema = z
  .strictObject({
    /** What all resident models together may take. */
    vramMib: z.number().gt(0).max(MAX_MEMORY_MIB).optional(),
    models: z.array(routedModelSchema).min(1).max(MAX_ROUTED_MODELS),
  })
  .superRefine(({ models }, context) => {
    const names = models.map(({ name }) => name);
    const repeated = names.find((name, place) => names.indexOf(name) < place);
    if (repeated !== undefined)
      context.addIssue({
        code: "custom",
        path: ["models"],
        input: repeated,
        message: "names each model once",
      });
  });

export interface Beta {
  readonly alpha: number;
  readonly beta: number;
}

/** What is believed of a model's work of this type before any answer is graded; nothing, where the file says nothing. */
export function priorOf(model: RoutedModel, type: string, difficulty: Difficulty): Beta | undefined {
  const quality = Object.hasOwn(model.quality, type) ? model.quality[type] : undefined;
  if (quality === undefined) return undefined;
  return "alpha" in quality ? quality : quality[difficulty];
}
