import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "../core/random.ts";
import type { PromptTokenCounter } from "./prompt.ts";
import { calibrateEachWord, UNCALIBRATED } from "./prompt.ts";
import { calibrateCode, makeTurn } from "./tool-result.ts";

const TEMPLATE_TOKENS = 9;

/** Tokenizers to count by: pieces at spaces, each in as many tokens as its letters make. */
const countBy =
  (tokensOf: (piece: string) => number): PromptTokenCounter =>
  async (text) =>
    text.split(" ").reduce((sum, piece) => sum + tokensOf(piece), 0);
const WORDS = countBy(() => 1);
const BYTES = countBy((piece) => Math.ceil(piece.length / 2));
/** Joins neighbouring signs into one token, as no count of single signs tells. */
const JOINING: PromptTokenCounter = (text) => WORDS(text.replaceAll(") ;", ");"));

async function vocabularyFor(count: PromptTokenCounter, signs: "all" | "few" = "all") {
  const random = randomStream(1, "calibration");
  const words = await calibrateEachWord(count, random);
  const code = await calibrateCode(words, count, signs, random);
  return { ...words, overheadTokens: words.overheadTokens + TEMPLATE_TOKENS, code };
}

describe("a turn's text", () => {
  it.each([
    ["whole words", WORDS],
    ["pieces of words", BYTES],
    ["signs joined across a space", JOINING],
  ])("has the size asked for by a tokenizer of %s, template included", async (_name, count) => {
    const vocabulary = await vocabularyFor(count);
    expect(vocabulary.code.exact).toBe(true);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 40, max: 3000 }), fc.nat(), async (toolResultTokens, seed) => {
        const text = makeTurn(
          vocabulary,
          { toolResultTokens, messageTokens: 64 },
          randomStream(seed, "turn"),
        );
        expect((await count(text)) + TEMPLATE_TOKENS).toBe(toolResultTokens + 64);
      }),
      { numRuns: 30 },
    );
  });

  it("begins with a tool result that looks like code, and ends with the message", async () => {
    const vocabulary = await vocabularyFor(WORDS);
    const text = makeTurn(vocabulary, { toolResultTokens: 500, messageTokens: 50 }, randomStream(1, "turn"));
    expect(text).toMatch(/^\[TOOL RESULT\] .*[=;{}].* \[END OF TOOL RESULT\] [a-z ]+$/);
    // The message has 50 tokens of which the template and one opening word are 10.
    expect(text.split("[END OF TOOL RESULT] ")[1]?.split(" ")).toHaveLength(40);
  });

  it("is a message alone for a role without tool results", async () => {
    const text = makeTurn(
      await vocabularyFor(WORDS),
      { toolResultTokens: 0, messageTokens: 30 },
      randomStream(1, "turn"),
    );
    expect(text).not.toContain("[");
    expect((await WORDS(text)) + TEMPLATE_TOKENS).toBe(30);
  });

  it("differs from turn to turn", async () => {
    const vocabulary = await vocabularyFor(WORDS);
    const texts = Array.from({ length: 200 }, (_, turn) =>
      makeTurn(vocabulary, { toolResultTokens: 100, messageTokens: 20 }, randomStream(1, "turn", turn)),
    );
    expect(new Set(texts).size).toBe(200);
  });

  it("has words between its marks where each count is a request", async () => {
    const vocabulary = await vocabularyFor(WORDS, "few");
    const text = makeTurn(vocabulary, { toolResultTokens: 100, messageTokens: 20 }, randomStream(1, "turn"));
    expect(text).toMatch(/^\[TOOL RESULT\] [a-z ]+ \[END OF TOOL RESULT\] [a-z ]+$/);
    expect((await WORDS(text)) + TEMPLATE_TOKENS).toBe(120);
  });

  it("is made all the same where nothing could be counted, and the vocabulary says so", () => {
    const text = makeTurn(
      UNCALIBRATED,
      { toolResultTokens: 100, messageTokens: 20 },
      randomStream(1, "turn"),
    );
    expect(text.startsWith("[TOOL RESULT] ")).toBe(true);
    expect(UNCALIBRATED.exact).toBe(false);
  });
});
