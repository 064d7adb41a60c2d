/** Habits that cost something in these very data, each with its numbers and what to do instead. */
import { UNKNOWN } from "../../core/units.ts";
import { mean } from "../../stats/quantile.ts";
import { welchTest } from "../../stats/welch.ts";
import type { RunAnalysis } from "../analyse-run.ts";
import type { CellAnalysis } from "../cell.ts";
import { judgedSpeedup } from "./judged-speedup.ts";
import { contextFollowsRequests, contextsAsked } from "./resources.ts";

export interface AntiPattern {
  readonly id:
    | "together-is-slower"
    | "one-slot-for-several"
    | "single-instance"
    | "context-clamped"
    | "context-overrun"
    | "cold-models"
    | "noise-for-effect"
    | "contention"
    | "client-bound";
  readonly title: string;
  readonly evidence: string;
  readonly instead: string;
  /** Labels of the cells that show it; empty where it is not of particular cells. */
  readonly cells: readonly string[];
}

type Finder = (analysis: RunAnalysis) => readonly AntiPattern[];

/** In the order of what they cost. */
const FINDERS: readonly Finder[] = [
  togetherIsSlower,
  oneSlotForSeveral,
  singleInstance,
  contention,
  contextClamped,
  contextOverrun,
  coldModels,
  noiseForEffect,
  clientBound,
];

export function antiPatterns(analysis: RunAnalysis): readonly AntiPattern[] {
  return FINDERS.flatMap((find) => find(analysis));
}

/** Whole interval under 1: the same work one agent after the other would have been done sooner. */
function togetherIsSlower({ cells }: RunAnalysis): readonly AntiPattern[] {
  const slower = cells.flatMap((cell) => {
    const speedup = judgedSpeedup(cell);
    return cell.agentNames.length > 1 && speedup?.spread.kind === "known" && speedup.spread.ci95.high < 1
      ? [{ label: cell.label, mean: speedup.mean, high: speedup.spread.ci95.high }]
      : [];
  });
  const worst = slower.reduce<(typeof slower)[number] | undefined>(
    (most, one) => (most === undefined || one.mean < most.mean ? one : most),
    undefined,
  );
  if (worst === undefined) return [];
  return [
    {
      id: "together-is-slower",
      title: "running together what would be done sooner in turn",
      evidence: `${slower.length} of ${cells.length} cells have a true speedup below 1; lowest ${worst.mean.toFixed(2)} in ${worst.label} (95 % interval up to ${worst.high.toFixed(2)})`,
      instead: "run these agents one after the other, or give the server slots that it can batch",
      cells: slower.map(({ label }) => label),
    },
  ];
}

function oneSlotForSeveral(analysis: RunAnalysis): readonly AntiPattern[] {
  // A rung whose agents all have a slot keeps its speed, and would dilute what queueing cost the others.
  const cells = analysis.cells.filter((cell) =>
    analysis.manifest.endpoints.some(
      ({ name, slots }) =>
        slots !== undefined && cell.agents.filter((agent) => agent.endpoints.includes(name)).length > slots,
    ),
  );
  const labels = cells.map((cell) => cell.label);
  return fromWarning(analysis, "SLOTS_BELOW_AGENTS", labels, (message) => {
    const kept = meanOf(cells, (cell) => cell.figures.retention?.mean);
    const inTurn = meanOf(cells, (cell) => cell.sharing?.oneAtATime.retention);
    const beside =
      kept === undefined || inTurn === undefined
        ? ""
        : `. Agents kept ${percent(kept)} of their solo speed; a server that takes one request at a time leaves ${percent(inTurn)}`;
    return {
      id: "one-slot-for-several",
      title: "fewer slots than agents",
      evidence: `${message}${beside}`,
    };
  });
}

/** Of cells with equally many agents, those with one endpoint against those with several. */
function singleInstance({ cells }: RunAnalysis): readonly AntiPattern[] {
  const counts = [...new Set(cells.map((cell) => cell.agentNames.length))].filter((agents) => agents > 1);
  return counts.flatMap((agents) => {
    const alike = cells.filter((cell) => cell.agentNames.length === agents);
    const onOne = alike.filter((cell) => endpointsOf(cell) === 1);
    const single = speedups(onOne);
    const several = speedups(alike.filter((cell) => endpointsOf(cell) > 1));
    const test = welchTest(several, single);
    if (test.kind !== "tested" || test.interval.low <= 0) return [];
    return [
      {
        id: "single-instance",
        title: "one instance for all agents",
        evidence: `${agents} agents on one endpoint have a true speedup of ${number(mean(single))}, on several ${number(mean(several))} (difference ${number(test.difference)}, 95 % interval ${number(test.interval.low)} to ${number(test.interval.high)}, n = ${single.length} and ${several.length})`,
        instead: "give each agent an endpoint of its own, where the memory allows it",
        cells: onOne.map((cell) => cell.label),
      } as const,
    ];
  });
}

function speedups(cells: readonly CellAnalysis[]): readonly number[] {
  return cells
    .flatMap((cell) => cell.blocks.map((block) => block.true?.speedup))
    .filter((value) => value !== undefined);
}

function number(value: number | undefined): string {
  return value === undefined ? UNKNOWN : value.toFixed(2);
}

function endpointsOf(cell: CellAnalysis): number {
  return new Set(cell.agents.flatMap((agent) => agent.endpoints)).size;
}

function contention({ cells }: RunAnalysis): readonly AntiPattern[] {
  const contended = cells.filter((cell) => cell.contention.contended > 0);
  const [first] = contended;
  if (first === undefined) return [];
  const named = contended.map(
    (cell) => `${cell.label} ${cell.contention.contended}/${cell.contention.decided}`,
  );
  return [
    {
      id: "contention",
      title: "cells that contend",
      evidence: `a TTFT rose by more than ${first.contention.thresholdMs} ms over its solo median in ${named.join(", ")}`,
      instead: "prefer a cell that does not, or fewer agents at once",
      cells: contended.map((cell) => cell.label),
    },
  ];
}

/**
 * Asked for more context than the server gave. Only where the context is fixed when the server
 * starts: where it follows each request, what it was at one moment says little of a cell.
 */
function contextClamped({ manifest, cells }: RunAnalysis): readonly AntiPattern[] {
  const clamped = manifest.endpoints.flatMap(({ name, engine, contextTokens }) => {
    if (contextTokens === undefined || contextFollowsRequests(engine)) return [];
    const mostOf = (cell: CellAnalysis): number => Math.max(0, ...contextsAsked(cell, manifest.spec, name));
    const asked = Math.max(0, ...cells.map(mostOf));
    const labels = cells.filter((cell) => mostOf(cell) > contextTokens).map((cell) => cell.label);
    return asked > contextTokens
      ? [{ labels, text: `${name} was asked for ${asked} tokens and has ${contextTokens}` }]
      : [];
  });
  if (clamped.length === 0) return [];
  return [
    {
      id: "context-clamped",
      title: "a context smaller than asked for",
      evidence: `${clamped.map(({ text }) => text).join("; ")}: prompts that need more are cut or refused`,
      instead: "start the server with the context that the agents ask for (each slot gets its part of it)",
      cells: [...new Set(clamped.flatMap(({ labels }) => labels))],
    },
  ];
}

function contextOverrun(analysis: RunAnalysis): readonly AntiPattern[] {
  return fromWarning(analysis, "CONTEXT_OVERRUN", [], (message) => ({
    id: "context-overrun",
    title: "a context too small for its prompts",
    evidence: message,
  }));
}

function coldModels(analysis: RunAnalysis): readonly AntiPattern[] {
  return fromWarning(analysis, "COLD_MODEL", [], (message) => ({
    id: "cold-models",
    title: "cold models",
    evidence: message,
  }));
}

function clientBound(analysis: RunAnalysis): readonly AntiPattern[] {
  return fromWarning(analysis, "CLIENT_BOTTLENECK", [], (message) => ({
    id: "client-bound",
    title: "a client too busy to measure",
    evidence: message,
  }));
}

/** What the run's own warnings found, with their remedy. */
function fromWarning(
  { warnings }: RunAnalysis,
  code: string,
  cells: readonly string[],
  of: (message: string) => Omit<AntiPattern, "instead" | "cells">,
): readonly AntiPattern[] {
  return warnings
    .filter((warning) => warning.code === code)
    .map(({ message, remedy }) => ({ ...of(message), instead: remedy, cells }));
}

/** "Sweet spots" between settings that the server clamps to the same. */
function noiseForEffect({ repeats }: RunAnalysis): readonly AntiPattern[] {
  return repeats.map(({ cells, noiseFloor }) => {
    const parts = [
      noiseFloor.balancePct === undefined ? [] : [`${noiseFloor.balancePct.toFixed(2)} points of balance`],
      noiseFloor.trueSpeedup === undefined ? [] : [`${noiseFloor.trueSpeedup.toFixed(3)} of true speedup`],
      noiseFloor.aggregateTokS === undefined ? [] : [`${noiseFloor.aggregateTokS.toFixed(1)} tok/s`],
    ].flat();
    return {
      id: "noise-for-effect",
      title: "settings that come out the same",
      evidence: `${cells.join(", ")} ran with the same effective settings and still differ by ${parts.join(", ")}: no sweet spot, but the noise floor`,
      instead: "drop all but one of them, and read no smaller difference between other cells as an effect",
      cells: [],
    };
  });
}

function meanOf(
  cells: readonly CellAnalysis[],
  of: (cell: CellAnalysis) => number | undefined,
): number | undefined {
  return mean(cells.map(of).filter((value) => value !== undefined));
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
