/** Which charts a run has, from what its analysis holds. Each is absent where its data are. */
import type { CellAnalysis } from "../../analysis/cell.ts";
import type { ParameterGrid } from "../../analysis/parameter-grid.ts";
import { parameterGrids } from "../../analysis/parameter-grid.ts";
import type { RunAnalysis } from "../../analysis/analyse-run.ts";
import type { RunViews } from "../../analysis/run-views.ts";
import type { Description } from "../../stats/describe.ts";
import { distributionPlot } from "../plots/distribution.ts";
import { ecdfPlot } from "../plots/ecdf.ts";
import { heatMapPlot } from "../plots/heat-map.ts";
import type { Plot } from "../plots/plot.ts";
import { timelinePlot } from "../plots/timeline.ts";

export function speedupPlots(cells: readonly CellAnalysis[]): readonly Plot[] {
  const rows = (
    own: (block: CellAnalysis["blocks"][number]) => number | undefined,
    published: (block: CellAnalysis["blocks"][number]) => number | undefined,
  ) =>
    cells
      .filter((cell) => cell.agentNames.length > 1)
      .map((cell) => ({
        label: cell.label,
        values: cell.blocks.map(own).filter((value) => value !== undefined),
        published: cell.blocks.map(published).filter((value) => value !== undefined),
      }));
  const caption = "Each mark is one together trial of trials.jsonl and the solo trials of its block.";
  return known([
    distributionPlot({
      title: "True speedup by configuration",
      figure: "true speedup",
      publishedFigure: "balance index (published speedup)",
      unit: "times",
      rows: rows(
        (block) => block.true?.speedup,
        (block) => block.nominal?.speedup,
      ),
      reference: { at: 1, text: "one after the other" },
      caption,
    }),
    distributionPlot({
      title: "Efficiency by configuration",
      figure: "true efficiency",
      publishedFigure: "balance (published efficiency)",
      unit: "percent",
      rows: rows(
        (block) => block.true?.efficiencyPct,
        (block) => block.nominal?.efficiencyPct,
      ),
      reference: { at: 100, text: "100 %" },
      caption: `Speedup ÷ agents. ${caption}`,
    }),
  ]);
}

export function matrixPlots({ cells, repeats }: RunAnalysis): readonly Plot[] {
  const floorOf = (figure: "trueSpeedup" | "aggregateTokS"): number =>
    Math.max(0, ...repeats.map(({ noiseFloor }) => noiseFloor[figure] ?? 0));
  return parameterGrids(cells).flatMap((grid) =>
    known([
      gridPlot(grid, {
        figure: "True speedup",
        unit: "×",
        decimals: 2,
        of: (cell) => cell.figures.trueSpeedup,
        floor: floorOf("trueSpeedup"),
      }),
      gridPlot(grid, {
        figure: "Throughput of all agents, tok/s",
        unit: "",
        decimals: 1,
        of: (cell) => cell.figures.aggregateTokS,
        floor: floorOf("aggregateTokS"),
      }),
    ]),
  );
}

interface GridFigure {
  readonly figure: string;
  readonly unit: string;
  readonly decimals: number;
  readonly of: (cell: CellAnalysis) => Description | undefined;
  /** What cells with the same effective settings differ by. */
  readonly floor: number;
}

function gridPlot(grid: ParameterGrid, { figure, unit, decimals, of, floor }: GridFigure): Plot | undefined {
  const { rowParameter, columnParameter, others } = grid;
  const noise = grid.noise(of);
  return heatMapPlot({
    title: `${figure} by ${rowParameter} and ${columnParameter}`,
    rowName: rowParameter,
    columnName: columnParameter,
    rows: grid.rows.map(String),
    columns: grid.columns.map(String),
    values: grid.over((cell) => of(cell)?.mean),
    noise: noise === undefined ? undefined : Math.max(noise, floor),
    unit,
    decimals,
    caption: `Means over the together trials of each configuration${others.length > 0 ? `, and over ${others.join(", ")}` : ""}. An empty place was not run.`,
  });
}

/** Charts of single configurations: all of a few, else the ends and the middle. */
const MOST_SHOWN_CELLS = 4;

export interface ShownCells {
  readonly cells: readonly CellAnalysis[];
  /** How they were chosen; absent where all are shown. */
  readonly choice: string | undefined;
}

export function shownCells(cells: readonly CellAnalysis[]): ShownCells {
  if (cells.length <= MOST_SHOWN_CELLS) return { cells, choice: undefined };
  const speedups = cells.filter((cell) => cell.figures.trueSpeedup !== undefined);
  const figure = speedups.length > 0 ? "true speedup" : "throughput of all agents";
  const value = (cell: CellAnalysis): number =>
    (speedups.length > 0 ? cell.figures.trueSpeedup : cell.figures.aggregateTokS)?.mean ?? 0;
  const sorted = [...(speedups.length > 0 ? speedups : cells)].sort((a, b) => value(b) - value(a));
  const chosen = new Set([sorted[0], sorted[Math.floor((sorted.length - 1) / 2)], sorted.at(-1)]);
  return {
    cells: [...chosen].filter((cell) => cell !== undefined),
    choice: `Of ${cells.length} configurations, these are the one with the highest ${figure}, the middle one and the one with the lowest.`,
  };
}

export function latencyPlots(cell: CellAnalysis, views: RunViews): readonly Plot[] {
  const own = views.ecdfs.get(cell.hash);
  if (own === undefined) return [];
  const chunks = own.itlKind === "chunk";
  const together = cell.agentNames.length === 1 ? "one agent" : "together";
  return known([
    ecdfPlot({
      title: "Time to first token",
      axis: "time to first token, ms",
      pairs: own.ttftMs,
      together,
      caption:
        "Share of requests with a first token by then: firstToken − sent, from requests.jsonl. Requests of one trial are not independent, so the curve carries no band.",
    }),
    ecdfPlot({
      title: chunks ? "Inter-token latency" : "Inter-token latency, mean of each request",
      axis: "between two tokens, ms",
      pairs: own.itlMs,
      together,
      caption: chunks
        ? "Share of tokens that followed the one before within this time: gap ÷ tokens of each chunk, from chunks.jsonl."
        : "Share of requests whose mean time between tokens was no longer: (lastToken − firstToken) ÷ (tokens − 1), from requests.jsonl; the server streams no token counts.",
    }),
  ]);
}

export function cellTimeline(cell: CellAnalysis, views: RunViews): Plot | undefined {
  const timeline = views.timelines.get(cell.hash);
  return timeline === undefined ? undefined : timelinePlot(timeline, cell.agentNames.length);
}

function known<T>(items: readonly (T | undefined)[]): readonly T[] {
  return items.filter((item) => item !== undefined);
}
