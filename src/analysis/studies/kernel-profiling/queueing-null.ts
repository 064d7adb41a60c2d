/**
 * What plain queueing alone would show by the formulas of the study. N agents start together and
 * each sends R equal requests, one after the other, to one server that serves one request at a time
 * in order of arrival and loses nothing to sharing. Served alone a request takes 1.
 *
 * First round: the k-th agent waits for k services, so it sees the rate 1/k. From the second round
 * on all others stand before it, so every request takes N. With H_N = Σ 1/k:
 *
 *     mean of per-request rates = (H_N/N + (R − 1)/N) ÷ R
 *     mean wall                 = ((N + 1)/2 + (R − 1)·N) ÷ R
 *
 * The server does the same work in the same time as for one agent, its true gain is 1; yet N × the
 * mean rate comes out as (H_N + R − 1) ÷ R: H_N for one round.
 */
export interface QueueingNull {
  /** N × mean of per-request rates ÷ rate alone: what the published formula calls the gain. */
  readonly gainByRates: number;
  /** N × wall alone ÷ mean wall. */
  readonly gainByWalls: number;
  readonly degradationByRatesPct: number;
  readonly degradationByWallsPct: number;
}

export function queueingNull(agents: number, rounds: number): QueueingNull {
  let harmonic = 0;
  for (let place = 1; place <= agents; place++) harmonic += 1 / place;
  const gainByRates = (harmonic + rounds - 1) / rounds;
  const meanWall = ((agents + 1) / 2 + (rounds - 1) * agents) / rounds;
  return {
    gainByRates,
    gainByWalls: agents / meanWall,
    degradationByRatesPct: degradationPct(gainByRates, agents),
    degradationByWallsPct: degradationPct(agents / meanWall, agents),
  };
}

/** Each of N agents that together gain g keeps g/N; negative, as the study prints it. */
export function degradationPct(gain: number, agents: number): number {
  return (gain / agents - 1) * 100;
}
