/** The main job, whole: the program itself runs agents on two real servers, and what it wrote is read back. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { realClock } from "../../src/core/clock.ts";
import { plainEnvironment, runProgram } from "../../src/core/process.ts";
import type { RequestRecord } from "../../src/record/request-record.ts";
import type { RunManifest } from "../../src/record/run-manifest.ts";
import type { TrialRecord } from "../../src/record/trial-record.ts";
import { describeOn, findLlamaServer, startLlamaServer } from "./servers.ts";

const SLIPWAY = fileURLToPath(new URL("../../bin/slipway.js", import.meta.url));
const BENCH_LIMIT_MS = 120_000;

describeOn(findLlamaServer(), "slipway bench on two real llama-servers", (program) => {
  it("runs chimera_homo and writes down what happened", async () => {
    const folder = mkdtempSync(join(tmpdir(), "slipway-bench-"));
    const servers = await Promise.all([1, 2].map(() => startLlamaServer(program, { threads: 1 })));
    try {
      const [a, b] = servers.map((server) => server.url);
      const args = [
        SLIPWAY,
        "bench",
        "chimera_homo",
        "--runs",
        "2",
        "--model",
        "tiny.gguf",
        "--runs-dir",
        folder,
      ];
      const exit = await runProgram(
        {
          command: process.execPath,
          args: [...args, "--endpoint", `a=${a}`, "--endpoint", `b=${b}`],
          env: plainEnvironment(),
        },
        realClock,
        BENCH_LIMIT_MS,
      );
      expect(exit.stderrTail).not.toContain("error ");
      expect(exit.code).toBe(0);
      const shown = exit.stdoutLines.join("\n");
      expect(shown).toMatch(/true speedup +\d/);
      expect(shown).not.toContain("SIMULATED");

      const run = join(folder, readdirSync(folder)[0] as string);
      expectTheRun(run, [a, b]);
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** Two repeats of two solo trials and one together; each agent makes two calls in a trial. */
function expectTheRun(run: string, urls: readonly (string | undefined)[]): void {
  const manifest = JSON.parse(readFileSync(join(run, "manifest.json"), "utf8")) as RunManifest;
  expect(manifest).toMatchObject({ scenario: "chimera_homo", status: "complete", simulated: false });
  const facts = manifest.endpoints.map(({ url, engine, slots }) => ({ url, engine, slots }));
  // In the order in which trials first used them, which is random.
  expect(facts).toHaveLength(2);
  expect(facts).toEqual(
    expect.arrayContaining(urls.map((url) => ({ url, engine: "llama-server", slots: 4 }))),
  );

  const trials = readLines<TrialRecord>(join(run, "trials.jsonl"));
  expect(trials.map((trial) => trial.soloAgent ?? "together").sort()).toEqual(
    ["collector", "collector", "insight", "insight", "together", "together"].sort(),
  );
  expect(trials.every((trial) => trial.status === "complete" && trial.failures === 0)).toBe(true);

  const measured = readLines<RequestRecord>(join(run, "requests.jsonl")).filter(
    (request) => request.phase === "measured",
  );
  expect(measured.length).toBe(16);
  for (const { outcome, stamps, tokens, simulated } of measured) {
    expect(outcome).toEqual({ kind: "ok" });
    expect(simulated).toBe(false);
    expect(tokens.outputSource).toBe("engine");
    expect(tokens.input).toBeGreaterThan(0);
    const order = [
      stamps.scheduledNs,
      stamps.sentNs,
      stamps.firstByteNs,
      stamps.firstTokenNs,
      stamps.lastTokenNs,
    ];
    expect([...order, stamps.endNs]).toEqual([...order, stamps.endNs].sort((x, y) => (x ?? 0) - (y ?? 0)));
  }
  expect(new Set(measured.map(({ agent, endpoint }) => `${agent} on ${endpoint}`)).size).toBe(2);
}

function readLines<T>(path: string): T[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}
