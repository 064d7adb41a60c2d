/** Every format version that was ever written stays readable: a committed sample of each is read. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Membership } from "../record/run-source.ts";
import { RUN_FORMAT_VERSION } from "../record/run-manifest.ts";
import { listRuns } from "./list-runs.ts";
import { readRun, readSummary } from "./read-run.ts";

const SAMPLES = fileURLToPath(new URL("../../test/fixtures/runs", import.meta.url));

test("there is a sample of every version up to the present one", () => {
  expect(listRuns(SAMPLES).map((run) => run.runId)).toEqual(
    Array.from({ length: RUN_FORMAT_VERSION }, (_, index) => `version-${index + 1}`),
  );
});

describe("version 1", () => {
  const path = `${SAMPLES}/version-1`;

  test("gives its trials, of which one was cut short", () => {
    const run = readRun(path);
    expect(run.manifest).toMatchObject({
      formatVersion: 1,
      seed: 42,
      status: "interrupted",
      plannedTrials: 3,
    });
    expect(run.trials.map((trial) => [trial.trialId, trial.kind, trial.status])).toEqual([
      ["5f0c1d2e-r0-solo-collector", "solo", "complete"],
      ["5f0c1d2e-r0-together", "together", "complete"],
      ["5f0c1d2e-r0-solo-insight", "solo", "interrupted"],
    ]);
    expect(run.trials[1]?.warnings).toEqual([
      {
        code: "slots-below-agents",
        message: "endpoint a has 1 slot for 2 agents",
        remedy: "start it with --parallel 2",
      },
    ]);
  });

  test("gives its requests, with the attempt that a resume replaced and the trial cut short set apart", () => {
    const run = readRun(path);
    const seen: [string, string, Membership][] = [];
    run.eachRequest((request, membership) =>
      seen.push([request.requestId, request.outcome.kind, membership]),
    );
    expect(seen).toEqual([
      ["5f0c1d2e-r0-solo-collector/collector/w0", "ok", "finished"],
      ["5f0c1d2e-r0-solo-collector/collector/0", "ok", "finished"],
      ["5f0c1d2e-r0-together/collector/0", "ok", "unfinished"],
      ["5f0c1d2e-r0-together/collector/0", "ok", "finished"],
      ["5f0c1d2e-r0-together/insight/0", "failed", "finished"],
      ["5f0c1d2e-r0-together/insight/0.r1", "ok", "finished"],
      ["5f0c1d2e-r0-solo-insight/insight/0", "cancelled", "unfinished"],
    ]);
  });

  test("gives its chunks, samples, events and summary, and nothing to complain about", () => {
    const run = readRun(path);
    const counts = { chunks: 0, samples: 0, events: 0 };
    run.eachChunk((chunk) => {
      counts.chunks++;
      expect(chunk.gapsUs).toEqual([20_000, 20_000, 20_000]);
    });
    run.eachTelemetrySample(() => counts.samples++);
    run.eachEvent(() => counts.events++);
    expect(counts).toEqual({ chunks: 5, samples: 2, events: 2 });
    expect(run.notices).toEqual([]);
    expect(readSummary(path)).toMatchObject({
      configurations: [
        { runs: [{ concurrency_speedup: 2, agents: [{ retention: 0.55 }, { agent: "insight" }] }] },
      ],
      overall: { concurrency_speedup: { n: 1 } },
    });
  });
});
