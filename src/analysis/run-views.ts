/** Everything that a report draws, from one pass over each file of the run. */
import type { TelemetrySample } from "../record/event-record.ts";
import type { RunNotice, RunSource } from "../record/run-source.ts";
import type { TrialRecord } from "../record/trial-record.ts";
import type { RunAnalysis } from "./analyse-run.ts";
import { analyseRun } from "./analyse-run.ts";
import type { CellEcdfs } from "./ecdf.ts";
import { EcdfFold } from "./ecdf.ts";
import type { RunInsight } from "./insight/run-insight.ts";
import { runInsight } from "./insight/run-insight.ts";
import type { Recommendations } from "./recommend/recommend.ts";
import { recommend } from "./recommend/recommend.ts";
import type { RunTelemetry } from "./telemetry-series.ts";
import { TelemetryFold } from "./telemetry-series.ts";
import type { TrialTimeline } from "./timeline.ts";
import { TimelineFold, typicalTrials } from "./timeline.ts";

export interface RunViews {
  readonly analysis: RunAnalysis;
  readonly trials: readonly TrialRecord[];
  readonly insight: RunInsight;
  readonly recommendations: Recommendations;
  /** By cell hash. */
  readonly ecdfs: ReadonlyMap<string, CellEcdfs>;
  /** Of one typical trial per cell, by cell hash. */
  readonly timelines: ReadonlyMap<string, TrialTimeline>;
  readonly telemetry: RunTelemetry;
  /** What the reader of the files had to tell. */
  readonly notices: readonly RunNotice[];
}

/** Held to look for what stood beside an outlier: half a day at one each second, some 50 MB. */
const MOST_SAMPLES_HELD = 50_000;

/** Throws what the source throws when it cannot be read. */
export function readRunViews(source: RunSource): RunViews {
  const ecdf = new EcdfFold(source.trials);
  const timeline = new TimelineFold(typicalTrials(source.trials));
  const telemetry = new TelemetryFold();
  const analysis = analyseRun({
    manifest: source.manifest,
    trials: source.trials,
    get notices() {
      return source.notices;
    },
    eachRequest: (visit) =>
      source.eachRequest((record, membership) => {
        visit(record, membership);
        ecdf.request(record, membership);
        timeline.request(record, membership);
      }),
    eachChunk: (visit) =>
      source.eachChunk((record, membership) => {
        visit(record, membership);
        ecdf.chunks(record, membership);
        timeline.chunks(record, membership);
      }),
  });
  const samples: TelemetrySample[] = [];
  source.eachTelemetrySample((sample) => {
    telemetry.sample(sample);
    if (samples.length < MOST_SAMPLES_HELD) samples.push(sample);
  });
  return {
    analysis,
    trials: source.trials,
    insight: runInsight(analysis, { trials: source.trials, telemetry: samples }),
    recommendations: recommend(analysis),
    ecdfs: new Map(
      analysis.cells.map((cell) => [cell.hash, ecdf.cell(cell.hash, cell.agentNames, cell.rolesAlike)]),
    ),
    timelines: new Map(timeline.finish().map((one) => [one.cellHash, one])),
    telemetry: telemetry.finish(source.trials),
    notices: source.notices,
  };
}
