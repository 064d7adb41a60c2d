/** What study 002 published per run, and how it was set up. */
import { z } from "zod";
import { assert } from "../../../core/assert.ts";
import { namedEntry } from "../named-entry.ts";
import type { PrintedNumber } from "../printed-number.ts";
import { printedNumber } from "../printed-number.ts";

export const BACKENDS = ["ollama", "pytorch"] as const;
export const MODELS = ["1b", "3b"] as const;
export type Backend = (typeof BACKENDS)[number];
export type Model = (typeof MODELS)[number];
export const BACKEND_NAMES: Readonly<Record<Backend, string>> = { ollama: "Ollama", pytorch: "PyTorch" };

const perBackend = <Schema extends z.ZodType>(schema: Schema) =>
  z.strictObject({ ollama: schema, pytorch: schema });

const condition = z.strictObject({
  id: z.string(),
  backend: z.enum(BACKENDS),
  model: z.enum(MODELS),
  agents: z.union([z.literal(1), z.literal(8)]),
  /** Mean of the requests' rates, one value per repetition that completed a request. */
  tokS: z.array(printedNumber),
  /** Mean wall time of a request. */
  wallMs: z.array(printedNumber),
  /** Totals of one profile, repetitions without a request included. */
  kernels: z.array(printedNumber),
  gpuTimeMs: z.array(printedNumber),
});
export type Condition = z.output<typeof condition>;

const memoryTime = z.strictObject({
  alone: printedNumber,
  together: printedNumber,
  alonePerModel: z.array(printedNumber).exactOptional(),
  runsPerModel: z.int(),
  cohensD: printedNumber,
});

export const kernelProfilingInputs = z.strictObject({
  gpu: z.strictObject({ name: z.string(), peakGbS: z.number() }),
  settings: z.strictObject({
    agentsTogether: z.int(),
    requestsPerAgentAlone: z.int(),
    requestsPerAgentTogether: z.int(),
    warmUpRequests: z.int(),
    maxNewTokens: z.int(),
    seed: z.int(),
    promptTokens: z.tuple([z.int(), z.int()]),
    coolDownS: z.number(),
    repetitions: z.int(),
    validation: z.strictObject({ requests: z.int(), profileS: z.number() }),
    ncuKernelLaunches: z.int(),
    profileAloneS: perBackend(z.number()),
    profileTogetherS: perBackend(z.number()),
  }),
  models: z.array(z.strictObject({ id: z.enum(MODELS), paramsB: printedNumber, layers: z.int() })),
  bytesPerParam: perBackend(z.number()),
  conditions: z.array(condition),
  /** In every run whose trace could be read. */
  mostConcurrentKernels: z.int(),
  memoryTimeMs: perBackend(memoryTime),
  holm: z.strictObject({
    alpha: z.number(),
    tests: z.array(z.strictObject({ id: z.string(), p: printedNumber.exactOptional() })),
  }),
  amdahl: z.strictObject({
    serialFractionLow: printedNumber,
    serialFractionHigh: printedNumber,
    dropPct: printedNumber,
    retainedLowPct: printedNumber,
    retainedHighPct: printedNumber,
  }),
  /** Whole rates that its bandwidth table starts from. */
  roundedTokS: z.record(z.string(), z.strictObject({ alone: printedNumber, together: printedNumber })),
});
export type KernelProfilingInputs = z.output<typeof kernelProfilingInputs>;

export function conditionOf(
  inputs: KernelProfilingInputs,
  backend: Backend,
  model: Model,
  agents: 1 | 8,
): Condition {
  const found = inputs.conditions.find(
    (one) => one.backend === backend && one.model === model && one.agents === agents,
  );
  assert(found !== undefined, `no condition ${backend} ${model} ${agents}`);
  return found;
}

/** Both models' values in one list, as the study pools them. */
export function pooled(
  inputs: KernelProfilingInputs,
  backend: Backend,
  agents: 1 | 8,
  quantity: "tokS" | "wallMs" | "kernels" | "gpuTimeMs",
): readonly PrintedNumber[] {
  return MODELS.flatMap((model) => conditionOf(inputs, backend, model, agents)[quantity]);
}

export function modelOf(
  inputs: KernelProfilingInputs,
  model: Model,
): KernelProfilingInputs["models"][number] {
  return namedEntry(inputs.models, model);
}
