import { expect, it } from "vitest";
import type { TelemetrySample } from "../record/event-record.ts";
import type { RunTelemetry } from "./telemetry-series.ts";
import { TelemetryFold } from "./telemetry-series.ts";

const NS_PER_S = 1_000_000_000;

function fold(samples: readonly TelemetrySample[]): RunTelemetry {
  const telemetry = new TelemetryFold();
  for (const sample of samples) telemetry.sample(sample);
  return telemetry.finish([]);
}

it("makes a series of what was sampled, and none of what was not", () => {
  const { series, seconds } = fold([
    { atNs: 5 * NS_PER_S, cpuPct: 10, gpus: [{ index: 1, powerW: 200 }] },
    { atNs: 7 * NS_PER_S, cpuPct: 30, gpus: [{ index: 1 }] },
  ]);
  expect(seconds).toBe(2);
  expect(series.map((one) => [one.figure, one.gpu, one.samples, one.low, one.mean, one.high])).toEqual([
    ["powerW", 1, 1, 200, 200, 200],
    ["cpuPct", undefined, 2, 10, 20, 30],
  ]);
});

it("takes memory in use as what is not available", () => {
  const { series } = fold([{ atNs: 0, memoryTotalBytes: 16, memoryAvailableBytes: 10 }]);
  expect(series[0]?.points).toEqual([{ atS: 0, low: 6, mean: 6, high: 6 }]);
});

it("cuts a long run into intervals that keep their lowest and highest sample", () => {
  const samples = Array.from({ length: 18_000 }, (_, index) => ({
    atNs: index * NS_PER_S,
    cpuPct: index === 9_000 ? 100 : 10,
  }));
  const [series] = fold(samples).series;
  expect(series?.points.length).toBeLessThanOrEqual(182);
  expect(Math.max(...(series?.points ?? []).map((point) => point.high))).toBe(100);
  expect(series?.mean).toBeCloseTo(10.005, 6);
});

it("goes on where it ended when the machine was started anew in between", () => {
  const { series, seconds } = fold([
    { atNs: 100 * NS_PER_S, cpuPct: 1 },
    { atNs: 104 * NS_PER_S, cpuPct: 1 },
    { atNs: 3 * NS_PER_S, cpuPct: 1 },
    { atNs: 5 * NS_PER_S, cpuPct: 1 },
  ]);
  expect(seconds).toBe(6);
  expect(series[0]?.points.map((point) => point.atS)).toEqual([0, 4, 6]);
});

it("knows nothing of a run without samples", () => {
  expect(fold([])).toEqual({ samples: 0, seconds: 0, series: [], togetherS: [] });
});
