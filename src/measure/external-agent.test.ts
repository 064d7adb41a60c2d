import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { SSE, record, upstream } from "../../test/fakes/recording-fixture.ts";
import type { Recording } from "../../test/fakes/recording-fixture.ts";
import { VirtualClock, realClock } from "../core/clock.ts";
import { runExternalAgent } from "./external-agent.ts";
import type { ExternalAgentOptions, ExternalAgentResult } from "./external-agent.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));

interface ExampleAgent {
  readonly language: string;
  readonly command: readonly [string, ...string[]];
  /** Why it cannot run here. */
  readonly skipped?: string;
}

const EXAMPLE_AGENTS: readonly ExampleAgent[] = [
  { language: "Node", command: [process.execPath, `${EXAMPLES}agents/summarise.mjs`] },
  {
    language: "Python",
    command: ["python3", `${EXAMPLES}agents/summarise.py`],
    ...(spawnSync("python3", ["--version"]).status !== 0 && { skipped: "python3 is not on the PATH" }),
  },
];

const IDLE_RECORDING = { url: "http://127.0.0.1:1", firstRequestNs: undefined, busyNs: () => 0 };

function run(
  command: readonly [string, ...string[]],
  extra: Partial<ExternalAgentOptions> = {},
): Promise<ExternalAgentResult> {
  return runExternalAgent({
    command,
    environment: {},
    recording: IDLE_RECORDING,
    model: "tiny",
    agentName: "foreign",
    corpusPath: `${EXAMPLES}corpus`,
    clock: realClock,
    limitMs: 60_000,
    ...extra,
  });
}

function node(script: string): readonly [string, ...string[]] {
  return [process.execPath, "-e", script];
}

/** Dead is also what only waits for whatever reaps orphans here. */
function isAlive(pid: number): boolean {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && !/\) [ZX] /.test(readFileSync(path, "latin1"));
}

/** A killed process closes its pipes a moment before it counts as dead; one that lives on fails by the test's timeout. */
async function death(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((next) => setImmediate(next));
}

async function runExample(
  command: readonly [string, ...string[]],
): Promise<{ readonly result: ExternalAgentResult; readonly recording: Recording }> {
  const url = await upstream((_request, response) => response.end(SSE));
  const recording = await record(url, { agent: "foreign", nonce: "[7f3a] " });
  return { result: await run(command, { recording: recording.endpoint, nonce: "[7f3a] " }), recording };
}

describe("an external agent", () => {
  it.for(EXAMPLE_AGENTS)(
    "in $language is measured without being changed",
    async ({ command, skipped }, test) => {
      if (skipped !== undefined) test.skip(skipped);
      const { result, recording } = await runExample(command);
      expect(result).toMatchObject({ outcome: { kind: "finished" }, exitCode: 0, stderrTail: "" });
      const requests = await recording.records();
      expect(requests.map((one) => [one.requestId, one.step, one.outcome.kind, one.tokens.output])).toEqual([
        ["t0/foreign/0", "summarise", "ok", 3],
        ["t0/foreign/1", "structure", "ok", 3],
      ]);
      expect(requests.every((one) => one.promptCold)).toBe(true);
      expect(result.startupMs).toBeGreaterThan(0);
      expect(result.startupMs).toBeLessThan(result.wallMs);
      // Its life outside requests includes its start-up, and cannot exceed its life.
      expect(result.outsideRequestsMs).toBeGreaterThan(result.startupMs ?? Infinity);
      expect(result.outsideRequestsMs).toBeLessThan(result.wallMs);
      // No interpreter fits into 1 MB, and neither of these needs 1 GB.
      expect(result.rssPeakBytes).toBeGreaterThan(1e6);
      expect(result.rssPeakBytes).toBeLessThan(1e9);
    },
  );

  it("asks the same questions in every example language, so that runtimes can be compared", async (test) => {
    const hashes: (readonly string[])[] = [];
    for (const { command, skipped } of EXAMPLE_AGENTS) {
      if (skipped !== undefined) test.skip(skipped);
      const { recording } = await runExample(command);
      hashes.push((await recording.records()).map((one) => one.promptHash));
    }
    expect(hashes[0]).toHaveLength(2);
    expect(hashes[1]).toEqual(hashes[0]);
  });

  it("is told where to send requests, and inherits nothing that was not allowed", async () => {
    const lines: string[] = [];
    await run(node("console.error(JSON.stringify(process.env))"), {
      environment: { ALLOWED: "yes", SECRET: "no" },
      allowedVariables: ["ALLOWED", "NOT_SET"],
      onStderrLine: (line) => lines.push(line),
    });
    const seen = JSON.parse(lines[0] ?? "") as Record<string, string>;
    expect(seen).toMatchObject({
      SLIPWAY_BASE_URL: "http://127.0.0.1:1",
      OPENAI_BASE_URL: "http://127.0.0.1:1/v1",
      OPENAI_API_KEY: "slipway",
      OLLAMA_HOST: "http://127.0.0.1:1",
      SLIPWAY_MODEL: "tiny",
      SLIPWAY_AGENT: "foreign",
      SLIPWAY_CORPUS: `${EXAMPLES}corpus`,
      ALLOWED: "yes",
    });
    expect(Object.keys(seen)).not.toContain("SECRET");
    expect(Object.keys(seen)).not.toContain("NOT_SET");
  });

  it("that fails says how, with the last lines of its stderr", async () => {
    const result = await run(
      node("for (const n of [1,2,3,4]) console.error('line ' + n); process.exitCode = 3"),
    );
    expect(result.exitCode).toBe(3);
    expect(result.outcome).toEqual({
      kind: "failed",
      message: "the agent exited with code 3: line 2\nline 3\nline 4",
    });
    expect(result.stderrTail).toBe("line 1\nline 2\nline 3\nline 4\n");
  });

  it("that a signal ends has no exit code", async () => {
    const result = await run(node("process.kill(process.pid, 'SIGKILL')"));
    expect(result.exitCode).toBeUndefined();
    expect(result.outcome).toEqual({
      kind: "failed",
      message: "the agent was ended by SIGKILL, and said nothing on stderr",
    });
  });

  it("that asks for nothing has no start-up time, and all of its life is outside requests", async () => {
    const result = await run(node(""));
    expect(result.startupMs).toBeUndefined();
    expect(result.outsideRequestsMs).toBe(result.wallMs);
  });

  it("does not take a request that came before its start for its own", async () => {
    const result = await run(node(""), { recording: { ...IDLE_RECORDING, firstRequestNs: 1 } });
    expect(result.startupMs).toBeUndefined();
  });

  it("that cannot be started is an operator error", async () => {
    await expect(run(["no-such-program-anywhere"])).rejects.toMatchObject({ code: "PROCESS_FAILED" });
  });
});

/** Starts a child of its own that would live on for a day, says its id, and then does `then`. */
function withGrandchild(then: string): readonly [string, ...string[]] {
  return node(
    `const child = require("node:child_process").spawn(process.execPath, ["-e", "setTimeout(() => {}, 86400000)"], { stdio: "inherit" });
     console.error(child.pid);
     ${then}`,
  );
}

describe("when an external agent ends", () => {
  it("at its time limit, its whole process group is gone", async () => {
    const clock = new VirtualClock(1_000);
    let said = (_pid: number): void => undefined;
    const grandchild = new Promise<number>((resolve) => {
      said = resolve;
    });
    const running = run(withGrandchild(""), {
      clock,
      limitMs: 1_000,
      onStderrLine: (line) => said(Number(line)),
    });
    const pid = await grandchild;
    expect(isAlive(pid)).toBe(true);
    await clock.advanceTo(1_000_001_000);
    const result = await running;
    expect(result.outcome).toEqual({
      kind: "time-limit",
      message: "the agent was ended after its limit of 1000 ms",
    });
    expect(result.wallMs).toBe(1_000);
    await death(pid);
  });

  it("at Ctrl-C, its whole process group is gone", async () => {
    const interrupt = new AbortController();
    let pid = 0;
    const result = await run(withGrandchild(""), {
      signal: interrupt.signal,
      onStderrLine: (line) => {
        pid = Number(line);
        interrupt.abort();
      },
    });
    expect(result.outcome).toEqual({ kind: "interrupted" });
    await death(pid);
  });

  it("by itself, what it left behind is ended and does not count as its life", async () => {
    let pid = 0;
    const result = await run(withGrandchild("process.exit(0)"), {
      onStderrLine: (line) => {
        pid = Number(line);
      },
    });
    expect(result.outcome).toEqual({ kind: "finished" });
    expect(pid).toBeGreaterThan(0);
    await death(pid);
  });
});
