/** One trial as lanes: what each agent waited for at every moment. */
import { formatDurationMs, formatNumber } from "../../core/units.ts";
import type { TimelineLane, TimelinePhase, TrialTimeline } from "../../analysis/timeline.ts";
import { TIMELINE_PHASES } from "../../analysis/timeline.ts";
import { labelWidth, rowAxis, valueAxis } from "./axes.ts";
import { INK } from "./palette.ts";
import type { MarkApi, Plot } from "./plot.ts";
import { FULL_WIDTH, label, textTable } from "./plot.ts";

const LANE_PX = 26;
/** Height says the phase again, for whoever does not tell the colours apart. */
const PHASE_PX: Readonly<Record<TimelinePhase, number>> = {
  wait: 3,
  prefill: 9,
  decode: 16,
  stall: 5,
  lost: 16,
};

const PHASE_TEXT: Readonly<Record<TimelinePhase, string>> = {
  wait: "waiting to be sent",
  prefill: "sent, no token yet (queue and prefill)",
  decode: "tokens arrive (decode)",
  stall: "stalled between tokens",
  lost: "request failed or cancelled",
};

/** `undefined` where nothing was under way. */
export function timelinePlot(timeline: TrialTimeline, allAgents: number): Plot | undefined {
  const { lanes, intervalMs, trialId, wallMs } = timeline;
  const phases = TIMELINE_PHASES.filter((phase) => isSeen(phase, timeline));
  if (phases.length === 0 || wallMs <= 0) return undefined;
  const names = lanes.map((lane) => label(lane.agent, 28));
  const left = labelWidth(names, 190);
  const cut =
    intervalMs === undefined
      ? "Every mark is one request's own time."
      : `Each mark is the phase that took most of its ${formatDurationMs(intervalMs)}.`;
  const hidden = allAgents > lanes.length ? ` Drawn are ${lanes.length} of ${allAgents} agents.` : "";
  return {
    title: "Timeline of one trial",
    description: described(timeline, phases),
    caption: `Trial ${trialId}, of its repeats the one of median length. ${cut}${hidden} From requests.jsonl and chunks.jsonl.`,
    legend: phases.map((phase) => ({ mark: "bar", ink: phase, text: PHASE_TEXT[phase] })),
    width: FULL_WIDTH,
    height: lanes.length * LANE_PX + 64,
    option: {
      grid: { left: left + 16, right: 24, top: 8, bottom: 48 },
      xAxis: valueAxis("x", {
        name: "seconds since all agents were let go",
        openEnd: true,
        min: 0,
        max: wallMs / 1000,
        format: (s) => formatNumber(s, s % 1 === 0 ? 0 : 1),
      }),
      yAxis: rowAxis(names, left),
      series: phases.map((phase) => phaseMarks(phase, lanes)),
    },
    table: textTable(
      ["agent", "requests", ...phases.map((phase) => `${phase} s`)],
      lanes.map((lane) => [
        lane.agent,
        String(lane.requests),
        ...phases.map((phase) => formatNumber(lane.totalMs[phase] / 1000, 2)),
      ]),
    ),
  };
}

/** Building and writing a request takes a moment that no drawing shows; the rare phases are never left out. */
function isSeen(phase: TimelinePhase, { lanes, wallMs }: TrialTimeline): boolean {
  const totalMs = lanes.reduce((sum, lane) => sum + lane.totalMs[phase], 0);
  return totalMs > (phase === "wait" ? LEAST_WAIT_SHARE * wallMs * lanes.length : 0);
}

const LEAST_WAIT_SHARE = 0.01;

/** One path per lane and phase: a thousand rectangles would be a thousand elements. */
function phaseMarks(phase: TimelinePhase, lanes: readonly TimelineLane[]): object {
  const height = PHASE_PX[phase];
  return {
    type: "custom",
    silent: true,
    clip: true,
    data: lanes.map((_, row) => [0, row]),
    renderItem: (params: { readonly dataIndex: number }, api: MarkApi) => {
      const lane = lanes[params.dataIndex];
      const marks = (lane?.segments ?? [])
        .filter((segment) => segment.phase === phase)
        .map(({ fromMs, toMs }) => {
          const [x, y] = api.coord([fromMs / 1000, params.dataIndex]);
          const [end] = api.coord([toMs / 1000, params.dataIndex]);
          const width = Math.max(end - x, 0.5);
          return `M${round(x)} ${round(y - height / 2)}h${round(width)}v${height}h${round(-width)}z`;
        });
      if (marks.length === 0) return undefined;
      return { type: "path", shape: { pathData: marks.join("") }, style: { fill: INK[phase] } };
    },
  };
}

function round(px: number): number {
  return Math.round(px * 10) / 10;
}

function described({ lanes, wallMs }: TrialTimeline, phases: readonly TimelinePhase[]): string {
  const total = (phase: TimelinePhase): number =>
    lanes.reduce((sum, lane) => sum + lane.totalMs[phase], 0) / 1000;
  const parts = phases.map((phase) => `${formatNumber(total(phase), 1)} s ${PHASE_TEXT[phase]}`);
  return `${lanes.length} agents over ${formatDurationMs(wallMs)}; summed over them ${parts.join(", ")}.`;
}
