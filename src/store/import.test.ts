import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "../../test/fakes/temporary-directory.ts";
import { VirtualClock } from "../core/clock.ts";
import type { EventRecord } from "../record/event-record.ts";
import { importResults } from "./import.ts";
import { listRuns } from "./list-runs.ts";
import { readRun, readSummary } from "./read-run.ts";

const clock = new VirtualClock();

/** Two runs of one configuration; the means are 1.6 and 80. */
const STUDY = {
  test: "test005",
  scenario: "baseline_vs_chimera",
  parameters: { num_gpu: 120, num_ctx: [512, 1024], temperature: 0.8 },
  runs: [
    {
      concurrency_speedup: 1.95,
      efficiency_percent: 97.5,
      throughput_delta: 1.5,
      ttft_delta_ms: -100,
      resource_contention_detected: false,
    },
    {
      concurrency_speedup: 1.25,
      efficiency_percent: 62.5,
      throughput_delta: -0.5,
      ttft_delta_ms: -2300,
      resource_contention_detected: true,
    },
  ],
};

function importing(contents: Readonly<Record<string, unknown>>) {
  const directory = temporaryDirectory();
  const files = Object.entries(contents).map(([name, content]) => {
    const path = join(directory, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  });
  const runsDir = join(directory, "runs");
  const run = () =>
    importResults({
      files,
      runsDir,
      scenario: "imported",
      seed: 5,
      slipwayVersion: "0.1.0",
      command: ["runs", "import", ...Object.keys(contents)],
      clock,
    });
  return { run, runsDir };
}

describe("an import", () => {
  test("becomes a complete run that says where it comes from and keeps the file unchanged", () => {
    const { run, runsDir } = importing({ "results.json": STUDY });
    const { path, summary } = run();
    expect(summary).toEqual({
      version: 1,
      run_id: expect.stringMatching(/^19700101T000000Z-baseline_vs_chimera-[0-9a-f]{4}$/) as string,
      scenario: "baseline_vs_chimera",
      simulated: false,
      imported: true,
      configurations: [
        {
          ...STUDY,
          runs: STUDY.runs.map((one, index) => ({ ...one, run: index + 1, agents: [] })),
          average_concurrency_speedup: 1.6,
          average_efficiency: 80,
          average_throughput_delta: 0.5,
          average_ttft_delta_ms: -1200,
          contention_runs: 1,
        },
      ],
      overall: {
        configurations: 1,
        runs: 2,
        average_concurrency_speedup: 1.6,
        average_efficiency: 80,
        average_throughput_delta: 0.5,
        average_ttft_delta_ms: -1200,
        contention_runs: 1,
      },
    });
    expect(readSummary(path)).toEqual(summary);
    const { manifest } = readRun(path);
    expect(manifest).toMatchObject({
      status: "complete",
      imported: { files: [{ name: "results.json", storedAs: "imported-1.json" }] },
      endpoints: [],
    });
    expect(JSON.parse(readFileSync(join(path, "imported-1.json"), "utf8"))).toEqual(STUDY);
    expect(listRuns(runsDir)).toMatchObject([{ kind: "readable", status: "complete" }]);
  });

  test("takes one file per test, named by its folder, and lists, and our own summary.json", () => {
    const { test: _, ...unnamed } = STUDY;
    const first = importing({
      "test018/summary.json": unnamed,
      "sweep.json": [unnamed, { ...STUDY, test: "own" }],
    }).run();
    expect(first.summary.configurations.map((one) => one.test)).toEqual(["test018", "sweep-1", "own"]);
    const again = importing({ "ours.json": first.summary }).run();
    expect(again.summary.configurations).toEqual(first.summary.configurations);
  });

  test("takes published averages without their runs, null as unknown, and a byte-order mark", () => {
    const { summary } = importing({
      "published.json": `\uFEFF{"test":"test018","average_efficiency":99.356,"average_concurrency_speedup":null}`,
    }).run();
    expect(summary.configurations).toEqual([
      { test: "test018", scenario: "imported", parameters: {}, runs: [], average_efficiency: 99.356 },
    ]);
    expect(summary.overall).toEqual({ configurations: 1, runs: 0 });
  });

  test("averages over configurations of equal work and agents alone, and says why where there are none", () => {
    const settings = { ...STUDY, test: "test006", parameters: { num_gpu: 80 } };
    const alike = importing({ "sweep.json": [STUDY, settings] }).run();
    expect(alike.summary.overall).toMatchObject({ runs: 4, average_concurrency_speedup: 1.6 });
    expect(alike.notes).toEqual([]);

    const other = { ...STUDY, test: "test030", scenario: "chimera_homo" };
    const scenarios = importing({ "sweep.json": [STUDY, other] }).run();
    expect(scenarios.summary.overall).toEqual({ configurations: 2, runs: 4, contention_runs: 2 });
    expect(scenarios.notes).toEqual(["no averages over all 2 configurations: their scenarios differ"]);

    const listing = (...agents: readonly string[]) => ({
      ...STUDY,
      test: agents.join("+"),
      runs: STUDY.runs.map((run) => ({
        ...run,
        efficiency_percent: (run.concurrency_speedup / agents.length) * 100,
        agents: agents.map((agent) => ({ agent })),
      })),
    });
    const counts = importing({ "sweep.json": [listing("a", "b"), listing("a", "b", "c")] }).run();
    expect(counts.summary.overall).not.toHaveProperty("average_efficiency");
    expect(counts.notes).toEqual(["no averages over all 2 configurations: their agent counts differ"]);
  });

  test("keeps published figures and notes those that do not follow from their runs", () => {
    const published = {
      ...STUDY,
      average_concurrency_speedup: 1.8321,
      average_efficiency: 80.1,
      contention_runs: 0,
      runs: [STUDY.runs[0], { ...STUDY.runs[1], efficiency_percent: 70 }],
    };
    const { path, summary, notes } = importing({ "published.json": published }).run();
    expect(summary.configurations[0]).toMatchObject({
      average_concurrency_speedup: 1.8321,
      contention_runs: 0,
    });
    expect(notes).toEqual([
      "test005: average_concurrency_speedup is given as 1.8321, its runs give 1.6000",
      "test005: average_efficiency is given as 80.1, its runs give 83.7500",
      "test005: contention_runs is given as 0, its runs give 1",
      "test005 run 2: efficiency_percent is given as 70, its speedup gives 62.50",
    ]);
    const events: EventRecord[] = [];
    readRun(path).eachEvent((event) => events.push(event));
    expect(events.map((event) => event.message)).toEqual(notes);
  });
});

describe("a file that breaks the form is refused, and no run is made", () => {
  const [firstRun] = STUDY.runs;
  test.each([
    ["not JSON", "{", /is not JSON$/, expect.any(String)],
    [
      "a negative speedup",
      { ...STUDY, runs: [{ ...firstRun, concurrency_speedup: -1 }] },
      /field runs\.0\.concurrency_speedup: Too small/,
      "runs.0.concurrency_speedup = -1",
    ],
    [
      "a missing efficiency",
      { configurations: [STUDY, { test: "b", runs: [{ concurrency_speedup: 2 }] }] },
      /configurations\[1\]: field runs\.0\.efficiency_percent/,
      "runs.0.efficiency_percent = undefined",
    ],
    [
      "a text for a flag",
      { ...STUDY, runs: [{ ...firstRun, resource_contention_detected: "no" }] },
      /field runs\.0\.resource_contention_detected/,
      'runs.0.resource_contention_detected = "no"',
    ],
    ["nothing measured", { test: "empty" }, /needs runs, average_efficiency/, expect.any(String)],
    ["an empty list", [], /holds no configuration/, "an empty list"],
    ["two of one name", [STUDY, STUDY], /same name/, "test = test005"],
    ["deep nesting", `${"[".repeat(5000)}${"]".repeat(5000)}`, /nests too deep/, "more than 64 levels"],
  ])("%s", (_, content, message, received) => {
    const { run, runsDir } = importing({ "foreign.json": content });
    expect(run).toThrow(
      expect.objectContaining({
        code: "IMPORT_INVALID",
        message: expect.stringMatching(message) as string,
        received: received as unknown,
      }),
    );
    expect(listRuns(runsDir)).toEqual([]);
  });

  test("a file that is missing", () => {
    const { run, runsDir } = importing({ "a.json": STUDY });
    const missing = { files: ["/nowhere/at-all.json"], runsDir, scenario: "x", seed: 1 };
    expect(() => importResults({ ...missing, slipwayVersion: "0", command: [], clock })).toThrow(
      expect.objectContaining({ code: "FILE_NOT_FOUND" }),
    );
    run();
    expect(readdirSync(runsDir)).toHaveLength(1);
  });
});
