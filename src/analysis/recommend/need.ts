/**
 * What people need a configuration for, and by which figure of a trial the cells are then held
 * against each other. Every figure grows with what is wanted.
 */
import type { BlockAnalysis } from "../block.ts";

export interface Need {
  readonly id: "most-work" | "highest-efficiency" | "balanced" | "first-token";
  readonly title: string;
  readonly figure: string;
  readonly unit: string;
  /** How the figure reads: `value` itself, or its inverse for one that should be small. */
  readonly shown: "value" | "negated";
  readonly of: (block: BlockAnalysis) => number | undefined;
}

const MS_PER_S = 1000;

export const NEEDS: readonly Need[] = [
  {
    id: "most-work",
    title: "overall",
    figure: "aggregate throughput",
    unit: "tok/s",
    shown: "value",
    of: (block) => block.figures.whole.tokS,
  },
  {
    id: "highest-efficiency",
    title: "highest efficiency",
    figure: "true efficiency",
    unit: "%",
    shown: "value",
    of: (block) => block.true?.efficiencyPct,
  },
  {
    id: "balanced",
    title: "balanced",
    // The geometric mean of two rates: one cell beats another by the mean of its two ratios to it.
    figure: "√(aggregate tok/s ÷ TTFT in s)",
    unit: "",
    shown: "value",
    of: (block) => {
      const { tokS } = block.figures.whole;
      const ttftMs = slowestTtftMs(block);
      return tokS === undefined || ttftMs === undefined || ttftMs <= 0
        ? undefined
        : Math.sqrt((tokS * MS_PER_S) / ttftMs);
    },
  },
  {
    id: "first-token",
    title: "quickest first token",
    figure: "median TTFT of the slower agent",
    unit: "ms",
    shown: "negated",
    of: (block) => {
      const ttftMs = slowestTtftMs(block);
      return ttftMs === undefined ? undefined : -ttftMs;
    },
  },
];

/** Of all agents, the one that waits longest. */
function slowestTtftMs(block: BlockAnalysis): number | undefined {
  const known = block.agents.map((agent) => agent.together.ttftMedianMs).filter((ms) => ms !== undefined);
  return known.length === 0 || known.length < block.agents.length ? undefined : Math.max(...known);
}
