/**
 * What calibration found, as one JSON document: for one machine, model and engine. Constants with
 * their provenance, how far they reach, and how wrong they were about what they had not seen.
 */
import { z } from "zod";
import { OperatorError } from "../../core/errors.ts";
import { KERNEL_PARAMETERS } from "./kernel-parameters.ts";

export const CALIBRATION_VERSION = 1;

const positive = z.number().gt(0);
const notNegative = z.number().min(0);
const count = z.int().min(0);

const keySchema = z.strictObject({ machine: z.string(), model: z.string(), engine: z.string() });

const kernelsSchema = z.strictObject({
  name: z.string(),
  weights: positive,
  kv: positive,
  compute: positive,
  attention: positive,
  stepOverheadNs: notNegative,
  sequenceNs: notNegative.exactOptional(),
  batchedNs: notNegative.exactOptional(),
  mixed: positive.exactOptional(),
  allocatedNsPerToken: notNegative.exactOptional(),
});

const originSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("fitted"), standardErrorPct: notNegative.exactOptional() }),
  z.strictObject({ kind: z.literal("prior"), prior: z.string(), reason: z.string() }),
]);

const heldOutSchema = z.strictObject({
  group: z.string(),
  /** `false`: without this group the others did not reach so far, so that this is an extrapolation. */
  within: z.boolean(),
  observations: count,
  observedMs: notNegative,
  predictedMs: notNegative,
  /** Of the sums. */
  errorPct: z.number(),
  /** Mean over requests. */
  absoluteErrorPct: notNegative,
});

const leaveOneOutSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("done"),
    by: z.enum(["cell", "trial"]),
    groups: z.array(heldOutSchema).readonly(),
  }),
  z.strictObject({ kind: z.literal("too-few"), needed: count }),
]);

const calibrationSchema = z.strictObject({
  version: z.literal(CALIBRATION_VERSION),
  key: keySchema,
  kernels: kernelsSchema,
  origins: z.strictObject(
    Object.fromEntries(KERNEL_PARAMETERS.map((parameter) => [parameter, originSchema])) as Record<
      (typeof KERNEL_PARAMETERS)[number],
      typeof originSchema
    >,
  ),
  range: z.strictObject({ sequences: count, contextTokens: count, totalContextTokens: count }),
  leaveOneOut: leaveOneOutSchema,
  observations: z.strictObject({ prompts: count, answers: count }),
  /** Phases of requests that were not used, by reason. */
  leftOut: z.record(z.string(), count),
  runs: z.array(z.string()).readonly(),
  simulated: z.boolean(),
});

export type Calibration = z.output<typeof calibrationSchema>;
export type CalibrationKey = z.output<typeof keySchema>;
export type LeaveOneOut = z.output<typeof leaveOneOutSchema>;
export type HeldOut = z.output<typeof heldOutSchema>;

/** Throws CALIBRATION_INVALID for anything that is no calibration of this version. */
export function parseCalibration(value: unknown, source: string): Calibration {
  const result = calibrationSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new OperatorError("CALIBRATION_INVALID", {
    message: `${source} is no calibration that this version reads`,
    received: `field ${issue?.path.join(".") || "(top level)"}: ${issue?.message ?? "not understood"}`,
    nextStep: "calibrate again from the run directories; they hold everything that it was made from",
  });
}

export function keyName({ machine, model, engine }: CalibrationKey): string {
  return `${machine} · ${model} · ${engine}`;
}
