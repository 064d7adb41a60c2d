/** What the simulated model says: words of a harbour, each exactly one token, the same for the same prompt and seed. */
import { randomStream } from "../../core/random.ts";
import type { RandomStream } from "../../core/random.ts";

/** Each at most four letters, so that a word with the space before it is one token. */
const WORDS = (
  "the a to of in on at by we it is was has had and or but not all one two ten ship boat mast sail keel deck " +
  "port bow aft helm rope line knot buoy quay pier dock slip berth tide wave wind fog rain sun east west sea bay"
)
  .split(" ")
  .filter((word) => word.length <= 4);

/** Spread of natural output lengths: the standard deviation of their logarithm. */
const LENGTH_SPREAD = 0.4;
/** No natural answer is longer than this many times the mean. */
const LONGEST_OVER_MEAN = 4;

export interface TextSource {
  /** The next token's text. */
  next(): string;
}

export function textSource(seed: number, requestSeed: number, prompt: string): TextSource {
  const random: RandomStream = randomStream(seed, "words", requestSeed, prompt);
  let first = true;
  return {
    next: () => {
      const word = random.pick(WORDS);
      if (!first) return ` ${word}`;
      first = false;
      return word;
    },
  };
}

/** Tokens after which the model would stop by itself: log-normal around the mean. */
export function naturalLengthTokens(
  seed: number,
  requestSeed: number,
  prompt: string,
  meanTokens: number,
): number {
  const random = randomStream(seed, "length", requestSeed, prompt);
  const drawn = meanTokens * Math.exp(LENGTH_SPREAD * random.normal() - LENGTH_SPREAD ** 2 / 2);
  return Math.min(Math.max(Math.round(drawn), 1), LONGEST_OVER_MEAN * meanTokens);
}
