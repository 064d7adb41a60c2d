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
 * q-quantiles (type 7) over all requests of the drawn trials, exactly, without sorting or walking
 * them again for each draw. The requests of all trials are sorted once and cut into stretches, and
 * what each trial has before each stretch is counted. A draw only says how often a trial counts, so
 * the stretch that holds a rank is found by halving, with one sum over the trials a step, and the
 * rank itself by a walk inside of the stretch: O(trials · log requests) a draw.
 */
export function percentileFigures(
  requestsOfTrials: readonly ArrayLike<number>[],
): (q: number) => TrialFigure {
  const { values, trialOf } = sortedRequests(requestsOfTrials);
  const trials = requestsOfTrials.length;
  // A walk then costs about as much as one step of the search.
  const stretch = Math.max(SHORTEST_STRETCH, trials);
  const before = countsBefore(trialOf, stretch, trials);
  const last = before.length / trials - 1;
  const times = new Uint32Array(trials);
  const passedBefore = (place: number): number => {
    let passed = 0;
    for (let trial = 0, at = place * trials; trial < trials; trial++, at++)
      passed += (times[trial] as number) * (before[at] as number);
    return passed;
  };
  return (q) => (drawn) => {
    times.fill(0);
    for (let place = 0; place < drawn.length; place++) {
      const trial = drawn[place] as number;
      times[trial] = (times[trial] as number) + 1;
    }
    const count = passedBefore(last);
    if (count === 0) return undefined;
    const rank = (count - 1) * q;
    const below = Math.floor(rank);
    let start = 0;
    let passed = 0;
    for (let end = last; end - start > 1; ) {
      const middle = (start + end) >> 1;
      const already = passedBefore(middle);
      if (already > below) end = middle;
      else [start, passed] = [middle, already];
    }
    let index = start * stretch - 1;
    while (passed <= below) passed += times[trialOf[++index] as number] as number;
    const low = values[index] as number;
    while (passed <= Math.ceil(rank)) passed += times[trialOf[++index] as number] as number;
    return low + (rank - below) * ((values[index] as number) - low);
  };
}

/** Below this a stretch costs more to find than to walk. */
const SHORTEST_STRETCH = 32;

interface SortedRequests {
  readonly values: Float64Array;
  readonly trialOf: Uint32Array;
}

/**
 * Numbers alone are sorted, which takes a tenth of the time of sorting pairs; each then finds its
 * place, equal ones one after the other.
 */
function sortedRequests(requestsOfTrials: readonly ArrayLike<number>[]): SortedRequests {
  const values = new Float64Array(requestsOfTrials.reduce((sum, requests) => sum + requests.length, 0));
  let filled = 0;
  for (const requests of requestsOfTrials) {
    values.set(requests, filled);
    filled += requests.length;
  }
  values.sort();
  const trialOf = new Uint32Array(values.length);
  const taken = new Uint32Array(values.length);
  requestsOfTrials.forEach((requests, trial) => {
    for (let index = 0; index < requests.length; index++) {
      const place = firstPlace(values, requests[index] as number);
      trialOf[place + (taken[place] as number)] = trial;
      taken[place] = (taken[place] as number) + 1;
    }
  });
  return { values, trialOf };
}

function firstPlace(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** One row per stretch and one for the end: how many requests of each trial come before it. */
function countsBefore(trialOf: Uint32Array, stretch: number, trials: number): Uint32Array {
  const stretches = Math.ceil(trialOf.length / stretch);
  const before = new Uint32Array((stretches + 1) * trials);
  for (let place = 0; place < stretches; place++) {
    const next = (place + 1) * trials;
    before.copyWithin(next, place * trials, next);
    for (const trial of trialOf.subarray(place * stretch, (place + 1) * stretch))
      before[next + trial] = (before[next + trial] as number) + 1;
  }
  return before;
}
