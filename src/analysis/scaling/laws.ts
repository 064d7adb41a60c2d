/**
 * What throughput of N agents, X(N), may look like. λ is the throughput of one agent as the law
 * sees it; the other parameters have no unit.
 *
 * | law | X(N) |
 * |---|---|
 * | saturated | λ: one agent has the whole device already |
 * | linear | λN |
 * | Amdahl | λN ÷ (1 + s(N − 1)) |
 * | Gustafson | λ(N − s(N − 1)) |
 * | slots | Amdahl's up to the number of slots, and no more from there on: further agents queue |
 * | USL | λN ÷ (1 + σ(N − 1) + κN(N − 1)) |
 *
 * G. M. Amdahl, "Validity of the single processor approach to achieving large scale computing
 * capabilities", AFIPS 30 (1967); J. L. Gustafson, "Reevaluating Amdahl's law", Communications of the
 * ACM 31 (1988); N. J. Gunther, "Guerrilla Capacity Planning" (2007), for the universal scalability
 * law: σ contention, κ coherency, and with κ > 0 a largest throughput at N* = √((1 − σ) ÷ κ).
 *
 * A decode step that reads W bytes of weights once and C tokens of k cache bytes for each of N
 * agents takes W/B + N·kC/B, and N tokens come of it: that is Amdahl's curve with s = kC ÷ (W + kC).
 * Its knee, where the cache costs as much as the weights, is N = W ÷ (k·C) = (1 − s) ÷ s.
 */
import type { Parameter } from "../../stats/linearised-model.ts";

export type LawName = "saturated" | "linear" | "amdahl" | "gustafson" | "slots" | "usl";

export interface Law {
  /** Names of the parameters after λ. */
  readonly parameters: readonly string[];
  /** Starting values and bounds, λ first, from the throughput of one agent as far as it is known. */
  readonly start: (oneTokS: number) => readonly Parameter[];
  /** NaN where the law has no meaning. `slots`: requests that the servers decode at once. */
  readonly throughput: (agents: number, parameters: ArrayLike<number>, slots?: number) => number;
}

/**
 * Shares may come out a little below 0 when more agents get more than their number from the device,
 * by chance or by batching; a bound at 0 would hide that an interval spans it.
 */
const serialShare: Parameter = { start: 0.1, low: -0.5, high: 1 };
const coherency: Parameter = { start: 0.001, low: -0.5, high: 10 };

const lambda = (oneTokS: number): Parameter => ({ start: oneTokS, low: 0 });
const at = (parameters: ArrayLike<number>, index: number): number => parameters[index] ?? Number.NaN;

export const LAWS: Readonly<Record<LawName, Law>> = {
  saturated: {
    parameters: [],
    start: (oneTokS) => [lambda(oneTokS)],
    throughput: (_agents, parameters) => at(parameters, 0),
  },
  linear: {
    parameters: [],
    start: (oneTokS) => [lambda(oneTokS)],
    throughput: (agents, parameters) => at(parameters, 0) * agents,
  },
  amdahl: {
    parameters: ["s"],
    start: (oneTokS) => [lambda(oneTokS), serialShare],
    throughput: (agents, parameters) =>
      overPositive(at(parameters, 0) * agents, 1 + at(parameters, 1) * (agents - 1)),
  },
  gustafson: {
    parameters: ["s"],
    start: (oneTokS) => [lambda(oneTokS), serialShare],
    throughput: (agents, parameters) => at(parameters, 0) * (agents - at(parameters, 1) * (agents - 1)),
  },
  slots: {
    parameters: ["s"],
    start: (oneTokS) => [lambda(oneTokS), serialShare],
    throughput: (agents, parameters, slots = Number.NaN) => {
      const decoding = Math.min(agents, slots);
      return overPositive(at(parameters, 0) * decoding, 1 + at(parameters, 1) * (decoding - 1));
    },
  },
  usl: {
    parameters: ["σ", "κ"],
    start: (oneTokS) => [lambda(oneTokS), serialShare, coherency],
    throughput: (agents, parameters) =>
      overPositive(
        at(parameters, 0) * agents,
        1 + at(parameters, 1) * (agents - 1) + at(parameters, 2) * agents * (agents - 1),
      ),
  },
};

export const LAW_NAMES = Object.keys(LAWS) as readonly LawName[];

function overPositive(above: number, below: number): number {
  return below > 0 ? above / below : Number.NaN;
}

/** N* = √((1 − σ) ÷ κ), where the USL has its largest throughput; `undefined` where it has none. */
export function uslPeak(sigma: number, kappa: number): number | undefined {
  return kappa > 0 && sigma < 1 ? Math.sqrt((1 - sigma) / kappa) : undefined;
}

/**
 * The serial share that one measured speedup S on N implies, (1/S − 1/N) ÷ (1 − 1/N): when it grows
 * with N the loss is overhead and not a serial part. A. H. Karp and H. P. Flatt, "Measuring parallel
 * processor performance", Communications of the ACM 33 (1990). `undefined` for N = 1.
 */
export function karpFlatt(speedup: number, agents: number): number | undefined {
  return agents <= 1 || speedup <= 0 ? undefined : (1 / speedup - 1 / agents) / (1 - 1 / agents);
}

/** The share s of S = N − s(N − 1), Gustafson's scaled speedup; `undefined` for N = 1. */
export function gustafsonShare(speedup: number, agents: number): number | undefined {
  return agents <= 1 ? undefined : (agents - speedup) / (agents - 1);
}
