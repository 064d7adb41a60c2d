import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "../core/random.ts";
import { calibrateEachWord, calibrateGroups, makeNonce, makePrompt, UNCALIBRATED } from "./prompt.ts";

/** One token a word behind a template of 11, but two for some words. */
const wordTokens = (long: ReadonlySet<string>) => async (text: string) =>
  11 + text.split(" ").reduce((sum, word) => sum + (long.has(word) ? 2 : 1), 0);

/** A tokenizer that knows no words: a token for every byte, behind a template of 3. */
const byteTokens = async (text: string) => 3 + Buffer.byteLength(text);

const stream = () => randomStream(1, "test");

describe("prompts of an exact length", () => {
  it("hit every target from the template upwards, with whatever words are drawn", async () => {
    const count = wordTokens(new Set(["moon", "year", "the"]));
    const vocabulary = await calibrateEachWord(count, stream());
    expect(vocabulary).toMatchObject({ exact: true, overheadTokens: 12 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 12, max: 3000 }), fc.integer(), async (target, seed) => {
        expect(await count(makePrompt(vocabulary, target, randomStream(seed, "prompt")))).toBe(target);
      }),
      { numRuns: 50 },
    );
  });

  it("hit every target also where words are several tokens each, from the first reachable sum upwards", async () => {
    const vocabulary = await calibrateEachWord(byteTokens, stream());
    expect(vocabulary.exact).toBe(true);
    // A letter and a template are 4; words after a space are 4 and 5 bytes: all sums from 12 on are reachable.
    for (let target = 16; target < 400; target++)
      expect(await byteTokens(makePrompt(vocabulary, target, randomStream(target, "p")))).toBe(target);
    expect(await byteTokens(makePrompt(vocabulary, 4 + 7, stream()))).toBe(4 + 5);
  });

  it("never use a letter to begin with that counts otherwise than the rest", async () => {
    const count = async (text: string) =>
      (await wordTokens(new Set())(text)) + (text.startsWith("q") ? 1 : 0);
    const vocabulary = await calibrateEachWord(count, stream());
    expect(vocabulary.openings).not.toContain("q");
    expect(vocabulary.openings).toHaveLength(25);
  });

  it("are different for every stream", async () => {
    const texts = Array.from({ length: 200 }, (_, seed) =>
      makePrompt(UNCALIBRATED, 20, randomStream(seed, "p")),
    );
    expect(new Set(texts).size).toBe(200);
  });
});

describe("calibrating where every count is a request", () => {
  it("asks no oftener than it may", async () => {
    let calls = 0;
    const base = wordTokens(new Set());
    const vocabulary = await calibrateGroups(async (text) => (calls++, base(text)), 4, stream());
    expect(calls).toBeLessThanOrEqual(4);
    expect(vocabulary).toMatchObject({ exact: true, overheadTokens: 12 });
    expect(await base(makePrompt(vocabulary, 500, stream()))).toBe(500);
  });

  it("leaves out groups with a word of two tokens", async () => {
    const count = wordTokens(new Set(["the"]));
    const vocabulary = await calibrateGroups(count, 4, stream());
    expect(vocabulary.words.map((word) => word.text)).not.toContain("the");
    expect(vocabulary.exact).toBe(true);
  });

  it("counts a few words one by one where every group has a word of several tokens", async () => {
    let calls = 0;
    const vocabulary = await calibrateGroups(async (text) => (calls++, byteTokens(text)), 4, stream());
    expect(vocabulary.exact).toBe(true);
    expect(calls).toBeLessThanOrEqual(3 + 4 + 16 + 1);
    for (const target of [128, 1000])
      expect(await byteTokens(makePrompt(vocabulary, target, stream()))).toBe(target);
  });

  it("says that lengths are approximate where a prompt's count is not the sum of its parts", async () => {
    const merging = async (text: string) => 3 + Math.ceil(text.length * 0.7);
    const vocabulary = await calibrateGroups(merging, 4, stream());
    expect(vocabulary.exact).toBe(false);
    const counted = await merging(makePrompt(vocabulary, 1000, stream()));
    expect(Math.abs(counted - 1000)).toBeLessThan(60);
  });

  it("does not call itself exact when a whole prompt is counted otherwise than its words", async () => {
    const count = async (text: string) => {
      const words = text.split(" ").length;
      return 5 + words + (words > 100 ? 1 : 0);
    };
    expect((await calibrateGroups(count, 4, stream())).exact).toBe(false);
    expect((await calibrateEachWord(count, stream())).exact).toBe(false);
  });
});

describe("a nonce", () => {
  it("has one length and is different for every stream", async () => {
    const vocabulary = await calibrateEachWord(byteTokens, stream());
    const nonces = Array.from({ length: 100 }, (_, seed) => makeNonce(vocabulary, randomStream(seed, "n")));
    expect(new Set(nonces.map((nonce) => nonce.length)).size).toBe(1);
    expect(
      new Set(UNCALIBRATED.openings.map((_, seed) => makeNonce(UNCALIBRATED, randomStream(seed, "n")))).size,
    ).toBe(26);
  });
});
