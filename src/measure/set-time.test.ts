/** Agents in roles for a set time, in virtual time: a request takes 100 ms and 10 ms for each further token. */
import { describe, expect, it } from "vitest";
import type { Timetable } from "../../test/fakes/timetable-engine.ts";
import { timetableEngine } from "../../test/fakes/timetable-engine.ts";
import { VirtualClock } from "../core/clock.ts";
import { parseWith } from "../core/yaml.ts";
import { MemorySink } from "../record/record-sink.ts";
import { cellsOf } from "../workload/matrix.ts";
import type { ScenarioInput } from "../workload/scenario.ts";
import { scenarioSchema } from "../workload/scenario.ts";
import { planTrials } from "../workload/trial-plan.ts";
import { InFlightLimit } from "./in-flight-limit.ts";
import { runPlan } from "./runner.ts";

const VOCABULARY = {
  words: ["the", "and", "for", "you"].map((text) => ({ text, tokens: 1 })),
  openings: ["a", "b"],
  overheadTokens: 8,
  exact: true,
  code: { openingExtraTokens: 1, closingTokens: 4, signs: [], exact: true },
};

const agent = (name: string, role: object): ScenarioInput["agents"][number] => ({
  name,
  endpoint: "a",
  role: { name: "R", maxOutputTokens: 5, messageTokens: 30, ...role },
});

async function run(scenario: Partial<ScenarioInput>, table: Partial<Timetable> = {}) {
  const clock = new VirtualClock(1e9);
  const sink = new MemorySink();
  const engine = timetableEngine({ ttftMs: 100, perTokenMs: 10, ...table });
  const parsed = parseWith(
    scenarioSchema,
    {
      name: "test",
      endpoints: { a: { url: "http://localhost:1" } },
      agents: [agent("one", {})],
      runs: 1,
      solo: false,
      warmUpRequests: 0,
      durationMs: 500,
      ...scenario,
    },
    "test",
  );
  await clock.runUntil(
    runPlan(
      {
        scenario: parsed,
        trials: planTrials(parsed, cellsOf(parsed), 1),
        endpoints: new Map([
          [
            "a",
            {
              name: "a",
              url: "http://localhost:1",
              engine,
              headers: {},
              inFlight: new InFlightLimit(),
              vocabularies: new Map([["m", VOCABULARY]]),
            },
          ],
        ]),
        defaultModels: new Map([["a", "m"]]),
        corpusFolder: ".",
        seed: 1,
      },
      {
        clock,
        sink,
        health: { start: () => ({ stop: () => ({}) }) },
        signal: new AbortController().signal,
      },
    ),
  );
  return { sink, engine, requests: sink.requests, trial: sink.trials[0] };
}

const startsMs = (requests: readonly { readonly stamps: { readonly scheduledNs: number } }[]) =>
  requests.map(({ stamps }) => stamps.scheduledNs / 1e6);

describe("a set time", () => {
  it("has turn after turn in it, and cancels the one under way at its end, which is no failure", async () => {
    const { requests, trial, sink } = await run({});
    expect(startsMs(requests)).toEqual([0, 140, 280, 420]);
    expect(requests.map(({ outcome }) => outcome.kind)).toEqual(["ok", "ok", "ok", "cancelled"]);
    expect(requests.at(-1)?.outcome).toEqual({ kind: "cancelled", reason: "window-ended" });
    expect(trial).toMatchObject({ windowNs: 500e6, endNs: 500e6, status: "complete", failures: 0 });
    expect(trial?.warnings).toEqual([]);
    expect(sink.events.filter(({ kind }) => kind === "window-end")).toMatchObject([
      { message: "the set time of 0.5 s was over", data: { windowNs: 500e6, kind: "over" } },
    ]);
  });

  it("keeps what had come of the cancelled turn", async () => {
    const { requests } = await run({ durationMs: 530 });
    // It was sent at 420: its first token came at 520, the second at 530, and three are missing.
    expect(requests.at(-1)?.tokens).toMatchObject({ output: 2, outputLimit: 5 });
  });

  it("lets no turn begin that is due at its end, and has the wait for it as the agent's own", async () => {
    const { requests, trial } = await run({ agents: [agent("one", { cadence: { everyMs: 250 } })] });
    expect(startsMs(requests)).toEqual([0, 250]);
    expect(trial?.agentTimes[0]).toMatchObject({ totalMs: 500, requestMs: 280, waitMs: 220, otherMs: 0 });
  });

  it("goes on for agents with the program synthetic too", async () => {
    const { requests } = await run({
      agents: [{ name: "one", program: "synthetic", endpoint: "a", requests: 1, outputTokens: 5 }],
    });
    expect(requests).toHaveLength(4);
  });

  it("has a pause after a failed turn, so that a server which refuses is not asked without end", async () => {
    const refused = { kind: "failed", code: "SERVER_ERROR", message: "500", afterFirstToken: false } as const;
    const { requests, trial } = await run({ durationMs: 2500 }, { outcomeOf: () => refused });
    expect(startsMs(requests)).toEqual([0, 1100, 2200]);
    expect(trial?.failures).toBe(3);
  });

  it("ends early when no agent goes on, because no prompt fits", async () => {
    const tooLong = {
      kind: "failed",
      code: "CONTEXT_EXCEEDED",
      message: "400",
      afterFirstToken: false,
    } as const;
    const { requests, trial } = await run({}, { outcomeOf: () => tooLong });
    expect(requests).toHaveLength(1);
    expect(trial?.windowNs).toBe(100e6);
  });
});

describe("what a role asks of its engine", () => {
  it("is a turn of its size, thinking as it says, and its mean as the length of an answer", async () => {
    const role = { toolResultTokens: 100, meanOutputTokens: 3, thinking: true };
    const { engine, requests } = await run({ agents: [agent("one", role)] });
    expect(engine.requests[0]?.options).toMatchObject({
      thinking: true,
      maxTokens: 3,
      ignoreEos: true,
      cachePrompt: false,
    });
    expect(requests[0]).toMatchObject({ promptCold: true, tokens: { inputTarget: 130, output: 3 } });
    expect(engine.requests[0]?.messages?.[0]?.content).toMatch(/^\[TOOL RESULT\] /);
  });

  it("is at most the role's answer where the engine stops by itself", async () => {
    const { engine } = await run(
      { agents: [agent("one", { meanOutputTokens: 3 })] },
      { capabilities: { ignoreEos: false } },
    );
    expect(engine.requests[0]?.options).toMatchObject({ maxTokens: 5, thinking: false });
  });

  it("is the cache, where its conversation grows", async () => {
    const { engine, requests } = await run({
      agents: [agent("one", { conversation: { kind: "growing" } })],
    });
    expect(engine.requests[1]?.options).not.toHaveProperty("cachePrompt");
    expect(engine.requests[1]?.messages).toHaveLength(3);
    expect(requests[1]?.promptCold).toBe(false);
  });

  it("is compacted by the context that the server states", async () => {
    const growing = { kind: "growing", compactAtShare: 1, compactToShare: 0.5 };
    // The fake counts words: 30 words at most in a turn, 5 in an answer.
    const { engine } = await run(
      { agents: [agent("one", { conversation: growing })], durationMs: 1400 },
      { facts: { contextTokens: 150 } },
    );
    const kept = engine.requests.map(({ messages }) => ((messages?.length ?? 1) - 1) / 2);
    expect(Math.max(...kept)).toBeLessThan(5);
    expect(kept.slice(0, 3)).toEqual([0, 1, 2]);
  });
});

describe("prompts of a repeat", () => {
  const hashesOf = async (prompts: "per-trial" | "per-repeat") => {
    const { sink } = await run({
      cells: [
        { name: "small", set: {} },
        { name: "large", set: {} },
      ],
      runs: 2,
      prompts,
    });
    return sink.trials.map(({ trialId, cell, repeat }) => ({
      cell,
      repeat,
      hashes: sink.requests.filter((one) => one.trialId === trialId).map(({ promptHash }) => promptHash),
    }));
  };
  const of = (trials: Awaited<ReturnType<typeof hashesOf>>, cell: string, repeat: number) =>
    trials.find((trial) => trial.cell === cell && trial.repeat === repeat)?.hashes;

  it("are the same for every cell where they are asked for per repeat, and others in the next", async () => {
    const trials = await hashesOf("per-repeat");
    expect(of(trials, "small", 0)).toEqual(of(trials, "large", 0));
    expect(of(trials, "small", 0)).not.toEqual(of(trials, "small", 1));
  });

  it("are each trial's own otherwise", async () => {
    const trials = await hashesOf("per-trial");
    expect(of(trials, "small", 0)).not.toEqual(of(trials, "large", 0));
  });
});
