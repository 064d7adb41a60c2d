import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { MadeTrial } from "../../../test/fakes/recorded-run.ts";
import { madeRun } from "../../../test/fakes/recorded-run.ts";
import { storeRun } from "../../../test/fakes/stored-run.ts";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { VirtualClock } from "../../core/clock.ts";
import { scenarioSchema } from "../../workload/scenario.ts";
import type { CliIo } from "../io.ts";
import { main } from "../main.ts";

const MAIN = "20260101T100000Z-quick-aaaa";
const BRANCH = "20260101T110000Z-quick-bbbb";
const NOISY = "20260101T120000Z-quick-cccc";

/** One agent, one request a trial; `ttftMs` of each repeat. */
function cell(label: string, ttftMs: readonly number[]): readonly MadeTrial[] {
  return ttftMs.map((ms, repeat) => ({
    kind: "together",
    cell: label,
    repeat,
    agents: { x: [{ ttftMs: ms, tokens: 100, decodeMs: 1000 + (repeat % 3) }] },
  }));
}

/** Of a run whose order is known; which agents it had does not matter here. */
const SPEC = {
  scenario: scenarioSchema.parse({
    name: "quick",
    endpoints: { a: { url: "http://127.0.0.1:1" } },
    agents: [{ name: "x", program: "synthetic", endpoint: "a" }],
  }),
};

const QUIET = [100, 101, 99, 100, 100];

function workplace() {
  const cwd = temporaryDirectory();
  const runs = join(cwd, "runs");
  const times = (factor: number) => QUIET.map((ms) => ms * factor);
  const store = (runId: string, trials: readonly MadeTrial[], simulated = false) =>
    storeRun(runs, madeRun(trials, { runId, simulated, spec: SPEC }));
  store(MAIN, [...cell("quick N=1", QUIET), ...cell("quick N=16", times(4))]);
  store(BRANCH, [...cell("quick N=1", times(1.2)), ...cell("quick N=16", times(4))]);
  store(NOISY, cell("quick N=1", [60, 150, 120]), true);
  const slipway = async (...args: readonly string[]) => {
    const said = { out: "", err: "" };
    const io: CliIo = {
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
      errIsTerminal: false,
      outIsTerminal: false,
      outColumns: 80,
      color: false,
      env: {},
      cwd,
      clock: new VirtualClock(),
      interrupted: new AbortController().signal,
    };
    return { exitCode: await main(["compare", ...args], io), ...said };
  };
  return { cwd, slipway };
}

describe("slipway compare", () => {
  it("compares every cell that both runs have", async () => {
    const { exitCode, out } = await workplace().slipway(MAIN, BRANCH, "--metrics", "ttftMsP50");
    expect(exitCode).toBe(0);
    expect(out).toMatchSnapshot();
  });

  it("exits with 1 where the gate is broken, 0 where it holds, 4 where trials cannot decide", async () => {
    const { slipway } = workplace();
    const gate = ["--gate", "ttftMsP50<+5%"];
    expect((await slipway(MAIN, BRANCH, ...gate)).exitCode).toBe(1);
    expect((await slipway(`${MAIN}:N=16`, `${BRANCH}:N=16`, ...gate)).exitCode).toBe(0);
    const undecided = await slipway(`${MAIN}:N=1`, NOISY, ...gate);
    expect(undecided.exitCode).toBe(4);
    expect(undecided.out).toMatch(/Gate inconclusive[\s\S]*About \d+ repeats of each/);
    expect(undecided.out).toMatch(/^COMPARISON\n\nSIMULATED/);
    expect(undecided.out).toContain("SIMULATED_AND_REAL");
  });

  it("does not pass on the cells that are left of A, unless it is told to", async () => {
    const { cwd, slipway } = workplace();
    const gate = ["--gate", "ttftMsP50<+50%", "--junit", "gate.xml"];
    const lost = await slipway(BRANCH, `${BRANCH}:N=1`, "--gate", "ttftMsP50<+50%").then(({ err }) => err);
    expect(lost).toContain("both sides name the same trials");
    storeRun(
      join(cwd, "runs"),
      madeRun(cell("quick N=1", QUIET), { runId: "20260101T140000Z-quick-eeee", spec: SPEC }),
    );
    const half = await slipway(MAIN, "20260101T14", ...gate);
    expect(half.exitCode).toBe(4);
    expect(half.out).toContain("Gate inconclusive: 1 passed of 1 check, and B lacks one cell of A.");
    expect(half.out).toContain("inconclusive: quick N=16: not in B.");
    expect(readFileSync(join(cwd, "gate.xml"), "utf8")).toContain('tests="2" failures="0" errors="1"');
    expect((await slipway(MAIN, "20260101T14", ...gate, "--allow-missing-cells")).exitCode).toBe(0);
  });

  it("names a cell by a word of its label, its hash or the whole label", async () => {
    const { slipway } = workplace();
    for (const name of ["N=16", "quick N=16", "hash-quick N=16"]) {
      const { out, exitCode } = await slipway(`${MAIN}:N=1`, `${MAIN}:${name}`, "--metrics", "ttftMsP50");
      expect(exitCode).toBe(0);
      expect(out).toContain("quick N=1 → quick N=16");
      expect(out).toContain("compared in pairs");
    }
  });

  it("writes one JSON document, JUnit and Markdown", async () => {
    const { cwd, slipway } = workplace();
    const files = ["--junit", "out/gate.xml", "--markdown", "out/gate.md"];
    const { out } = await slipway(MAIN, BRANCH, "--gate", "ttftMsP50<+5%,decodeTps>-3%", "--json", ...files);
    expect(JSON.parse(out)).toMatchObject({
      comparison: { familySize: 4, pairs: [{ a: { label: "quick N=1" } }, { a: { label: "quick N=16" } }] },
      gate: { verdict: "failed" },
    });
    expect(readFileSync(join(cwd, "out/gate.xml"), "utf8")).toContain('tests="4" failures="1" errors="0"');
    expect(readFileSync(join(cwd, "out/gate.md"), "utf8")).toMatch(/^## Comparison\n\n\*\*Gate failed/);
  });

  it("takes results that were measured elsewhere, as far as they go", async () => {
    const { cwd, slipway } = workplace();
    const tests = [
      { name: "test_1", values: [1.8, 1.82, 1.79] },
      { name: "test_2", values: [1.95, 1.97, 1.96] },
    ];
    const configurations = tests.map(({ name, values }) => ({
      test: name,
      scenario: "chimera_homo",
      parameters: { numGpu: [60, 80] },
      runs: values.map((value, index) => ({
        run: index + 1,
        concurrency_speedup: value,
        efficiency_percent: value * 50,
        agents: [],
      })),
    }));
    const run = madeRun([], { runId: "20260101T130000Z-study-dddd", imported: { files: [] } });
    const path = storeRun(join(cwd, "runs"), run);
    const summary = {
      version: 1,
      run_id: run.manifest.runId,
      scenario: "imported",
      simulated: false,
      imported: true,
    };
    writeFileSync(
      join(path, "summary.json"),
      JSON.stringify({ ...summary, configurations, overall: { configurations: 2, runs: 6 } }),
    );
    const { out, exitCode } = await slipway(
      "20260101T13:test_1",
      "20260101T13:test_2",
      "--metrics",
      "balanceIndex,ttftMsP50",
    );
    expect(exitCode).toBe(0);
    // 5.41 ÷ 5.88: means of 1.8033 and 1.96.
    expect(out.replaceAll(/\s+/g, " ")).toContain("Balance index rose by 8.7 %");
    expect(out.replaceAll(/\s+/g, " ")).toContain(
      "3 trials each, not in pairs: nothing is known of the order in which they ran.",
    );
    expect(out.replaceAll(/\s+/g, " ")).toContain(
      "Median TTFT: not compared, no trial of either side has it.",
    );
    expect((await slipway("20260101T13", MAIN, BRANCH)).exitCode).toBe(2);
  });

  it("prints one table of stacks for three runs", async () => {
    const { out, exitCode } = await workplace().slipway(`${MAIN}:N=1`, `${BRANCH}:N=1`, NOISY);
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^STACKS UNDER THE SAME WORK/);
    expect(out).toContain(`C: ${NOISY}, quick N=1, model unknown, SIMULATED`);
  });
});

describe("what slipway compare refuses", () => {
  it.each<readonly [string, readonly string[], string]>([
    ["one run", [MAIN], "two runs or cells at least"],
    ["a run with itself", [MAIN, MAIN], "both sides name the same trials"],
    ["a run that is not there", [MAIN, "20260101T99"], "no run in"],
    ["a cell that is not there", [MAIN, `${BRANCH}:N=3`], 'name one of: "quick N=1", "quick N=16"'],
    ["a gate with a slip", [MAIN, BRANCH, "--gate", "ttftMsP50<5%"], "at character 11: expected a sign"],
    [
      "a metric that does not exist",
      [MAIN, BRANCH, "--metrics", "ttft"],
      "names a figure that does not exist",
    ],
    [
      "missing cells without a gate",
      [MAIN, BRANCH, "--allow-missing-cells"],
      "says what a gate may overlook",
    ],
    ["a margin of nothing", [MAIN, BRANCH, "--margin", "0"], "--margin is not a share"],
    ["a gate on three runs", [MAIN, BRANCH, NOISY, "--gate", "wallMs<+5%"], "one run against one other"],
  ])("%s", async (_what, args, expected) => {
    const { exitCode, err } = await workplace().slipway(...args);
    expect(err).toContain(expected);
    expect(exitCode).toBe(2);
  });
});
