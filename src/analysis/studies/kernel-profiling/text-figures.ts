/** Study 002, ratios and differences that stand in its sentences. */
import type { RecomputedFigures } from "../recomputed-figures.ts";
import type { PrintedNumber } from "../printed-number.ts";
import { changePct, meanOf, spreadOf } from "../sample-figures.ts";
import type { Backend, KernelProfilingInputs, Model } from "./inputs.ts";
import { conditionOf, modelOf, pooled } from "./inputs.ts";

type Quantity = "tokS" | "wallMs" | "kernels" | "gpuTimeMs";

export function textFigures(book: RecomputedFigures, inputs: KernelProfilingInputs): void {
  const runs = (backend: Backend, model: Model, agents: 1 | 8, quantity: Quantity) =>
    conditionOf(inputs, backend, model, agents)[quantity];
  const ratio = (id: string, over: readonly PrintedNumber[], under: readonly PrintedNumber[]): void =>
    book.put(`text.${id}.value`, { over, under }, (values) => meanOf(values.over) / meanOf(values.under));
  const acrossModels = (id: string, quantity: Quantity, over: Model, under: Model): void =>
    ratio(id, runs("ollama", over, 1, quantity), runs("ollama", under, 1, quantity));
  acrossModels("model-ratio-tps", "tokS", "1b", "3b");
  acrossModels("layers-ratio", "kernels", "3b", "1b");
  acrossModels("gpu-ratio", "gpuTimeMs", "3b", "1b");
  ratio("params-ratio", [modelOf(inputs, "3b").paramsB], [modelOf(inputs, "1b").paramsB]);
  const { ollama, pytorch } = inputs.memoryTimeMs;
  const [small, large] = ollama.alonePerModel ?? [];
  if (small !== undefined && large !== undefined) ratio("memory-ratio", [large], [small]);
  ratio("memory-backends", [pytorch.alone], [ollama.alone]);

  const growth = (id: string, model: Model, quantity: Quantity): void =>
    ratio(id, runs("ollama", model, 8, quantity), runs("ollama", model, 1, quantity));
  growth("kernel-growth-1b", "1b", "kernels");
  growth("kernel-growth-3b", "3b", "kernels");
  growth("gpu-growth-1b", "1b", "gpuTimeMs");
  for (const backend of ["ollama", "pytorch"] as const)
    ratio(
      `kernel-growth-${backend}`,
      pooled(inputs, backend, 8, "kernels"),
      pooled(inputs, backend, 1, "kernels"),
    );
  for (const agents of [1, 8] as const)
    ratio(
      `kernel-gap-${agents}`,
      pooled(inputs, "pytorch", agents, "kernels"),
      pooled(inputs, "ollama", agents, "kernels"),
    );
  ratio("kernel-gap-1b", runs("pytorch", "1b", 1, "kernels"), runs("ollama", "1b", 1, "kernels"));
  // Repetition 0 of the 3B model completed no request and launched a quarter of the kernels.
  ratio("kernel-gap-3b", runs("pytorch", "3b", 1, "kernels").slice(1), runs("ollama", "3b", 1, "kernels"));
  ratio("gpu-gap-1b", runs("pytorch", "1b", 1, "gpuTimeMs"), runs("ollama", "1b", 1, "gpuTimeMs"));
  book.exactly("text.kernel-gap-least.value", leastKernelGap(inputs));
  book.put(
    "text.gpu-share.value",
    { gpu: runs("ollama", "1b", 1, "gpuTimeMs"), wall: runs("ollama", "1b", 1, "wallMs") },
    ({ gpu, wall }) => (meanOf(gpu) / meanOf(wall)) * 100,
  );
  differences(book, inputs);
}

function leastKernelGap(inputs: KernelProfilingInputs): number {
  const mean = (backend: Backend, model: Model, agents: 1 | 8): number =>
    meanOf(conditionOf(inputs, backend, model, agents).kernels.map((run) => run.value));
  const gaps = (["1b", "3b"] as const).flatMap((model) =>
    ([1, 8] as const).map((agents) => mean("pytorch", model, agents) / mean("ollama", model, agents)),
  );
  return Math.min(...gaps);
}

function differences(book: RecomputedFigures, inputs: KernelProfilingInputs): void {
  const rates = (backend: Backend, model: Model, agents: 1 | 8) =>
    conditionOf(inputs, backend, model, agents).tokS;
  for (const model of ["1b", "3b"] as const) {
    const samples = { alone: rates("ollama", model, 1), together: rates("ollama", model, 8) };
    book.put(`text.lost-${model}.value`, samples, ({ alone, together }) => meanOf(alone) - meanOf(together));
    for (const agents of [1, 8] as const)
      book.put(
        `text.width-${model}-${agents}.value`,
        { runs: rates("ollama", model, agents) },
        ({ runs }) => {
          const { low, high } = spreadOf(runs).ci95;
          return high - low;
        },
      );
  }
  for (const backend of ["ollama", "pytorch"] as const)
    book.put(
      `text.model-difference-${backend}.value`,
      {
        smallAlone: rates(backend, "1b", 1),
        small: rates(backend, "1b", 8),
        largeAlone: rates(backend, "3b", 1),
        large: rates(backend, "3b", 8),
      },
      ({ smallAlone, small, largeAlone, large }) =>
        changePct(meanOf(smallAlone), meanOf(small)) - changePct(meanOf(largeAlone), meanOf(large)),
    );
  calculated(book, inputs);
}

function calculated(book: RecomputedFigures, inputs: KernelProfilingInputs): void {
  const { settings, gpu, bytesPerParam, roundedTokS } = inputs;
  const demand = (backend: Backend, model: Model, when: "alone" | "together"): number => {
    const rate = roundedTokS[`${backend}-${model}`]?.[when].value ?? Number.NaN;
    return modelOf(inputs, model).paramsB.value * bytesPerParam[backend] * rate;
  };
  const share = (demand("ollama", "3b", "alone") / gpu.peakGbS) * 100;
  book.exactly("text.peak-share-1-ollama.value", share);
  const together = (["1b", "3b"] as const).map((model) => demand("pytorch", model, "together"));
  book.exactly("text.pytorch-demand-8.value", Math.max(...together) * settings.agentsTogether);
  const { serialFractionLow: low, serialFractionHigh: high } = inputs.amdahl;
  // Amdahl's law: N agents get 1 ÷ (s + (1 − s)/N) together, so each keeps 1 ÷ (N·s + 1 − s).
  const drop = (s: number): number => (1 - 1 / (settings.agentsTogether * s + 1 - s)) * 100;
  book.between("text.amdahl-drop.value", drop(low.value), drop(high.value));
}
