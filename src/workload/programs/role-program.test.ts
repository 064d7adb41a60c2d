import { describe, expect, it } from "vitest";
import { randomStream } from "../../core/random.ts";
import type { ProgramContext, ProgramStep, StepResult } from "../agent-program.ts";
import { roleSchema } from "../role.ts";
import { roleProgram } from "./role-program.ts";

type Request = Extract<ProgramStep, { kind: "request" }>;

const role = (fields: object = {}) =>
  roleSchema.parse({ name: "R", maxOutputTokens: 10, toolResultTokens: 15, messageTokens: 5, ...fields });

function context(contextTokens?: number): ProgramContext {
  return {
    agent: "a",
    random: (purpose, position) => randomStream(1, purpose, position),
    promptOf: (tokens) => `system of ${tokens}`,
    turnOf: (sizes, random) =>
      `turn of ${sizes.toolResultTokens} + ${sizes.messageTokens}, draw ${random.integer(1e9)}`,
    nonce: () => "",
    ...(contextTokens === undefined ? {} : { contextTokens }),
    settings: {
      requests: 8,
      outputTokens: 1,
      promptTokens: 1,
      growingContext: false,
      corpusCharacters: 1,
    },
  };
}

/** Answers each request as told; the server counts 20 tokens a turn, 10 an answer. */
function play(
  fields: object,
  contextTokens?: number,
  refuse: (asked: readonly Request[]) => boolean = () => false,
): readonly Request[] {
  const steps = roleProgram(role(fields))(context(contextTokens));
  const asked: Request[] = [];
  let next = steps.next();
  while (next.done !== true) {
    if (next.value.kind === "request") asked.push(next.value);
    const kept = (asked.at(-1)?.messages.filter((message) => message.role === "assistant") ?? []).length;
    const result: StepResult = refuse(asked)
      ? { kind: "failed", message: "too long", code: "CONTEXT_EXCEEDED" }
      : { kind: "answer", text: `answer ${asked.length}`, inputTokens: kept * 30 + 20, outputTokens: 10 };
    next = steps.next(result);
  }
  return asked;
}

const turnsKept = (asked: readonly Request[]) => asked.map(({ messages }) => (messages.length - 1) / 2);

describe("an agent in a role", () => {
  it("sends turns that stand alone, each another text with a known length", () => {
    const asked = play({});
    expect(asked).toHaveLength(8);
    expect(new Set(asked.map(({ messages }) => messages[0]?.content)).size).toBe(8);
    for (const step of asked) expect(step).toMatchObject({ inputTargetTokens: 20, maxTokens: 10 });
    expect(asked[0]).not.toHaveProperty("cache");
  });

  it("has its mean as the length of an answer where that can be forced", () => {
    expect(play({ meanOutputTokens: 4 })[0]).toMatchObject({ maxTokens: 10, forcedTokens: 4 });
  });

  it("repeats its system prompt, which is meant to be cached", () => {
    const asked = play({ systemTokens: 7 });
    for (const step of asked) {
      expect(step.messages[0]).toEqual({ role: "system", content: "system of 7" });
      expect(step.cache).toBe("wanted");
      expect(step).not.toHaveProperty("inputTargetTokens");
    }
  });

  it("carries a growing conversation, and drops its oldest turns where the next would pass the limit", () => {
    const asked = play({ conversation: { kind: "growing", compactAtShare: 0.8, compactToShare: 0.5 } }, 200);
    // Each turn adds 30. The fifth would make 4 x 30 kept + 30 = 150, under 160; the sixth 180, so that at most
    // 100 - 30 = 70 are kept: two turns.
    expect(turnsKept(asked)).toEqual([0, 1, 2, 3, 4, 2, 3, 4]);
    expect(asked.map(({ name }) => name)).toEqual([
      ...Array<string>(5).fill("turn"),
      "compacted-turn",
      "turn",
      "turn",
    ]);
    expect(asked[5]?.messages[1]?.content).toBe("answer 4");
  });

  it("begins a new conversation when the server refuses one whose limit nobody knew", () => {
    const asked = play({ conversation: { kind: "growing" } }, undefined, (all) => all.length === 4);
    expect(turnsKept(asked)).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
    expect(asked[4]?.name).toBe("compacted-turn");
  });

  it("ends when a turn alone does not fit, since the next would not either", () => {
    expect(play({}, undefined, () => true)).toHaveLength(1);
  });
});
