import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { naturalLengthTokens, textSource } from "./generated-text.ts";
import { detokenize, tokenize } from "./token-rule.ts";

describe("the simulated tokenizer", () => {
  it("cuts words into pieces of four bytes, each with the white space before it", () => {
    // hell|o| wör|ld| | x: the ö is two bytes.
    expect(tokenize("hello wörld  x")).toHaveLength(6);
    expect(tokenize("")).toEqual([]);
    expect(tokenize("the ship\nthe ship")).toHaveLength(4);
  });

  it("gives every text back from its tokens", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        // Lone surrogates have no UTF-8 form.
        const wellFormed = Buffer.from(text, "utf8").toString("utf8");
        expect(detokenize(tokenize(wellFormed))).toBe(wellFormed);
      }),
    );
  });

  it("keeps the tokens of a beginning: only its last one may change when text follows", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (beginning, rest) => {
        const kept = tokenize(beginning).slice(0, -1);
        expect(tokenize(beginning + rest).slice(0, kept.length)).toEqual(kept);
      }),
    );
  });

  it("ignores numbers that are no token", () => {
    expect(detokenize([-1, 0.5, Number.NaN, 0])).toBe("");
  });
});

describe("generated text", () => {
  it("is exactly as many tokens as pieces were taken, for any seed and prompt", () => {
    fc.assert(
      fc.property(fc.nat(), fc.string(), fc.integer({ min: 1, max: 200 }), (seed, prompt, count) => {
        const source = textSource(1, seed, prompt);
        const text = Array.from({ length: count }, () => source.next()).join("");
        expect(tokenize(text)).toHaveLength(count);
      }),
    );
  });

  it("has lengths around the mean: half within a third of it, none above four times", () => {
    const lengths = Array.from({ length: 1000 }, (_unused, seed) =>
      naturalLengthTokens(1, seed, "prompt", 100),
    );
    const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
    // The standard error of the mean of 1,000 draws with 42 % spread is 1.3.
    expect(Math.abs(mean - 100)).toBeLessThan(6);
    expect(lengths.filter((length) => Math.abs(length - 100) < 33).length).toBeGreaterThan(500);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(400);
  });
});
