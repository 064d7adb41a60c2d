/** What each agent gets alone and what it keeps together, with the share that an ideal device leaves. */
import { formatNumber } from "../../core/units.ts";
import type { AgentSummary } from "../../analysis/cell.ts";
import { labelWidth, niceCeiling, rowAxis, valueAxis } from "./axes.ts";
import { INK } from "./palette.ts";
import type { MarkApi, Plot } from "./plot.ts";
import { distinctParts, FULL_WIDTH, label, textTable } from "./plot.ts";

export interface ThroughputRow {
  readonly cell: string;
  readonly agent: AgentSummary;
}

const ROW_PX = 26;
const MOST_ROWS = 64;

/** `undefined` where no agent has a rate. */
export function throughputPlot(
  cells: readonly { label: string; agents: readonly AgentSummary[] }[],
): Plot | undefined {
  const known = cells.flatMap((cell) =>
    cell.agents
      .filter((agent) => agent.throughputTokS !== undefined)
      .map((agent): ThroughputRow => ({ cell: cell.label, agent })),
  );
  if (known.length === 0) return undefined;
  const rows = known.slice(0, MOST_ROWS);
  const cellNames = distinctParts(cells.map((cell) => cell.label));
  const nameOf = new Map(cells.map((cell, index) => [cell.label, cellNames[index] as string]));
  const names = rows.map(({ cell, agent }) =>
    label(cells.length > 1 ? `${nameOf.get(cell)} · ${agent.agent}` : agent.agent),
  );
  const most = Math.max(
    ...rows.flatMap(({ agent }) => [agent.throughputTokS?.max ?? 0, agent.soloThroughputTokS?.max ?? 0]),
  );
  const left = labelWidth(names, 300);
  return {
    title: "Throughput of each agent, alone and together",
    description: described(known),
    caption: `Means over trials; the bar is the 95 % interval of the mean together. From requests.jsonl: Σ output tokens ÷ Σ (end − sent).${known.length > rows.length ? ` Drawn are the first ${rows.length} of ${known.length} agents; the table has all.` : ""}`,
    legend: [
      { mark: "dot", ink: "together", text: "together" },
      ...(rows.some(({ agent }) => agent.soloThroughputTokS !== undefined)
        ? ([{ mark: "ring", ink: "alone", text: "alone" }] as const)
        : []),
      ...(rows.some(({ agent }) => idealOf(agent) !== undefined)
        ? ([{ mark: "tick", ink: "ideal", text: "left by an ideal shared device" }] as const)
        : []),
    ],
    width: FULL_WIDTH,
    height: rows.length * ROW_PX + 64,
    option: {
      grid: { left: left + 16, right: 24, top: 12, bottom: 48 },
      xAxis: valueAxis("x", { name: "output tokens per second", min: 0, max: niceCeiling(most * 1.04) }),
      yAxis: rowAxis(names, left),
      series: [spans(rows)],
    },
    table: textTable(
      [
        ...(cells.length > 1 ? ["configuration"] : []),
        "agent",
        "alone tok/s",
        "together tok/s",
        "kept",
        "ideal: shared",
      ],
      known.map(({ cell, agent }) => [
        ...(cells.length > 1 ? [cell] : []),
        agent.agent,
        formatNumber(agent.soloThroughputTokS?.mean),
        formatNumber(agent.throughputTokS?.mean),
        percent(agent.retention?.mean),
        percent(agent.nullShared),
      ]),
      cells.length > 1 ? 2 : 1,
    ),
  };
}

function idealOf(agent: AgentSummary): number | undefined {
  return agent.nullShared === undefined || agent.soloThroughputTokS === undefined
    ? undefined
    : agent.nullShared * agent.soloThroughputTokS.mean;
}

function spans(rows: readonly ThroughputRow[]): object {
  return {
    type: "custom",
    silent: true,
    clip: true,
    data: rows.map(({ agent }, row) => {
      const { throughputTokS: together } = agent;
      const interval = together?.spread.kind === "known" ? together.spread.ci95 : undefined;
      return [
        together?.mean ?? Number.NaN,
        row,
        agent.soloThroughputTokS?.mean ?? Number.NaN,
        idealOf(agent) ?? Number.NaN,
        interval?.low ?? Number.NaN,
        interval?.high ?? Number.NaN,
      ];
    }),
    renderItem: (_: unknown, api: MarkApi) => {
      const y = api.coord([0, api.value(1)])[1];
      const x = (dimension: number): number => api.coord([api.value(dimension), 0])[0];
      const [together, alone, ideal, low, high] = [x(0), x(2), x(3), x(4), x(5)];
      const line = (x1: number, x2: number, ink: string, lineWidth: number): object => ({
        type: "line",
        shape: { x1, y1: y, x2, y2: y },
        style: { stroke: ink, lineWidth },
      });
      return {
        type: "group",
        children: [
          ...(Number.isFinite(alone) ? [line(together, alone, INK.line, 3)] : []),
          ...(Number.isFinite(ideal)
            ? [
                {
                  type: "line",
                  shape: { x1: ideal, y1: y - 8, x2: ideal, y2: y + 8 },
                  style: { stroke: INK.ideal, lineWidth: 2 },
                },
              ]
            : []),
          ...(Number.isFinite(low) && Number.isFinite(high) ? [line(low, high, INK.together, 2)] : []),
          ...(Number.isFinite(alone)
            ? [
                {
                  type: "circle",
                  shape: { cx: alone, cy: y, r: 5 },
                  style: { fill: INK.paper, stroke: INK.alone, lineWidth: 2 },
                },
              ]
            : []),
          { type: "circle", shape: { cx: together, cy: y, r: 5 }, style: { fill: INK.together } },
        ],
      };
    },
  };
}

function percent(share: number | undefined): string {
  return share === undefined ? "–" : `${(share * 100).toFixed(0)} %`;
}

function described(rows: readonly ThroughputRow[]): string {
  const together = rows.map(({ agent }) => agent.throughputTokS?.mean as number);
  const alone = rows.map(({ agent }) => agent.soloThroughputTokS?.mean).filter((mean) => mean !== undefined);
  const range = (values: readonly number[]): string =>
    `${formatNumber(Math.min(...values))} to ${formatNumber(Math.max(...values))} tokens per second`;
  return `Together, agents get ${range(together)}; alone, ${alone.length === 0 ? "unknown" : range(alone)}.`;
}
