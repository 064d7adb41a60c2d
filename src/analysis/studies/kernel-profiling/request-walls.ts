/**
 * Degradation counted twice: by the mean of per-request rates, as the study does, and by the mean
 * wall time of a request. They differ where requests of one run wait differently long, since the
 * mean of 1/x exceeds 1 over the mean of x; only the second counts tokens over time.
 */
import { degradationPct } from "./queueing-null.ts";
import { changePct, meanOf } from "../sample-figures.ts";
import type { Backend, KernelProfilingInputs, Model } from "./inputs.ts";
import { conditionOf } from "./inputs.ts";

export interface TwoCounts {
  readonly byRatesPct: number;
  readonly gainByRates: number;
  readonly byWallsPct: number;
  readonly gainByWalls: number;
  /** Tokens of a request that the mean rate and the mean wall imply. */
  readonly impliedTokensAlone: number;
  readonly impliedTokensTogether: number;
  readonly tokSByWalls: number;
}

const MS_PER_S = 1000;

export function twoCounts(inputs: KernelProfilingInputs, backend: Backend, model: Model): TwoCounts {
  const { agentsTogether, maxNewTokens } = inputs.settings;
  const mean = (agents: 1 | 8, quantity: "tokS" | "wallMs"): number =>
    meanOf(conditionOf(inputs, backend, model, agents)[quantity].map((run) => run.value));
  const byRatesPct = changePct(mean(1, "tokS"), mean(8, "tokS"));
  const gainByWalls = (agentsTogether * mean(1, "wallMs")) / mean(8, "wallMs");
  return {
    byRatesPct,
    gainByRates: (1 + byRatesPct / 100) * agentsTogether,
    byWallsPct: degradationPct(gainByWalls, agentsTogether),
    gainByWalls,
    impliedTokensAlone: (mean(1, "tokS") * mean(1, "wallMs")) / MS_PER_S,
    impliedTokensTogether: (mean(8, "tokS") * mean(8, "wallMs")) / MS_PER_S,
    tokSByWalls: (maxNewTokens * MS_PER_S) / mean(8, "wallMs"),
  };
}
