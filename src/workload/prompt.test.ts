import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "../core/random.ts";
import { calibrateVocabulary, makePrompt } from "./prompt.ts";

/** A tokenizer of one token a word behind a template of 11, but with some words of two tokens. */
const counter = (long: ReadonlySet<string>) => async (text: string) =>
  11 + text.split(" ").reduce((sum, word) => sum + (long.has(word) ? 2 : 1), 0);

describe("prompts of an exact length", () => {
  it("hits every target from the template upwards, with whatever words are drawn", async () => {
    const count = counter(new Set());
    const vocabulary = await calibrateVocabulary(count, 16);
    expect(vocabulary).toMatchObject({ exact: true, overheadTokens: 11, tokensPerWord: 1 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 12, max: 3000 }), fc.integer(), async (target, seed) => {
        expect(await count(makePrompt(vocabulary, target, randomStream(seed, "prompt")))).toBe(target);
      }),
      { numRuns: 50 },
    );
  });

  it("leaves out groups with a word of two tokens", async () => {
    const count = counter(new Set(["moon", "year"]));
    const vocabulary = await calibrateVocabulary(count, 16);
    expect(vocabulary.exact).toBe(true);
    expect(vocabulary.words).not.toContain("year");
    expect(await count(makePrompt(vocabulary, 500, randomStream(1, "p")))).toBe(500);
  });

  it("says that lengths are approximate where no group of words is one token each", async () => {
    const vocabulary = await calibrateVocabulary(async (text) => 3 + text.length, 8);
    expect(vocabulary.exact).toBe(false);
    const prompt = makePrompt(vocabulary, 1000, randomStream(1, "p"));
    expect(Math.abs(prompt.length + 3 - 1000)).toBeLessThan(60);
  });

  it("asks the server no oftener than it may", async () => {
    let calls = 0;
    const base = counter(new Set());
    await calibrateVocabulary(async (text) => (calls++, base(text)), 4);
    expect(calls).toBeLessThanOrEqual(4);
  });
});
