import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Timetable, TimetableEngine } from "../../test/fakes/timetable-engine.ts";
import { timetableEngine } from "../../test/fakes/timetable-engine.ts";
import { VirtualClock } from "../core/clock.ts";
import { parseWith } from "../core/yaml.ts";
import { MemorySink } from "../record/record-sink.ts";
import type { RequestRecord } from "../record/request-record.ts";
import { cellsOf } from "../workload/matrix.ts";
import type { ScenarioInput } from "../workload/scenario.ts";
import { scenarioSchema } from "../workload/scenario.ts";
import { planTrials } from "../workload/trial-plan.ts";
import { InFlightLimit } from "./in-flight-limit.ts";
import { runPlan } from "./runner.ts";

let corpus: string;
beforeAll(() => {
  corpus = mkdtempSync(join(tmpdir(), "slipway-corpus-"));
  writeFileSync(join(corpus, "a.txt"), "the first file");
  writeFileSync(join(corpus, "b.md"), "the second file");
});
afterAll(() => rmSync(corpus, { recursive: true }));

const agent = (name: string, more: Partial<ScenarioInput["agents"][number]> = {}) => ({
  name,
  program: "synthetic" as const,
  endpoint: "a",
  requests: 2,
  promptTokens: 20,
  outputTokens: 5,
  ...more,
});

const VOCABULARY = {
  words: ["the", "and", "for", "you"].map((text) => ({ text, tokens: 1 })),
  openings: ["a", "b"],
  overheadTokens: 8,
  exact: true,
};

interface Ran {
  readonly sink: MemorySink;
  readonly engine: TimetableEngine;
  readonly measured: readonly RequestRecord[];
}

const TABLE: Timetable = { ttftMs: 100, perTokenMs: 10 };

/** Runs a scenario under virtual time; a request of 5 tokens takes 100 + 4 × 10 = 140 ms. */
async function run(
  scenario: Partial<ScenarioInput>,
  options: {
    readonly table?: Timetable;
    readonly maxInFlight?: number;
    readonly interruptAtMs?: number;
    readonly onlyTogether?: boolean;
  } = {},
): Promise<Ran> {
  const clock = new VirtualClock(1e9);
  const sink = new MemorySink();
  const engine = timetableEngine(options.table ?? TABLE);
  const abort = new AbortController();
  const parsed = parseWith(
    scenarioSchema,
    {
      name: "test",
      endpoints: { a: { url: "http://localhost:1" } },
      agents: [agent("one"), agent("two")],
      runs: 1,
      warmUpRequests: 0,
      ...scenario,
    },
    "test",
  );
  if (options.interruptAtMs !== undefined)
    clock.timerAt(1e9 + options.interruptAtMs * 1e6, () => abort.abort(new Error("Ctrl-C")));
  const trials = planTrials(parsed, cellsOf(parsed), 1);
  const endpoint = {
    name: "a",
    url: "http://localhost:1",
    engine,
    headers: {},
    inFlight: new InFlightLimit(options.maxInFlight),
    vocabularies: new Map([["m", VOCABULARY]]),
  };
  await clock.runUntil(
    runPlan(
      {
        scenario: parsed,
        trials: options.onlyTogether === false ? trials : trials.filter((trial) => trial.kind === "together"),
        endpoints: new Map([["a", endpoint]]),
        defaultModels: new Map([["a", "m"]]),
        corpusFolder: corpus,
        seed: 1,
      },
      { clock, sink, health: { start: () => ({ stop: () => ({}) }) }, signal: abort.signal },
    ),
  );
  return { sink, engine, measured: sink.requests.filter((record) => record.phase === "measured") };
}

const ms = (ns: number | undefined) => (ns === undefined ? undefined : ns / 1e6);
const stampsOf = (ran: Ran, name: string) =>
  ran.measured
    .filter((record) => record.agent === name)
    .map(({ stamps }) => [ms(stamps.scheduledNs), ms(stamps.sentNs), ms(stamps.endNs)]);

describe("a closed loop", () => {
  it("starts all agents at the barrier and sends the next request when the last is answered", async () => {
    const ran = await run({});
    for (const name of ["one", "two"])
      expect(stampsOf(ran, name)).toEqual([
        [0, 0, 140],
        [140, 140, 280],
      ]);
    expect(ran.sink.trials[0]).toMatchObject({ barrierNs: 0, endNs: 280e6, status: "complete", failures: 0 });
  });

  it("keeps a cadence from start to start, and follows the previous end when that is later", async () => {
    const ran = await run({ agents: [agent("one", { requests: 3, cadence: { everyMs: 200 } })] });
    expect(stampsOf(ran, "one").map(([scheduled]) => scheduled)).toEqual([0, 200, 400]);
    const late = await run({ agents: [agent("one", { requests: 3, cadence: { everyMs: 90 } })] });
    expect(stampsOf(late, "one").map(([scheduled]) => scheduled)).toEqual([0, 140, 280]);
  });

  it("keeps think time from end to start", async () => {
    const ran = await run({ agents: [agent("one", { cadence: { thinkMs: 60 } })] });
    expect(stampsOf(ran, "one")).toEqual([
      [0, 0, 140],
      [200, 200, 340],
    ]);
  });

  it("splits an agent's time into parts that add up to it", async () => {
    const ran = await run({ agents: [agent("one", { cadence: { thinkMs: 60 } })] });
    const [time] = ran.sink.trials[0]?.agentTimes ?? [];
    expect(time).toMatchObject({
      totalMs: 340,
      requestMs: 280,
      waitMs: 60,
      queueMs: 0,
      fileMs: 0,
      otherMs: 0,
    });
  });

  it("records the wait under a limit of requests in flight as the client's own queue", async () => {
    const ran = await run(
      { agents: [agent("one", { requests: 1 }), agent("two", { requests: 1 })] },
      { maxInFlight: 1 },
    );
    expect(stampsOf(ran, "two")).toEqual([[0, 140, 280]]);
    expect(ran.measured.map((record) => record.clientQueueMs)).toEqual([undefined, 140]);
    expect(ran.sink.trials[0]?.agentTimes[1]).toMatchObject({ queueMs: 140, requestMs: 140, totalMs: 280 });
  });
});

describe("failures", () => {
  const refused = {
    kind: "failed",
    code: "SERVER_ERROR",
    message: "HTTP 500",
    afterFirstToken: false,
  } as const;

  it("are records that are counted; a program of independent turns goes on", async () => {
    const ran = await run(
      { agents: [agent("one", { requests: 3 })] },
      { table: { ...TABLE, outcomeOf: (index) => (index === 1 ? refused : undefined) } },
    );
    expect(ran.measured.map((record) => record.outcome.kind)).toEqual(["ok", "failed", "ok"]);
    expect(ran.sink.trials[0]).toMatchObject({ failures: 1, status: "complete" });
    expect(ran.sink.trials[0]?.warnings).toMatchObject([
      {
        code: "FAILED_REQUESTS",
        message: expect.stringMatching(/^1 of 3 requests of this trial failed;/),
      },
    ]);
  });

  it("end the collector, whose second call needs the first's answer", async () => {
    const ran = await run(
      { agents: [agent("one", { program: "collector" })] },
      { table: { ...TABLE, outcomeOf: () => refused } },
    );
    expect(ran.measured.map((record) => record.step)).toEqual(["summarise"]);
  });

  it("of a limited rate are tried again after the time the server names, each try a record", async () => {
    const limited = { ...refused, code: "RATE_LIMITED", retryAfterMs: 500 } as const;
    const ran = await run(
      { agents: [agent("one", { requests: 1 })], retries: 2 },
      { table: { ...TABLE, outcomeOf: (index) => (index === 0 ? limited : undefined) } },
    );
    expect(ran.measured.map((record) => record.requestId.split("/").at(-1))).toEqual(["0", "0.r1"]);
    expect(stampsOf(ran, "one")).toEqual([
      [0, 0, 100],
      [0, 600, 740],
    ]);
  });

  it("that more tries cannot mend are not tried again", async () => {
    const ran = await run(
      { agents: [agent("one", { requests: 1 })], retries: 5 },
      { table: { ...TABLE, outcomeOf: () => refused } },
    );
    expect(ran.measured).toHaveLength(1);
  });
});

describe("Ctrl-C", () => {
  it("keeps what was measured, records the broken-off request and marks the trial", async () => {
    const ran = await run({ agents: [agent("one", { requests: 9 })] }, { interruptAtMs: 200 });
    expect(ran.measured.map((record) => record.outcome.kind)).toEqual(["ok", "cancelled"]);
    expect(ran.sink.trials.map((trial) => trial.status)).toEqual(["interrupted"]);
  });

  it("wakes an agent that thinks", async () => {
    const ran = await run({ agents: [agent("one", { cadence: { thinkMs: 1e9 } })] }, { interruptAtMs: 200 });
    expect(ran.measured).toHaveLength(1);
    expect(ran.sink.trials[0]?.status).toBe("interrupted");
  });
});

describe("what is sent", () => {
  const hashes = (ran: Ran, name: string) =>
    ran.measured.filter((record) => record.agent === name).map((record) => record.promptHash);

  it("by one agent does not change when another is added", async () => {
    const alone = await run({ agents: [agent("one")] });
    const both = await run({ agents: [agent("one"), agent("two")] });
    // The cell differs, so cold prompts do; warm prompts depend on seed, agent and position alone.
    const warmAlone = await run({ agents: [agent("one")], promptCache: "warm" });
    const warmBoth = await run({ agents: [agent("one"), agent("two")], promptCache: "warm" });
    expect(hashes(warmAlone, "one")).toEqual(hashes(warmBoth, "one"));
    expect(hashes(alone, "one")).toHaveLength(2);
    expect(hashes(both, "one")).toHaveLength(2);
  });

  it("has the token count that was asked for, by the server's own count", async () => {
    const ran = await run({});
    for (const record of ran.measured) expect(record.tokens).toMatchObject({ input: 20, inputTarget: 20 });
  });

  it("with cold prompts switches the cache off and repeats no prompt in any trial", async () => {
    const ran = await run({ runs: 3 }, { onlyTogether: false, table: { ...TABLE } });
    expect(ran.engine.requests.every((request) => request.options.cachePrompt === false)).toBe(true);
    const prompts = ran.engine.requests.map((request) => request.messages?.[0]?.content);
    // Three solo trials of one agent and three of both, two requests each; 2 x 4^12 prompts are possible.
    expect(prompts).toHaveLength(3 * 2 + 3 * 4);
    expect(new Set(prompts).size).toBe(prompts.length);
  });

  it("asks for the full length only where the engine can be made to give it", async () => {
    const can = await run({});
    expect(can.engine.requests[0]?.options).toMatchObject({ maxTokens: 5, ignoreEos: true });
    const cannot = await run(
      {},
      { table: { ...TABLE, capabilities: { ignoreEos: false, cacheControl: false } } },
    );
    expect(cannot.engine.requests[0]?.options).toEqual({ maxTokens: 5 });
  });

  it("gives the corpus programs the files of the folder", async () => {
    const ran = await run({ agents: [agent("one", { program: "collector" })] });
    expect(ran.engine.requests[0]?.messages?.[0]?.content).toContain("## a.txt\nthe first file");
    expect(ran.measured.map((record) => record.step)).toEqual(["summarise", "structure"]);
  });
});

describe("preparation", () => {
  it("warms up with requests that are recorded as such and come before the barrier", async () => {
    const ran = await run({ warmUpRequests: 2 });
    const warm = ran.sink.requests.filter((record) => record.phase === "warm-up");
    expect(warm).toHaveLength(2);
    expect(Math.max(...warm.map((record) => record.stamps.endNs))).toBeLessThanOrEqual(
      ran.sink.trials[0]?.barrierNs as number,
    );
    const measured = ran.measured.map((record) => record.promptHash);
    expect(warm.every((record) => !measured.includes(record.promptHash))).toBe(true);
  });

  it("unloads before each new cell when that was asked for, and not between trials of one cell", async () => {
    const ran = await run({
      agents: [agent("one")],
      matrix: { "agents.one.requests": [1, 2] },
      order: "sequential",
      runs: 1,
      unload: "forced",
    });
    expect(ran.engine.calls.filter((call) => call.startsWith("unload"))).toEqual(["unload m", "unload m"]);
  });

  it("hashes what really runs: more layers than the model has are the same setting", async () => {
    const hashOf = async (numGpu: number, facts: Timetable["facts"]) => {
      const ran = await run(
        { agents: [agent("one", { options: { numGpu } })] },
        { table: { ...TABLE, ...(facts === undefined ? {} : { facts }) } },
      );
      return ran.sink.trials[0]?.effectiveHash;
    };
    const clamped = { modelLayers: 34, gpuLayers: 35 };
    expect(await hashOf(60, clamped)).toBe(await hashOf(80, clamped));
    expect(await hashOf(60, undefined)).not.toBe(await hashOf(80, undefined));
    expect(await hashOf(60, clamped)).not.toBe(await hashOf(60, { ...clamped, contextTokens: 512 }));
  });
});
