import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "./random.ts";

describe("randomStream", () => {
  it("gives the same draws for the same seed and name, and others for any other", () => {
    const draws = (...labels: (string | number)[]) => {
      const stream = randomStream(7, ...labels);
      return [stream.next(), stream.next(), stream.next()];
    };
    expect(draws("prompt", "agent-1", 0)).toEqual(draws("prompt", "agent-1", 0));
    expect(draws("prompt", "agent-1", 0)).not.toEqual(draws("prompt", "agent-1", 1));
    // Labels cannot run together: ("ab", "c") is not ("a", "bc").
    expect(draws("ab", "c")).not.toEqual(draws("a", "bc"));
  });

  it("is uniform: the mean and variance of 100,000 draws are those of U(0,1)", () => {
    const stream = randomStream(1, "uniform");
    let sum = 0;
    let squares = 0;
    for (let index = 0; index < 100_000; index++) {
      const draw = stream.next();
      sum += draw;
      squares += draw * draw;
    }
    // Five standard errors: sqrt(1/12/1e5) = 0.00091, and sqrt(4/45/1e5) = 0.00094 for the squares.
    expect(Math.abs(sum / 1e5 - 1 / 2)).toBeLessThan(0.0046);
    expect(Math.abs(squares / 1e5 - 1 / 3)).toBeLessThan(0.0047);
  });

  it("has streams of neighbouring names that do not correlate", () => {
    const a = randomStream(1, "agent", 1);
    const b = randomStream(1, "agent", 2);
    let products = 0;
    for (let index = 0; index < 100_000; index++) products += (a.next() - 0.5) * (b.next() - 0.5);
    // The standard error of the mean product is (1/12)/sqrt(1e5) = 0.00026.
    expect(Math.abs(products / 1e5)).toBeLessThan(0.0014);
  });

  it("draws exponentials with the mean that was asked for", () => {
    const stream = randomStream(3, "exponential");
    let sum = 0;
    for (let index = 0; index < 100_000; index++) sum += stream.exponential(4);
    expect(Math.abs(sum / 1e5 - 4)).toBeLessThan(5 * (4 / Math.sqrt(1e5)));
  });

  it("shuffles without losing or inventing anything", () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer(), (items, seed) => {
        const shuffled = randomStream(seed, "shuffle").shuffle(items);
        expect([...shuffled].sort((x, y) => x - y)).toEqual([...items].sort((x, y) => x - y));
      }),
    );
  });

  it("puts every item first about equally often", () => {
    const firsts = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed++) {
      const first = randomStream(seed, "s").shuffle(["a", "b", "c"])[0] as string;
      firsts.set(first, (firsts.get(first) ?? 0) + 1);
    }
    for (const count of firsts.values())
      expect(Math.abs(count - 2000)).toBeLessThan(5 * Math.sqrt(6000 * (2 / 9)));
  });
});
