/**
 * Prompts with an exact token count. A vocabulary of short words is calibrated once per model so
 * that every word is one token after a space; n words are then n tokens by construction, whatever
 * words are drawn. The server's own count is recorded beside the target, so a miss is seen.
 */
import type { RandomStream } from "../core/random.ts";

/** Counts the tokens of a user message as the server sees it, its chat template included. */
export type PromptTokenCounter = (text: string) => Promise<number>;

export interface PromptVocabulary {
  readonly words: readonly string[];
  /** 1 where every word is exactly one token; else the mean, and counts are approximate. */
  readonly tokensPerWord: number;
  /** Tokens that the template adds to any message. */
  readonly overheadTokens: number;
  readonly exact: boolean;
}

/** Common words of two to four letters: one token each in every tokenizer of the GPT-2, Llama and Gemma families seen so far. */
const CANDIDATES =
  "the and for you are not was but all any can had her one our out day get has him his how man new now old see two way who boy did its let put say she too use call came each find from give good hand have help here home into just keep kind know last left like line live long look made make many more most move much must name near need next only open over part play read same seem show side some such take tell than that them then they this time tree turn upon very want well went were what when will with word work year your able area away back base bear best body book both case city cold come dark data days deal door down draw east even ever face fact fall farm fast feel feet fine fire fish five food foot form four free full game girl gold half hard head hear held high hold hour idea inch iron king land late lead less life list love main mark mean mind miss moon".split(
    " ",
  );

/** How many words go into one calibration prompt: enough that a word of two tokens shows. */
const GROUP_SIZE = 16;

/** What is assumed of a server that counts nothing: English text in a modern tokenizer. */
export const UNCALIBRATED: PromptVocabulary = {
  words: CANDIDATES,
  tokensPerWord: 1,
  overheadTokens: 0,
  exact: false,
};

/**
 * Finds the template's overhead and the groups of words that are one token each.
 * `maxProbes` bounds the calls of `count`, since on a server without a tokenizer each is a request.
 */
export async function calibrateVocabulary(
  count: PromptTokenCounter,
  maxProbes: number,
): Promise<PromptVocabulary> {
  const groups = groupsOf(CANDIDATES, GROUP_SIZE).slice(0, Math.max(maxProbes - 2, 1));
  const first = groups[0] as readonly string[];
  const once = await count(first.join(" "));
  const twice = await count([...first, ...first].join(" "));
  const perGroup = twice - once;
  const overheadTokens = once - perGroup;
  const kept: string[] = [];
  let measuredTokens = 0;
  let measuredWords = 0;
  for (const group of groups) {
    const tokens = group === first ? perGroup : (await count([...first, ...group].join(" "))) - once;
    measuredTokens += tokens;
    measuredWords += group.length;
    if (tokens === group.length) kept.push(...group);
  }
  if (kept.length >= GROUP_SIZE) return { words: kept, tokensPerWord: 1, overheadTokens, exact: true };
  return {
    words: CANDIDATES,
    tokensPerWord: Math.max(measuredTokens / measuredWords, 0.1),
    overheadTokens,
    exact: false,
  };
}

function groupsOf(words: readonly string[], size: number): readonly (readonly string[])[] {
  const groups: string[][] = [];
  for (let start = 0; start + size <= words.length; start += size)
    groups.push(words.slice(start, start + size));
  return groups;
}

/** A prompt of `targetTokens` tokens for this vocabulary; at least one word. */
export function makePrompt(vocabulary: PromptVocabulary, targetTokens: number, random: RandomStream): string {
  const wanted = Math.round((targetTokens - vocabulary.overheadTokens) / vocabulary.tokensPerWord);
  const words: string[] = [];
  for (let index = 0; index < Math.max(wanted, 1); index++) words.push(random.pick(vocabulary.words));
  return words.join(" ");
}

/** Four of some 200 words: one chance in 10^9 that two prompts begin alike. */
const NONCE_WORDS = 4;

/** What a prompt begins with so that no prefix of it can have been cached. */
export function makeNonce(vocabulary: PromptVocabulary, random: RandomStream): string {
  return `(${Array.from({ length: NONCE_WORDS }, () => random.pick(vocabulary.words)).join(" ")})`;
}
