/** A made run with everything that a report reads: ladder, matrix, solo trials, telemetry. */
import type { RunViews } from "../../src/analysis/run-views.ts";
import { readRunViews } from "../../src/analysis/run-views.ts";
import type { TelemetrySample } from "../../src/record/event-record.ts";
import type { RunManifest } from "../../src/record/run-manifest.ts";
import type { RunSource } from "../../src/record/run-source.ts";
import type { RunReport } from "../../src/report/html/page.ts";
import { toReportModel } from "../../src/report/model.ts";
import type { MadeTrial } from "./recorded-run.ts";
import { madeRun, steadyRequest } from "./recorded-run.ts";

export function sourceOf(
  trials: readonly MadeTrial[],
  manifest: Partial<RunManifest> = {},
  samples: readonly TelemetrySample[] = [],
): RunSource {
  return {
    ...madeRun(trials, manifest),
    path: "runs/made",
    notices: [],
    eachTelemetrySample: (visit) => samples.forEach(visit),
    eachEvent: () => undefined,
  };
}

export function reportOf(
  trials: readonly MadeTrial[],
  manifest: Partial<RunManifest> = {},
  samples: readonly TelemetrySample[] = [],
): RunReport & { readonly views: RunViews } {
  const views = readRunViews(sourceOf(trials, manifest, samples));
  return { views, model: toReportModel(views.analysis, { runDirectory: "runs/made" }) };
}

/** One block: each agent alone at 100 tok/s, and together at a share of it. */
export function block(options: {
  readonly repeat: number;
  readonly cell: string;
  readonly names: readonly string[];
  readonly parameters?: Readonly<Record<string, string | number>>;
  readonly togetherTokS: number;
  readonly record?: MadeTrial["record"];
}): readonly MadeTrial[] {
  const { repeat, cell, names, parameters = {}, togetherTokS, record = {} } = options;
  const common = { ...record, parameters };
  const requests = (tokS: number) => [steadyRequest(20, tokS), steadyRequest(20, tokS + repeat)];
  const [first = "agent"] = names;
  return [
    {
      kind: "solo",
      repeat,
      cell,
      agents: { [first]: requests(100) },
      record: { ...common, soloAgent: first, soloFor: names },
    },
    {
      kind: "together",
      repeat,
      cell,
      agents: Object.fromEntries(names.map((name) => [name, requests(togetherTokS)])),
      record: common,
    },
  ];
}

/** Twelve samples, half a second apart, with one GPU. */
export function samples(): readonly TelemetrySample[] {
  return Array.from({ length: 12 }, (_, index) => ({
    atNs: 1_000_000_000 + index * 500_000_000,
    gpus: [
      {
        index: 0,
        memoryUsedBytes: 6 * 1024 ** 3 + index * 1024 ** 2,
        utilizationPct: 50 + index,
        powerW: 200 + index,
      },
    ],
    memoryAvailableBytes: 10 * 1024 ** 3,
    memoryTotalBytes: 16 * 1024 ** 3,
    cpuPct: 20,
  }));
}
