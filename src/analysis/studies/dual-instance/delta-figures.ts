/** Study 001: differences between the two agents, of which only five figures over all runs are printed. */
import type { RecomputedFigures } from "../recomputed-figures.ts";
import type { Distribution, DualInstanceInputs } from "./inputs.ts";
import { contendedRuns, SCENARIOS } from "./inputs.ts";

export function runCount({ configurationsPerScenario, runsPerConfiguration }: DualInstanceInputs): number {
  const configurations = SCENARIOS.reduce((sum, scenario) => sum + configurationsPerScenario[scenario], 0);
  return configurations * runsPerConfiguration;
}

export function deltaFigures(book: RecomputedFigures, inputs: DualInstanceInputs): void {
  const runs = runCount(inputs);
  book.exactly("totals.configurations.value", runs / inputs.runsPerConfiguration);
  book.exactly("totals.runs.value", runs);
  book.exactly("totals.contention.value", contendedRuns(inputs.configurations));
  boundedFigures(book, "deltas.throughput", inputs.overall.throughputDeltaTokS, runs);
  boundedFigures(book, "deltas.ttft", inputs.overall.ttftDeltaMs, runs);
}

/**
 * What each of five figures of n values leaves the others. An extreme lies within (n − 1) ÷ √n sample
 * deviations of the mean (P. A. Samuelson, "How deviant can you be?", Journal of the American Statistical
 * Association 63, 1968), the median within one. The sample variance is at least range² ÷ (2(n − 1))
 * (J. v. Szőkefalvi-Nagy, 1918) and at most (most − mean)(mean − least) · n ÷ (n − 1) (R. Bhatia and C. Davis,
 * "A better bound on the variance", The American Mathematical Monthly 107, 2000).
 */
function boundedFigures(book: RecomputedFigures, id: string, figures: Distribution, n: number): void {
  const [min, max, mean, median, sd] = [
    figures.min.value,
    figures.max.value,
    figures.mean.value,
    figures.median.value,
    figures.sd.value,
  ];
  const reach = (sd * (n - 1)) / Math.sqrt(n);
  book.between(`${id}.min`, mean - reach, median);
  book.between(`${id}.max`, median, mean + reach);
  book.between(`${id}.mean`, median - sd, median + sd);
  book.between(`${id}.median`, mean - sd, mean + sd);
  const most = Math.sqrt(((max - mean) * (mean - min) * n) / (n - 1));
  book.between(`${id}.sd`, (max - min) / Math.sqrt(2 * (n - 1)), most);
}

/** First agent less second by scenario, and their mean weighted by configurations, tok/s. */
export function scenarioDeltas(inputs: DualInstanceInputs): {
  readonly byScenario: readonly number[];
  readonly weighted: number;
} {
  const byScenario = SCENARIOS.map((scenario) => {
    const [first, second] = inputs.togetherTokS.rust[scenario];
    return (first?.value ?? Number.NaN) - (second?.value ?? Number.NaN);
  });
  const counts = SCENARIOS.map((scenario) => inputs.configurationsPerScenario[scenario]);
  const sum = byScenario.reduce((total, delta, index) => total + delta * (counts[index] ?? 0), 0);
  return { byScenario, weighted: sum / counts.reduce((total, count) => total + count, 0) };
}
