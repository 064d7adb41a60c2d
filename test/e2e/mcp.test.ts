/** `slipway mcp` as a client meets it: the built program, spoken to by the SDK's own client. */
import { cpSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { describe, expect, onTestFinished, test } from "vitest";
import { OperatorError } from "../../src/core/errors.ts";
import { deferred } from "../fakes/deferred.ts";
import { FLEET_STATUS, ROLLED_BACK, SWITCH_PLAN, serveOnPaper } from "../fakes/paper-supervisor.ts";
import { temporaryDirectory } from "../fakes/temporary-directory.ts";

const PROGRAM = resolve(import.meta.dirname, "../../bin/slipway.js");
const SAMPLE = resolve(import.meta.dirname, "../fixtures/runs/version-1");

interface Answer {
  readonly isError?: boolean;
  readonly structuredContent?: Record<string, unknown>;
  readonly content: readonly { readonly type: string; readonly text: string }[];
}

async function client(stateDir: string, ...flags: readonly string[]) {
  const cwd = temporaryDirectory();
  mkdirSync(join(cwd, "runs"));
  cpSync(SAMPLE, join(cwd, "runs", "version-1"), { recursive: true });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [PROGRAM, "mcp", "--state-dir", stateDir, ...flags],
    cwd,
    env: { PATH: process.env["PATH"] ?? "", HOME: cwd },
    stderr: "pipe",
  });
  const connected = new Client({ name: "test", version: "1" });
  await connected.connect(transport);
  onTestFinished(() => connected.close());
  const call = async (name: string, args: Record<string, unknown> = {}): Promise<Answer> =>
    (await connected.callTool({ name, arguments: args })) as unknown as Answer;
  return { connected, call };
}

const nobody = (): string => join(temporaryDirectory(), "state");

describe("the tools", () => {
  test("read, and only read, unless changes are allowed", async () => {
    const { connected } = await client(nobody());
    const { tools } = await connected.listTools();
    expect(tools.map((tool) => tool.name)).toEqual(["status", "presets", "plan", "runs"]);
    expect(tools.every((tool) => tool.annotations?.readOnlyHint === true)).toBe(true);
    expect(tools).toMatchSnapshot();
  });

  test("with --allow-changes switch, start and stop too, and say so", async () => {
    const { connected } = await client(nobody(), "--allow-changes");
    const { tools } = await connected.listTools();
    expect(tools.slice(4).map(({ name, annotations }) => ({ name, ...annotations }))).toMatchObject([
      { name: "switch", readOnlyHint: false, destructiveHint: true },
      { name: "start", readOnlyHint: false, destructiveHint: false },
      { name: "stop", readOnlyHint: false, destructiveHint: true },
    ]);
    expect(tools).toMatchSnapshot();
  });

  test("that change are not there to be called without the flag", async () => {
    const { call } = await client(await serveOnPaper());
    const answer = await call("switch", { mode: "coding" });
    expect(answer.isError).toBe(true);
    expect(answer.content[0]?.text).toContain("Tool switch not found");
  });
});

describe("an answer", () => {
  test("is the supervisor's own, as text and as data", async () => {
    const { call } = await client(await serveOnPaper());
    const status = await call("status");
    expect(status.structuredContent).toEqual(FLEET_STATUS);
    expect(JSON.parse(status.content[0]?.text ?? "")).toEqual(FLEET_STATUS);
    expect((await call("plan", { mode: "research" })).structuredContent).toEqual(SWITCH_PLAN);
  });

  test("about presets names none of their environment", async () => {
    const { call } = await client(nobody());
    const { presets, modes } = (await call("presets")).structuredContent as {
      presets: readonly Record<string, unknown>[];
      modes: readonly Record<string, unknown>[];
    };
    expect(presets.length).toBeGreaterThan(3);
    expect(modes.length).toBeGreaterThan(3);
    expect(presets.filter((preset) => "env" in preset || "extraArgs" in preset)).toEqual([]);
  });

  test("about runs is a list, or one run's figures", async () => {
    const { call } = await client(nobody());
    expect((await call("runs")).structuredContent).toMatchObject({
      runs: [{ runId: "version-1", status: "interrupted", scenario: "chimera_homo", simulated: true }],
    });
    expect((await call("runs", { run: "version" })).structuredContent).toMatchObject({
      runId: "version-1",
      endpoints: expect.any(Array) as unknown,
    });
    expect((await call("runs", { run: "moon" })).structuredContent).toMatchObject({
      error: { code: "RUN_NOT_FOUND" },
    });
  });

  test("that fails has code, message and next step", async () => {
    const { call } = await client(nobody());
    const answer = await call("status");
    expect(answer.isError).toBe(true);
    expect(answer.structuredContent).toMatchObject({
      error: {
        code: "SUPERVISOR_ABSENT",
        message: "no supervisor runs here",
        nextStep: "start one with: slipway up <mode> (slipway mode list shows the modes)",
      },
    });
  });
});

describe("a change", () => {
  test("tells its progress and its report", async () => {
    // The switch goes on once its progress has arrived, so that the test cannot depend on which comes first.
    const arrived = deferred<void>();
    const directory = await serveOnPaper({
      switchMode: async (mode, onProgress) => {
        onProgress?.({ step: "start", preset: "gemma4", message: "waiting for gemma4" });
        await arrived.promise;
        return { outcome: "committed", mode, runs: ["gemma4"], steps: [], tookMs: 3, overheadMs: 3 };
      },
    });
    const { connected } = await client(directory, "--allow-changes");
    const told: unknown[] = [];
    const answer = await connected.callTool({ name: "switch", arguments: { mode: "coding" } }, undefined, {
      onprogress: (progress) => {
        told.push(progress.message);
        arrived.resolve();
      },
    });
    expect(answer.structuredContent).toMatchObject({ outcome: "committed", mode: "coding" });
    expect(told).toEqual(["waiting for gemma4"]);
  });

  test("that was put back is an error with its whole report", async () => {
    const { call } = await client(
      await serveOnPaper({ switchMode: () => Promise.resolve(ROLLED_BACK) }),
      "--allow-changes",
    );
    const answer = await call("switch", { mode: "research" });
    expect(answer.isError).toBe(true);
    expect(answer.structuredContent).toEqual({
      error: {
        code: "SERVER_OUT_OF_MEMORY",
        message: "the GPU has no memory left for its cache",
        nextStep: "give it fewer slots or a smaller context",
      },
      ...ROLLED_BACK,
    });
  });

  test("that is refused is the supervisor's error", async () => {
    const directory = await serveOnPaper({
      stopPreset: () => {
        throw new OperatorError("PRESET_UNKNOWN", {
          message: "no preset has this name",
          nextStep: "choose one",
        });
      },
    });
    const { call } = await client(directory, "--allow-changes");
    expect((await call("stop", { preset: "moon" })).structuredContent).toEqual({
      error: { code: "PRESET_UNKNOWN", message: "no preset has this name", nextStep: "choose one" },
    });
  });
});

describe("hostile arguments", () => {
  const hostile: readonly (readonly [string, string, Record<string, unknown>])[] = [
    ["a path", "switch", { mode: "../../etc/passwd" }],
    ["an option", "start", { preset: "--help" }],
    ["an escape", "start", { preset: "\u001b[2J" }],
    ["a line", "stop", { preset: "a\n{}" }],
    ["nothing", "switch", {}],
    ["a number", "switch", { mode: 7 }],
    ["an endless name", "switch", { mode: "m".repeat(10_000) }],
    ["an unknown field", "status", { and: "rm" }],
    ["a run's path", "runs", { run: "../version-1" }],
    ["hundreds of fields", "status", Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`f${i}`, i]))],
  ];
  test("never reach the supervisor, and the next call is served", async () => {
    const asked: string[] = [];
    const note = (what: string) => () => {
      asked.push(what);
      return Promise.reject(new OperatorError("PRESET_UNKNOWN", { message: what, nextStep: "" }));
    };
    const directory = await serveOnPaper({
      switchMode: note("switch"),
      startPreset: note("start"),
      stopPreset: note("stop"),
    });
    const { call } = await client(directory, "--allow-changes");
    for (const [what, tool, args] of hostile) {
      const answer = await call(tool, args);
      expect(answer.isError, what).toBe(true);
      expect(answer.content[0]?.text, what).toContain("Invalid arguments");
    }
    expect(asked).toEqual([]);
    expect((await call("status")).structuredContent).toEqual(FLEET_STATUS);
  });
});
