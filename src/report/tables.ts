/** The model as tables of text, the same for every view; a view only lays them out. */
import { formatBytes, formatDurationMs, formatNumber, UNKNOWN } from "../core/units.ts";
import type {
  AgentView,
  CellView,
  DistributionView,
  FigureUnit,
  FigureView,
  Measured,
  PercentileView,
  ReportModel,
} from "./model.ts";

export interface TextColumn {
  /** Lines of the heading. */
  readonly heading: readonly string[];
  readonly align: "left" | "right";
}

export interface TextTable {
  readonly columns: readonly TextColumn[];
  readonly rows: readonly (readonly string[])[];
}

/** A column and what it shows of a row. */
interface Column<Row> extends TextColumn {
  readonly cell: (row: Row) => string;
}

const left = <Row>(heading: readonly string[], cell: (row: Row) => string): Column<Row> => ({
  heading,
  align: "left",
  cell,
});
const right = <Row>(heading: readonly string[], cell: (row: Row) => string): Column<Row> => ({
  heading,
  align: "right",
  cell,
});

function tableOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): TextTable {
  return {
    columns: columns.map(({ heading, align }) => ({ heading, align })),
    rows: rows.map((row) => columns.map((column) => column.cell(row))),
  };
}

/** `wide` adds the columns that do not fit 80 characters. */
export function agentTable(agents: readonly AgentView[], wide: boolean): TextTable {
  const columns: readonly Column<AgentView>[] = [
    left(["agent"], (agent) => agent.agent),
    ...(wide ? [left<AgentView>(["endpoint"], (agent) => agent.endpoints.join(" "))] : []),
    right(["ok"], (agent) => String(agent.requests)),
    ...(agents.some((agent) => agent.failed + agent.cancelled > 0)
      ? [right<AgentView>(["not", "ok"], (agent) => String(agent.failed + agent.cancelled))]
      : []),
    ...(wide
      ? [right<AgentView>(["TTFT ms", "alone"], (agent) => milliseconds(agent.soloTtftMs?.mean))]
      : []),
    right(wide ? ["TTFT ms", "together"] : ["TTFT", "ms"], (agent) => milliseconds(agent.ttftMs?.mean)),
    right(["latency", "ms"], (agent) => milliseconds(agent.latencyMs?.mean)),
    right(["tok/s", "alone"], (agent) => formatNumber(agent.aloneTokS?.mean)),
    right(["tok/s", "together"], (agent) => formatNumber(agent.togetherTokS?.mean)),
    right(["kept"], (agent) => share(agent.retention?.mean)),
    ...(wide
      ? [right<AgentView>(["kept", "95 % CI"], (agent) => interval(agent.retention, (value) => share(value)))]
      : []),
    right(["ideal:", "shared"], (agent) => share(agent.idealShared)),
    right(["ideal:", "in turn"], (agent) => share(agent.idealOneAtATime)),
    ...(wide ? [right<AgentView>(["contended", "trials"], (agent) => String(agent.contendedTrials))] : []),
  ];
  return tableOf(columns, agents);
}

export function figureTable(figures: readonly FigureView[]): TextTable {
  const columns: readonly Column<FigureView>[] = [
    left(["figure"], (figure) => figure.name),
    right(["measured"], (figure) => withUnit(figure.measured.mean, figure)),
    right(["95 % CI"], (figure) => interval(figure.measured, (value) => inUnit(value, figure))),
    ...(figures.some((figure) => figure.idealShared !== undefined)
      ? [
          right<FigureView>(["ideal:", "shared"], (figure) => inUnit(figure.idealShared, figure)),
          right<FigureView>(["ideal:", "in turn"], (figure) => inUnit(figure.idealOneAtATime, figure)),
        ]
      : []),
  ];
  return tableOf(columns, figures);
}

export function cellTable(cells: readonly CellView[]): TextTable {
  const columns: readonly Column<CellView>[] = [
    left(["cell"], (cell) => cell.label),
    right(["trials"], (cell) => String(cell.trials)),
    right(["true", "speedup"], (cell) => formatNumber(cell.trueSpeedup?.mean, 2)),
    right(["balance", "index"], (cell) => formatNumber(cell.balanceIndex?.mean, 2)),
    right(["kept"], (cell) => share(cell.retention?.mean)),
    right(["gain"], (cell) => formatNumber(cell.aggregateGain?.mean, 2)),
    right(["tok/s"], (cell) => formatNumber(cell.aggregateTokS?.mean)),
    right(["contended"], contended),
  ];
  return tableOf(columns, cells);
}

/** `wide` puts each percentile's interval beside it. */
export function percentileTable(
  agents: readonly AgentView[],
  wide: boolean,
  figures?: readonly string[],
): TextTable {
  const rows = agents.flatMap((agent) =>
    agent.distributions
      .filter((distribution) => figures === undefined || figures.includes(distribution.figure))
      .map((distribution) => ({ agent: agent.agent, distribution })),
  );
  const labels = rows[0]?.distribution.percentiles.map((percentile) => percentile.label) ?? [];
  type Row = { readonly agent: string; readonly distribution: DistributionView };
  const columns: readonly Column<Row>[] = [
    left(["agent"], (row) => row.agent),
    left(["over requests, ms"], (row) => row.distribution.figure),
    right(["n"], (row) => String(row.distribution.n)),
    right(["mean"], (row) => milliseconds(row.distribution.mean)),
    ...labels.map((label, index) =>
      right<Row>([label], (row) => percentileText(row.distribution.percentiles[index], wide)),
    ),
  ];
  return tableOf(columns, rows);
}

/** Where each agent's time went; the process columns appear for external agents. */
export function timeTable(agents: readonly AgentView[]): TextTable | undefined {
  const timed = agents.filter((agent) => agent.time !== undefined);
  if (timed.length === 0) return undefined;
  const external = timed.some(
    (agent) => agent.time?.startupMs !== undefined || agent.time?.rssPeakBytes !== undefined,
  );
  const columns: readonly Column<AgentView>[] = [
    left(["agent"], (agent) => agent.agent),
    right(["total ms"], (agent) => milliseconds(agent.time?.totalMs)),
    right(["in requests"], (agent) => milliseconds(agent.time?.requestMs)),
    right(["files"], (agent) => milliseconds(agent.time?.fileMs)),
    right(["cadence"], (agent) => milliseconds(agent.time?.waitMs)),
    right(["client queue"], (agent) => milliseconds(agent.time?.queueMs)),
    right(["other"], (agent) => milliseconds(agent.time?.otherMs)),
    ...(external
      ? [
          right<AgentView>(["start-up"], (agent) => milliseconds(agent.time?.startupMs)),
          right<AgentView>(["peak memory"], (agent) => formatBytes(agent.time?.rssPeakBytes)),
        ]
      : []),
  ];
  return tableOf(columns, timed);
}

export function engineTable(agents: readonly AgentView[]): TextTable | undefined {
  const told = agents.filter((agent) => agent.engineSplit !== undefined);
  if (told.length === 0) return undefined;
  const columns: readonly Column<AgentView>[] = [
    left(["agent"], (agent) => agent.agent),
    right(["requests"], (agent) => String(agent.engineSplit?.requests ?? UNKNOWN)),
    right(["queue ms"], (agent) => milliseconds(agent.engineSplit?.queueMs)),
    right(["load"], (agent) => milliseconds(agent.engineSplit?.loadMs)),
    right(["prefill"], (agent) => milliseconds(agent.engineSplit?.prefillMs)),
    right(["decode"], (agent) => milliseconds(agent.engineSplit?.decodeMs)),
    right(["not accounted for"], (agent) => milliseconds(agent.engineSplit?.residualMs)),
    right(["decode tok/s"], (agent) => formatNumber(agent.engineSplit?.decodeTokS)),
  ];
  return tableOf(columns, told);
}

/** Whether any percentile of the cell is carried by its number of requests. */
export function hasPercentiles({ agents }: CellView): boolean {
  return agents.some((agent) =>
    agent.distributions.some(
      (distribution) =>
        distribution.figure === "TTFT" &&
        distribution.percentiles.some((percentile) => percentile.value !== undefined),
    ),
  );
}

export function contentionSentence(cell: CellView): string {
  const { thresholdMs, contended: trials, decided } = cell.contention;
  const rule = `by the published rule (TTFT over its warm solo median by more than ${thresholdMs} ms)`;
  if (decided === 0) return `Contention ${rule}: unknown, no solo baseline.`;
  return `Contention ${rule}: ${trials} of ${decided} trials.${shiftSentence(cell)}`;
}

function shiftSentence({ agents }: CellView): string {
  const shifts = agents.filter((agent) => agent.ttftShiftMs !== undefined);
  if (shifts.length === 0) return "";
  const parts = shifts.map(
    (agent) =>
      `${agent.agent} ${signed(agent.ttftShiftMs as number, 0)} ms (${SHIFT_WORDS[agent.ttftShift]})`,
  );
  return ` Median TTFT together − alone: ${parts.slice(0, MOST_SHIFTS_SHOWN).join(", ")}.`;
}

const SHIFT_WORDS = {
  shifted: "more than chance",
  "not-decided": "may be chance",
  unknown: "no variance to judge it by",
} as const;

/** A sentence with more agents than this is a list that nobody reads; the table has them all. */
const MOST_SHIFTS_SHOWN = 4;

/** Shown above everything wherever a figure comes from the simulated engine. */
export const SIMULATED_NOTICE =
  "SIMULATED: no real server was measured. The figures describe the simulated engine.";

export function titleOf(model: ReportModel): string {
  return `${model.simulated ? "SIMULATED " : ""}${model.scenario} · ${model.runId}`;
}

function contended({ contention }: CellView): string {
  return contention.decided === 0 ? UNKNOWN : `${contention.contended}/${contention.decided}`;
}

function percentileText(percentile: PercentileView | undefined, wide: boolean): string {
  if (percentile?.value !== undefined) {
    const value = milliseconds(percentile.value);
    return wide && percentile.interval?.kind === "known"
      ? `${value} (${milliseconds(percentile.interval.low)} … ${milliseconds(percentile.interval.high)})`
      : value;
  }
  return percentile?.needed === undefined ? UNKNOWN : `${UNKNOWN} (n ≥ ${percentile.needed})`;
}

/** Under a wide table of percentiles: what the intervals are, and why there are none; nothing without a percentile. */
export function percentileLegend(agents: readonly AgentView[]): readonly string[] {
  const intervals = agents
    .flatMap((agent) => agent.distributions.flatMap((distribution) => distribution.percentiles))
    .flatMap((percentile) => percentile.interval ?? []);
  const pooled = intervals.some((interval) => interval.kind === "not-by-trial");
  if (intervals.some((interval) => interval.kind === "known"))
    return [
      `In brackets: 95 % intervals, bootstrapped over trials (BCa).${pooled ? " What is counted by chunk is kept over all trials together and has none." : ""}`,
    ];
  const lacking = intervals.find((interval) => interval.kind === "too-few");
  return lacking === undefined
    ? []
    : [`No intervals: they need ${lacking.needed} trials of the configuration.`];
}

/** Milliseconds to three figures: 4.12, 41.2, 412, 4120. */
function milliseconds(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  const size = Math.abs(value);
  return formatNumber(value, size < 10 ? 2 : size < 100 ? 1 : 0);
}

function share(value: number | undefined): string {
  return value === undefined ? UNKNOWN : `${(value * 100).toFixed(0)} %`;
}

function interval(measured: Measured | undefined, format: (value: number) => string): string {
  if (measured === undefined) return UNKNOWN;
  if (measured.ci95 === "too-few") return "one trial";
  if (measured.ci95 === "no-variance") return "no variance";
  if (measured.ci95 === "whole-range") return `${measured.trials} trials`;
  const { low, high, clipped } = measured.ci95;
  return `${clipped === "low" ? "[" : ""}${format(low)} … ${format(high)}${clipped === "high" ? "]" : ""}`;
}

/** Under a table of figures of which some interval is cut; nothing otherwise. */
export function clippedLegend(figures: readonly FigureView[]): readonly string[] {
  return figures.some(({ measured: { ci95 } }) => typeof ci95 === "object" && ci95.clipped !== undefined)
    ? ["[ or ]: the interval is cut where the figure cannot be smaller or larger."]
    : [];
}

const UNIT_TEXT: Readonly<Record<FigureUnit, string>> = {
  times: "×",
  percent: " %",
  "tok/s": " tok/s",
  ms: " ms",
  duration: "",
  index: "",
};

function inUnit(value: number | undefined, { unit, signed: withSign }: FigureView): string {
  if (value === undefined) return UNKNOWN;
  if (unit === "duration") return formatDurationMs(value);
  if (unit === "ms") return withSign ? signed(value, 0) : milliseconds(value);
  const decimals = unit === "times" || unit === "index" ? 2 : 1;
  return withSign ? signed(value, decimals) : formatNumber(value, decimals);
}

function withUnit(value: number | undefined, figure: FigureView): string {
  return value === undefined ? UNKNOWN : `${inUnit(value, figure)}${UNIT_TEXT[figure.unit]}`;
}

function signed(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals);
  if (Number(text) === 0) return text;
  return `${value < 0 ? "−" : "+"}${text}`;
}
