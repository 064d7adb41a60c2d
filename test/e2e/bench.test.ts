/** `slipway bench` from the outside, on the simulated engine that it starts itself. */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { summarySchema } from "../../src/record/summary-record.ts";
import { slipway, startSlipway, temporaryFolder } from "./slipway-process.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** A folder of its own for each test, so that the runs of one are not those of another. */
function place(name: string): { readonly cwd: string; readonly runs: () => readonly string[] } {
  const cwd = join(folder.path, name);
  mkdirSync(cwd);
  const runsDir = join(cwd, "runs");
  return {
    cwd,
    runs: () => (existsSync(runsDir) ? readdirSync(runsDir).map((run) => join(runsDir, run)) : []),
  };
}

function linesOf(run: string, file: string): readonly Record<string, unknown>[] {
  return readFileSync(join(run, file), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const SHORT = ["--simulated", "--requests", "1", "--output-tokens", "4", "--prompt-tokens", "16"];

describe("a benchmark without a server", () => {
  it("runs on the simulated engine, says so first, and leaves a whole run directory", async () => {
    const { cwd, runs } = place("whole");
    const { code, stdout, stderr } = await slipway(["bench", ...SHORT, "--runs", "2", "--seed", "7"], {
      cwd,
    });
    expect(code).toBe(0);
    expect(stdout.split("\n")[0]).toMatch(/^SIMULATED: no real server was measured/);
    expect(stderr).toContain("[4/4]");
    const [run] = runs() as [string];
    expect(readdirSync(run).sort()).toEqual(
      expect.arrayContaining([
        "analysis.json",
        "chunks.jsonl",
        "events.jsonl",
        "manifest.json",
        "report.md",
        "requests.jsonl",
        "summary.json",
        "telemetry.jsonl",
        "trials.jsonl",
      ]),
    );
    const manifest = JSON.parse(readFileSync(join(run, "manifest.json"), "utf8")) as Record<string, unknown>;
    expect(manifest).toMatchObject({ status: "complete", seed: 7, simulated: true, plannedTrials: 4 });
    const summary = summarySchema.parse(JSON.parse(readFileSync(join(run, "summary.json"), "utf8")));
    expect(summary.simulated).toBe(true);
    expect(readFileSync(join(run, "report.md"), "utf8")).toContain("SIMULATED");
    const measured = linesOf(run, "requests.jsonl").filter((record) => record["phase"] === "measured");
    // Two repeats of one solo agent and of all four, one request each.
    expect(measured).toHaveLength(2 * (1 + 4));
    expect(measured.every((record) => (record["tokens"] as { output: number }).output === 4)).toBe(true);
    expect(measured.every((record) => (record["tokens"] as { input: number }).input === 16)).toBe(true);
  });

  it("lists its cells in the order of the scenario, however its trials were shuffled", async () => {
    const { cwd, runs } = place("cell-order");
    await slipway(["bench", ...SHORT, "--runs", "1", "--seed", "7", "--agents", "1,2,3,4"], { cwd });
    const [run] = runs() as [string];
    const { cells } = JSON.parse(readFileSync(join(run, "manifest.json"), "utf8")) as {
      readonly cells: readonly { readonly label: string }[];
    };
    expect(cells.map(({ label }) => label.split(" ").at(-1))).toEqual(["N=1", "N=2", "N=3", "N=4"]);
    const asRun = new Set(linesOf(run, "trials.jsonl").map((trial) => trial["cell"]));
    expect([...asRun]).not.toEqual(cells.map(({ label }) => label));
  });

  it("leaves the documents that slipway report writes again", async () => {
    const { cwd, runs } = place("again");
    await slipway(["bench", ...SHORT, "--runs", "1", "--seed", "7"], { cwd });
    const [run] = runs() as [string];
    const documents = (): unknown => ({
      // The run's end is stamped after its documents are written.
      analysis: { ...JSON.parse(readFileSync(join(run, "analysis.json"), "utf8")), manifest: undefined },
      report: readFileSync(join(run, "report.md"), "utf8"),
    });
    const left = documents();
    const { code } = await slipway(["report", run], { cwd });
    expect(code).toBe(0);
    expect(documents()).toEqual(left);
  });

  it("prints exactly one JSON document on stdout when asked to", async () => {
    const { cwd } = place("json");
    const { code, stdout } = await slipway(["bench", ...SHORT, "--runs", "1", "--json"], { cwd });
    expect(code).toBe(0);
    const document = JSON.parse(stdout) as Record<string, unknown>;
    expect(document).toMatchObject({ status: "complete", summary: { version: 1, simulated: true } });
    expect(stdout.trim().split("\n")).toHaveLength(1);
  });

  it("makes a cell of each count of a ladder", async () => {
    const { cwd, runs } = place("ladder");
    await slipway(["bench", ...SHORT, "--runs", "1", "--agents", "1,2,3", "--no-solo"], { cwd });
    const trials = linesOf(runs()[0] as string, "trials.jsonl");
    const sizes = trials.map((trial) => (trial["agents"] as string[]).length).sort((a, b) => a - b);
    expect(sizes).toEqual([1, 2, 3]);
  });

  it("warns when there are more agents than slots, and says what to do", async () => {
    const { cwd } = place("slots");
    const { stdout } = await slipway(["bench", ...SHORT, "--runs", "1", "--agents", "3", "--slots", "1"], {
      cwd,
    });
    expect(stdout).toContain("SLOTS_BELOW_AGENTS");
    expect(stdout).toContain("--slots 3");
  });
});

describe("a benchmark that is broken off", () => {
  const LONG = [
    "bench",
    "--simulated",
    "--runs",
    "3",
    "--requests",
    "2",
    "--output-tokens",
    "60",
    "--seed",
    "3",
  ];

  it("by kill -9 keeps every finished request, and a resume completes exactly what is missing", async () => {
    const { cwd, runs } = place("killed");
    const running = startSlipway(LONG, { cwd });
    await running.stderrHas("[2/6]");
    running.kill("SIGKILL");
    await running.finished;
    const [run] = runs() as [string];
    const before = linesOf(run, "trials.jsonl").filter((trial) => trial["status"] === "complete");
    expect(before.length).toBeGreaterThanOrEqual(1);
    const resumed = await slipway(["bench", "--resume", run], { cwd });
    expect(resumed.stderr).toContain(`${before.length} of 6 trials are done`);
    expect(resumed.code).toBe(0);
    const trials = linesOf(run, "trials.jsonl").filter((trial) => trial["status"] === "complete");
    const ids = trials.map((trial) => trial["trialId"]);
    expect(ids).toHaveLength(6);
    expect(new Set(ids).size).toBe(6);
    // What had been measured was neither measured again nor touched.
    expect(trials.slice(0, before.length)).toEqual(before);
    expect(runs()).toHaveLength(1);
  });

  it("by Ctrl-C stops cleanly, reports what there is, says how to go on, and exits 130", async () => {
    const { cwd, runs } = place("interrupted");
    const running = startSlipway(LONG, { cwd });
    await running.stderrHas("[1/6]");
    running.kill("SIGINT");
    const { code, stderr } = await running.finished;
    expect(code).toBe(130);
    const [run] = runs() as [string];
    expect(stderr).toMatch(/interrupted; what was measured is kept\. Go on with: slipway bench --resume \S+/);
    const manifest = JSON.parse(readFileSync(join(run, "manifest.json"), "utf8")) as Record<string, unknown>;
    expect(manifest["status"]).toBe("interrupted");
    expect(existsSync(join(run, "summary.json"))).toBe(true);
  });

  it("cannot be taken up by two processes at once", async () => {
    const { cwd, runs } = place("locked");
    const running = startSlipway(LONG, { cwd });
    await running.stderrHas("[1/6]");
    const second = await slipway(["bench", "--resume", runs()[0] as string], { cwd });
    running.kill("SIGKILL");
    await running.finished;
    expect(second.code).toBe(3);
    expect(second.stderr).toContain("error RUN_LOCKED");
  });

  it("cannot be resumed as another scenario", async () => {
    const { cwd, runs } = place("mismatch");
    await slipway(["bench", ...SHORT, "--runs", "1"], { cwd });
    const other = await slipway(["bench", "solo", "--resume", runs()[0] as string], { cwd });
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("error RESUME_MISMATCH");
  });
});

describe("an external agent", () => {
  it("whose program is not there ends the run with its name, and the process ends too", async () => {
    const { cwd } = place("absent");
    writeFileSync(
      join(cwd, "absent.yaml"),
      `
name: absent
endpoints: { a: { url: simulated } }
agents:
  - { name: own, program: synthetic, endpoint: a, requests: 1, outputTokens: 4 }
  - { name: foreign, command: ["/no/such/program"], endpoint: a }
runs: 1
`,
    );
    const { code, stderr } = await slipway(["bench", "absent.yaml"], { cwd });
    expect(code).toBe(3);
    expect(stderr).toContain("error PROCESS_FAILED: cannot start /no/such/program");
    expect(stderr).toMatch(/slipway bench --resume \S+-absent-/);
  });

  const agentFile = resolve(import.meta.dirname, "../../examples/agents/summarise.mjs");

  it("is given a recording endpoint and leaves the same records as a built-in one", async () => {
    const { cwd, runs } = place("external");
    writeFileSync(
      join(cwd, "mixed.yaml"),
      `
name: mixed
endpoints: { a: { url: simulated } }
agents:
  - { name: own, program: synthetic, endpoint: a, requests: 1, outputTokens: 4 }
  - { name: foreign, command: ["${process.execPath}", "${agentFile}"], endpoint: a }
runs: 1
`,
    );
    const { code, stderr } = await slipway(["bench", "mixed.yaml"], { cwd });
    expect(stderr).not.toContain("FAILED");
    expect(code).toBe(0);
    const [run] = runs() as [string];
    const records = linesOf(run, "requests.jsonl").filter((record) => record["agent"] === "foreign");
    expect(records.length).toBeGreaterThanOrEqual(1);
    expect(records.every((record) => (record["outcome"] as { kind: string }).kind === "ok")).toBe(true);
    const trial = linesOf(run, "trials.jsonl").find((line) => line["kind"] === "together");
    const times = trial?.["agentTimes"] as { agent: string; process?: Record<string, number> }[];
    const facts = times.find((time) => time.agent === "foreign")?.process;
    expect(facts).toMatchObject({ exitCode: 0 });
    expect(facts?.["startupMs"]).toBeGreaterThan(0);
    expect(facts?.["rssPeakBytes"]).toBeGreaterThan(1e6);
  });
});
