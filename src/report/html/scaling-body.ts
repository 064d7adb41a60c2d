/** What more agents brought: each ladder as charts, above what the laws of scaling say of it. */
import type { CellAnalysis } from "../../analysis/cell.ts";
import type { RunViews } from "../../analysis/run-views.ts";
import type { FittedLaw } from "../../analysis/scaling/fit-laws.ts";
import type { LadderScaling } from "../../analysis/scaling/scaling.ts";
import type { Description } from "../../stats/describe.ts";
import type { ReportModel } from "../model.ts";
import type { Plot } from "../plots/plot.ts";
import type { ScalingInput, ScalingPoint } from "../plots/scaling.ts";
import { scalingPlot } from "../plots/scaling.ts";
import { scalingSection } from "../scaling/scaling-section.ts";
import type { Frame } from "./blocks.ts";
import { figureMarkup } from "./blocks.ts";
import type { Markup } from "./markup.ts";
import { html } from "./markup.ts";
import { sectionBody } from "./section-body.ts";

export function scalingBody(model: ReportModel, views: RunViews, frame: Frame): readonly Markup[] {
  const section = scalingSection(model.scaling, model.simulated);
  if (section === undefined) return [];
  const figures = model.scaling.flatMap((ladder, index) =>
    ladderPlots(ladder, cellsOf(ladder, views.analysis.cells)).map((plot, place) =>
      figureMarkup(
        plot,
        `scaling-${index}-${place}`,
        frame,
        model.scaling.length > 1 ? ladder.name : undefined,
      ),
    ),
  );
  const [first, ...rest] = sectionBody(section, frame);
  return [
    ...(first === undefined ? [] : [first]),
    html`<div class="grid">
${figures}</div>`,
    ...rest,
  ];
}

/** Of the smallest levels one may come from solo trials: it has no cell. */
function cellsOf({ levels }: LadderScaling, cells: readonly CellAnalysis[]): readonly CellAnalysis[] {
  return levels
    .filter((level) => level.basis === "together")
    .flatMap((level) => cells.find((cell) => cell.label === level.label) ?? []);
}

function ladderPlots(ladder: LadderScaling, cells: readonly CellAnalysis[]): readonly Plot[] {
  return [
    throughputOver(ladder, cells),
    overAgents(cells, {
      title: "True speedup by number of agents",
      axis: "true speedup",
      decimals: 2,
      value: (block) => block.true?.speedup,
      mean: (cell) => cell.figures.trueSpeedup,
      scale: 1,
      ideal: { text: "as many times as agents", at: (agents) => agents },
    }),
    overAgents(cells, {
      title: "Kept of solo speed by number of agents",
      axis: "kept, %",
      decimals: 0,
      whole: 100,
      value: (block) => meanOf(block.agents.map((agent) => agent.retention)),
      mean: (cell) => cell.figures.retention,
      scale: 100,
      ideal: { text: "equal shares, 1 ÷ agents", at: (agents) => 100 / agents },
    }),
    overAgents(cells, {
      title: "Trial length by number of agents",
      axis: "seconds",
      decimals: 2,
      value: (block) => block.figures.wallMs,
      mean: (cell) => cell.figures.wallMs,
      scale: 1 / 1000,
    }),
  ].filter((plot) => plot !== undefined);
}

const LAW_NAME: Readonly<Record<FittedLaw["law"], string>> = {
  saturated: "saturated",
  linear: "linear",
  amdahl: "Amdahl",
  gustafson: "Gustafson",
  slots: "Amdahl up to the slots",
  usl: "universal scalability law",
};

/** The one figure that the laws are about, with the law that is best supported and its band. */
function throughputOver(ladder: LadderScaling, cells: readonly CellAnalysis[]): Plot | undefined {
  const law = shownLaw(ladder);
  const band = (law?.band ?? []).flatMap(({ agents, low, high }) =>
    low === undefined || high === undefined ? [] : [{ agents, low, high }],
  );
  const [first] = ladder.levels;
  return scalingPlot({
    title: "Throughput of all agents by their number",
    axis: "tok/s",
    decimals: 1,
    points: cells.flatMap((cell) => trialPoints(cell, (block) => block.figures.whole.tokS, 1)),
    means: ladder.levels.map(({ agents, tokS }) => ({ agents, value: tokS.mean })),
    model:
      law === undefined
        ? undefined
        : {
            text: `${LAW_NAME[law.law]}${ladder.choice.kind === "supported" ? "" : ", nearest"}`,
            points: law.band.map(({ agents, tokS }) => ({ agents, value: tokS })),
          },
    band: band.length === 0 ? undefined : { text: "95 % band over trials", points: band },
    ideal:
      first === undefined || first.agents !== 1
        ? undefined
        : {
            text: "as many times one agent",
            points: idealPoints(ladder, (agents) => agents * first.tokS.mean),
          },
    caption: `Each dot is one together trial of trials.jsonl.${first?.basis === "solo" ? " The level of one agent comes from solo trials." : ""}`,
  });
}

function shownLaw({ choice, laws }: LadderScaling): FittedLaw | undefined {
  if (choice.kind === "supported") return laws.find(({ law }) => law === choice.laws[0]);
  return choice.kind === "none" ? choice.nearest : undefined;
}

function idealPoints({ levels }: LadderScaling, at: (agents: number) => number): readonly ScalingPoint[] {
  return levels.map(({ agents }) => ({ agents, value: at(agents) }));
}

interface OverAgents extends Pick<ScalingInput, "title" | "axis" | "decimals" | "whole"> {
  readonly value: (block: CellAnalysis["blocks"][number]) => number | undefined;
  readonly mean: (cell: CellAnalysis) => Description | undefined;
  readonly scale: number;
  readonly ideal?: { readonly text: string; readonly at: (agents: number) => number };
}

function overAgents(cells: readonly CellAnalysis[], figure: OverAgents): Plot | undefined {
  const { title, axis, decimals, whole, value, mean, scale, ideal } = figure;
  const means = cells.flatMap((cell) => {
    const own = mean(cell)?.mean;
    return own === undefined ? [] : [{ agents: cell.agentNames.length, value: own * scale }];
  });
  const most = Math.max(0, ...means.map((point) => point.agents));
  const counts = Array.from({ length: Math.min(most, MOST_IDEAL_POINTS) }, (_, index) =>
    Math.round(1 + (index * (most - 1)) / Math.max(Math.min(most, MOST_IDEAL_POINTS) - 1, 1)),
  );
  return scalingPlot({
    title,
    axis,
    decimals,
    ...(whole === undefined ? {} : { whole }),
    points: cells.flatMap((cell) => trialPoints(cell, value, scale)),
    means,
    ideal:
      ideal === undefined
        ? undefined
        : { text: ideal.text, points: counts.map((agents) => ({ agents, value: ideal.at(agents) })) },
    model: undefined,
    band: undefined,
    caption: "Each dot is one together trial of trials.jsonl and the solo trials of its block.",
  });
}

/** A curve of 400 pixels. */
const MOST_IDEAL_POINTS = 100;

function trialPoints(
  cell: CellAnalysis,
  value: (block: CellAnalysis["blocks"][number]) => number | undefined,
  scale: number,
): readonly ScalingPoint[] {
  return cell.blocks.flatMap((block) => {
    const own = value(block);
    return own === undefined ? [] : [{ agents: cell.agentNames.length, value: own * scale }];
  });
}

function meanOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 || known.length < values.length
    ? undefined
    : known.reduce((sum, value) => sum + value, 0) / known.length;
}
