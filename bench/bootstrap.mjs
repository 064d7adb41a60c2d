// Intervals over 135 trials: 10,000 resamples of a mean, of a percentile over requests, and of a scaling law.
import { randomStream } from "../dist/core/random.js";
import { bootstrap } from "../dist/stats/bootstrap.js";
import { fitLeastSquares } from "../dist/stats/least-squares.js";
import { meanFigure, percentileFigures } from "../dist/stats/resampled-figures.js";

const TRIALS = 135;
const REQUESTS_PER_TRIAL = 20;
const LEVELS = [1, 2, 4, 8, 16];
const draw = randomStream(1, "bench bootstrap");
const rates = Array.from({ length: TRIALS }, () => 100 + 10 * draw.normal());
const ttftsMs = rates.map(() => Array.from({ length: REQUESTS_PER_TRIAL }, () => draw.exponential(400)));

const mean = seconds([TRIALS], meanFigure(rates), 10_000);

const percentile = seconds([TRIALS], percentileFigures(ttftsMs)(0.95), 10_000);

const perLevel = TRIALS / LEVELS.length;
const law = {
  model: (n, [gain, sigma, kappa]) => (gain * n) / (1 + sigma * (n - 1) + kappa * n * (n - 1)),
  parameters: [
    { start: 100, low: 0 },
    { start: 0.1, low: 0, high: 1 },
    { start: 0.001, low: 0 },
  ],
};
const totals = rates.map((rate, trial) => {
  const n = LEVELS[Math.floor(trial / perLevel)];
  return { input: n, value: law.model(n, [rate, 0.05, 0.001]) };
});
const scaling = seconds(
  LEVELS.map(() => perLevel),
  (trials) => {
    const observations = Array.from(trials, (trial) => totals[trial]);
    const fit = fitLeastSquares({ ...law, observations });
    return fit.kind === "converged" ? fit.parameters[1].value : undefined;
  },
  1_000,
);

console.log(
  JSON.stringify([
    { figure: "bootstrap of a mean: 10,000 resamples of 135 trials", value: mean, unit: "s", atMost: 1 },
    {
      figure: "bootstrap of a p95 over 2,700 requests: 10,000 resamples",
      value: percentile,
      unit: "s",
      atMost: 1,
    },
    { figure: "bootstrap of a scaling law: 1,000 fits of 135 trials", value: scaling, unit: "s" },
  ]),
);

function seconds(strata, figure, resamples) {
  const random = randomStream(2, "bench bootstrap");
  const startMs = performance.now();
  const result = bootstrap({ strata, figure, random, resamples });
  if (result.kind !== "resampled") throw new Error(`the bootstrap is ${result.kind}`);
  return (performance.now() - startMs) / 1000;
}
