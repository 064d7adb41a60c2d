/** What is known of a configuration once it was tried, for real or simulated: a search does not ask which. */
import { configurationKey } from "./configuration.ts";
import type { Configuration } from "./configuration.ts";

/** A figure with the interval that repeats, or seeds, give it; of one run alone the interval is the value. */
export interface NoisyFigure {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface Evaluated {
  readonly kind: "evaluated";
  readonly aggregateTokensPerS: NoisyFigure;
  readonly perAgentTokensPerS: NoisyFigure;
  /** A turn's latency by role: the median, or whatever percentile the caller decided on. */
  readonly roleLatencyMs: Readonly<Record<string, NoisyFigure>>;
  /** After the start, before any load. */
  readonly freeBytes?: number;
}

export type Evaluation =
  | Evaluated
  /** It did not start, is not resident, tripped a safeguard, or lies beyond a calibration: never a figure. */
  | { readonly kind: "unusable"; readonly reason: string };

export type Evaluate = (configuration: Configuration) => Evaluation | Promise<Evaluation>;

export interface Candidate {
  readonly configuration: Configuration;
  readonly evaluation: Evaluated;
}

/** Each configuration is evaluated once, however many needs are asked of it, and at the same time too. */
export function cachedEvaluations(evaluate: Evaluate): (configuration: Configuration) => Promise<Evaluation> {
  const known = new Map<string, Promise<Evaluation>>();
  return (configuration) => {
    const key = configurationKey(configuration);
    const running = known.get(key) ?? Promise.resolve().then(() => evaluate(configuration));
    known.set(key, running);
    // What threw may go well at the next try.
    running.catch(() => known.delete(key));
    return running;
  };
}
