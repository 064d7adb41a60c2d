/** Study 002, figures that are calculated and not measured: bandwidth, power and Holm's thresholds. */
import { holm } from "../../../stats/holm.ts";
import { detectableEffect } from "../../../stats/power.ts";
import type { RecomputedFigures } from "../recomputed-figures.ts";
import { asGiven } from "../printed-number.ts";
import type { KernelProfilingInputs } from "./inputs.ts";
import { BACKENDS, modelOf } from "./inputs.ts";

/** Weights read once per token: bytes per token × tokens per second, in GB/s since parameters are in billions. */
export function bandwidthFigures(book: RecomputedFigures, inputs: KernelProfilingInputs): void {
  const { agentsTogether } = inputs.settings;
  const percentOfPeak = 100 / inputs.gpu.peakGbS;
  const excess: number[] = [];
  for (const backend of BACKENDS)
    for (const { id: model, paramsB } of inputs.models) {
      const rates = inputs.roundedTokS[`${backend}-${model}`];
      if (rates === undefined) continue;
      const bytes = inputs.bytesPerParam[backend];
      const id = `bandwidth.${backend}-${model}`;
      const demand = (rate: number, agents: number): number => paramsB.value * bytes * rate * agents;
      const put = (column: string, rate: typeof paramsB, agents: number): void => {
        book.from(`${id}.gb${column}`, [asGiven(rate)], (value = 0) => demand(value, agents));
        book.from(
          `${id}.pct${column}`,
          [asGiven(rate)],
          (value = 0) => demand(value, agents) * percentOfPeak,
        );
      };
      put("1", rates.alone, 1);
      put("8u", rates.alone, agentsTogether);
      put("8", rates.together, agentsTogether);
      excess.push(demand(rates.alone.value, agentsTogether) * percentOfPeak - 100);
    }
  // Backends come first, so the 1B model's two stand at 0 and 2.
  book.exactly("excess.all.low", Math.min(...excess));
  book.exactly("excess.all.high", Math.max(...excess));
  book.exactly("excess.abstract.low", excess[0] as number);
  book.exactly("excess.abstract.high", excess[2] as number);
}

/** What vLLM was said to gain in throughput at N = 8, which the study sets against the saved reads. */
const QUOTED_BATCHING_GAIN = 2.25;

export function batchingFigures(book: RecomputedFigures, inputs: KernelProfilingInputs): void {
  const { agentsTogether, maxNewTokens } = inputs.settings;
  const weightsGb = modelOf(inputs, "1b").paramsB.value * inputs.bytesPerParam.ollama;
  const passes = agentsTogether * maxNewTokens;
  book.exactly("batching.1b.passes", passes);
  book.exactly("batching.1b.gb", passes * weightsGb);
  book.exactly("batching.1b.batched", maxNewTokens * weightsGb);
  book.exactly("batching.1b.ratio", agentsTogether);
  book.exactly("batching.1b.rest", agentsTogether / QUOTED_BATCHING_GAIN);
}

export const GROUP_SIZES = [6, 5, 3, 2] as const;

/** d_min = t_crit(α/2, 2n − 2) · √(2/n), the study's own formula: the d from which on p < 0.05. */
export function powerFigures(book: RecomputedFigures): void {
  for (const n of GROUP_SIZES) {
    const effect = detectableEffect(n);
    if (effect.kind === "known") book.exactly(`power.${n}.d`, effect.criticalD);
  }
}

/** The six thresholds as the study declares its family, whether or not a test of it is defined. */
export function holmFigures(
  book: RecomputedFigures,
  { holm: { alpha, tests } }: KernelProfilingInputs,
): void {
  const allDefined = holm(
    tests.map(() => 1),
    alpha,
  );
  for (const [index, result] of allDefined.entries())
    if (result.kind === "adjusted") book.exactly(`holm.${index + 1}.threshold`, result.threshold);
}
