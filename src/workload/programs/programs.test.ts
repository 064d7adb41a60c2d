import { describe, expect, it } from "vitest";
import { randomStream } from "../../core/random.ts";
import type { AgentProgram, ProgramContext, ProgramStep, StepResult } from "../agent-program.ts";
import { collector } from "./collector.ts";
import { insight } from "./insight.ts";
import { synthetic } from "./synthetic.ts";

const context = (settings: Partial<ProgramContext["settings"]> = {}, nonce = ""): ProgramContext => ({
  agent: "a",
  random: (purpose, position) => randomStream(1, purpose, position),
  promptOf: (tokens, random) => `${tokens} tokens, draw ${random.integer(1e9)}`,
  turnOf: (sizes, random) =>
    `${sizes.toolResultTokens} + ${sizes.messageTokens} tokens, draw ${random.integer(1e9)}`,
  nonce: () => nonce,
  settings: {
    requests: 3,
    outputTokens: 10,
    promptTokens: 20,
    growingContext: false,
    corpusCharacters: 100,
    ...settings,
  },
});

/** Plays a program against canned results and returns the steps it asked for. */
function play(
  program: AgentProgram,
  given: ProgramContext,
  answers: readonly StepResult[],
): readonly ProgramStep[] {
  const steps = program(given);
  const asked: ProgramStep[] = [];
  let next = steps.next();
  for (const answer of answers) {
    if (next.done === true) break;
    asked.push(next.value);
    next = steps.next(answer);
  }
  if (next.done !== true) asked.push(next.value);
  return asked;
}

const corpus: StepResult = {
  kind: "corpus",
  files: [
    { name: "b.txt", text: "beta ".repeat(50) },
    { name: "a.txt", text: "alpha ".repeat(50) },
  ],
};
const messageText = (step: ProgramStep | undefined) =>
  step?.kind === "request" ? step.messages.map((message) => message.content).join("\n") : "";

describe("collector", () => {
  it("reads the folder, summarises it in one call and structures that summary in a second", () => {
    const asked = play(collector, context(), [
      corpus,
      { kind: "answer", text: "SUMMARY-TEXT" },
      { kind: "answer", text: "{}" },
    ]);
    expect(asked.map((step) => (step.kind === "request" ? step.name : step.kind))).toEqual([
      "read-corpus",
      "summarise",
      "structure",
    ]);
    expect(messageText(asked[1])).toContain("## a.txt\nalpha");
    expect(messageText(asked[2])).toContain("SUMMARY-TEXT");
  });

  it("gives every file an equal share of the characters that fit", () => {
    const text = messageText(play(collector, context({ corpusCharacters: 40 }), [corpus])[1]);
    expect(text).toContain(`## a.txt\n${"alpha ".repeat(50).slice(0, 20)}\n`);
    expect(text).toContain(`## b.txt\n${"beta ".repeat(50).slice(0, 20)}`);
  });

  it("stops after a failed call, since its second needs the first's answer", () => {
    expect(play(collector, context(), [corpus, { kind: "failed", message: "gone" }])).toHaveLength(2);
  });

  it("begins every prompt with the nonce, so that none can be served from a cache", () => {
    const asked = play(collector, context({}, "(x y)\n"), [corpus, { kind: "answer", text: "s" }]);
    for (const step of asked.slice(1)) expect(messageText(step).startsWith("(x y)\n")).toBe(true);
  });
});

describe("insight", () => {
  it("analyses the same files and then advises from its own analysis", () => {
    const asked = play(insight, context(), [corpus, { kind: "answer", text: "ANALYSIS" }]);
    expect(asked.map((step) => (step.kind === "request" ? step.name : step.kind))).toEqual([
      "read-corpus",
      "analyse",
      "advise",
    ]);
    expect(messageText(asked[2])).toContain("ANALYSIS");
  });
});

describe("synthetic", () => {
  const answers: StepResult[] = [1, 2, 3].map((n) => ({ kind: "answer", text: `answer ${n}` }));

  it("sends the asked number of prompts, each different and each with its target", () => {
    const asked = play(synthetic, context(), answers);
    expect(asked).toHaveLength(3);
    expect(new Set(asked.map(messageText)).size).toBe(3);
    for (const step of asked) expect(step).toMatchObject({ inputTargetTokens: 20, maxTokens: 10 });
  });

  it("carries the conversation when its context grows, and then claims no target", () => {
    const asked = play(synthetic, context({ growingContext: true }), answers);
    expect(messageText(asked[2])).toContain("answer 1");
    expect(messageText(asked[2])).toContain("answer 2");
    expect(asked[2]).not.toHaveProperty("inputTargetTokens");
  });

  it("goes on after a failed turn without the lost answer", () => {
    const asked = play(synthetic, context({ growingContext: true }), [
      { kind: "failed", message: "reset" },
      { kind: "answer", text: "second" },
    ]);
    expect(asked).toHaveLength(3);
    expect(messageText(asked[1])).not.toContain("second");
  });
});
