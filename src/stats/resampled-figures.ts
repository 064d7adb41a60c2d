/** Figures that the bootstrap asks for ten thousand times, built so that each time costs little. */
import type { TrialFigure } from "./bootstrap.ts";

/** The mean of one value per trial. */
export function meanFigure(values: readonly number[]): TrialFigure {
  const kept = Float64Array.from(values);
  return (trials) => {
    if (trials.length === 0) return undefined;
    let sum = 0;
    for (let place = 0; place < trials.length; place++) sum += kept[trials[place] as number] as number;
    return sum / trials.length;
  };
}

/**
 * The q-quantile (type 7) over all requests of the drawn trials. The requests are sorted once; a draw
 * only says how often each counts, so that finding the rank is one walk and no sort.
 */
export function percentileFigure(requestsOfTrials: readonly (readonly number[])[], q: number): TrialFigure {
  const requests = requestsOfTrials
    .flatMap((values, trial) => values.map((value) => ({ value, trial })))
    .sort((a, b) => a.value - b.value);
  const values = Float64Array.from(requests, ({ value }) => value);
  const trialOf = Uint32Array.from(requests, ({ trial }) => trial);
  const sizes = Uint32Array.from(requestsOfTrials, (list) => list.length);
  const times = new Uint32Array(requestsOfTrials.length);
  return (trials) => {
    times.fill(0);
    let count = 0;
    for (let place = 0; place < trials.length; place++) {
      const trial = trials[place] as number;
      times[trial] = (times[trial] as number) + 1;
      count += sizes[trial] as number;
    }
    if (count === 0) return undefined;
    const rank = (count - 1) * q;
    const below = Math.floor(rank);
    let index = -1;
    let passed = 0;
    while (passed <= below) passed += times[trialOf[++index] as number] as number;
    const low = values[index] as number;
    while (passed <= Math.ceil(rank)) passed += times[trialOf[++index] as number] as number;
    return low + (rank - below) * ((values[index] as number) - low);
  };
}
