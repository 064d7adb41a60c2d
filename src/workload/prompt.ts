/**
 * Prompts with an exact token count. A vocabulary of short words is calibrated once per model: how
 * many tokens each adds after a space. Words are drawn at random until the target is near, and the
 * rest is filled exactly. The server's own count is recorded beside the target, so a miss is seen.
 */
import type { RandomStream } from "../core/random.ts";

/** Counts the tokens of a user message as the server sees it, its chat template included. */
export type PromptTokenCounter = (text: string) => Promise<number>;

export interface PromptWord {
  readonly text: string;
  /** Tokens that it adds after a space. */
  readonly tokens: number;
}

export interface PromptVocabulary {
  readonly words: readonly PromptWord[];
  /** Single letters that a prompt may begin with, all of the same count. */
  readonly openings: readonly string[];
  /** Tokens of the chat template and the opening. */
  readonly overheadTokens: number;
  /** A prompt made of it was counted by the server and had the length asked for. */
  readonly exact: boolean;
  /** What code is made of; absent where no role has needed it. */
  readonly code?: CodeVocabulary;
}

/** Pieces of code, each counted as words are. */
export interface CodeVocabulary {
  /** Tokens that a text begun with the mark of a tool result has more than one begun with a letter; may be negative. */
  readonly openingExtraTokens: number;
  readonly closingTokens: number;
  /** Brackets, operators and keywords; none where counting them would have cost a request each. */
  readonly signs: readonly PromptWord[];
  /** A turn made of them was counted by the server and had the length asked for. */
  readonly exact: boolean;
}

/** Common words of two to four letters: one token each in the tokenizers of the GPT-2, Llama and Gemma families, a few each in byte-level ones. */
const CANDIDATES =
  "the and for you are not was but all any can had her one our out day get has him his how man new now old see two way who boy did its let put say she too use call came each find from give good hand have help here home into just keep kind know last left like line live long look made make many more most move much must name near need next only open over part play read same seem show side some such take tell than that them then they this time tree turn upon very want well went were what when will with word work year your able area away".split(
    " ",
  );
const LETTERS = "abcdefghijklmnopqrstuvwxyz".split("");

/** How many words go into one probe where each probe is a request: enough that a word of two tokens shows. */
const GROUP_SIZE = 16;

/** Enough to make prompts that differ, few enough to be asked for one by one on a slow server. */
const FEW_WORDS = 16;
const FEW_LETTERS = 4;

/** Long enough that a rule which holds for single words and not for their sequence would show. */
const CHECK_TOKENS = 200;

/** What is assumed of a server that counts nothing: English text in a modern tokenizer. */
export const UNCALIBRATED: PromptVocabulary = {
  words: CANDIDATES.map((text) => ({ text, tokens: 1 })),
  openings: LETTERS,
  overheadTokens: 1,
  exact: false,
};

/** Counts every word by itself: for servers with a tokenizer, where a count costs under a millisecond. */
export function calibrateEachWord(
  count: PromptTokenCounter,
  random: RandomStream,
): Promise<PromptVocabulary> {
  return calibrateWords(CANDIDATES, LETTERS, count, random);
}

async function calibrateWords(
  candidates: readonly string[],
  letters: readonly string[],
  count: PromptTokenCounter,
  random: RandomStream,
): Promise<PromptVocabulary> {
  const letterTokens = await inTurn(letters, count);
  const usual = mostFrequent(letterTokens);
  const openings = letters.filter((_, index) => letterTokens[index] === usual);
  const opening = openings[0] as string;
  const wordTokens = await inTurn(candidates, (word) => count(`${opening} ${word}`));
  const words = candidates.map((text, index) => ({ text, tokens: (wordTokens[index] as number) - usual }));
  return checked(
    { words: words.filter((word) => word.tokens > 0), openings, overheadTokens: usual, exact: false },
    count,
    random,
  );
}

/**
 * Counts words in groups: for servers where each count is a request. Groups of which every word is
 * one token are kept. `maxProbes` bounds the requests and is at least 3; where every group has a
 * word of several tokens, some twenty requests more count a few words one by one.
 */
export async function calibrateGroups(
  count: PromptTokenCounter,
  maxProbes: number,
  random: RandomStream,
): Promise<PromptVocabulary> {
  const [opening] = LETTERS as [string];
  const overheadTokens = await count(opening);
  const kept: PromptWord[] = [];
  const measured: string[] = [];
  let tokens = 0;
  for (let group = 0; group < maxProbes - 2; group++) {
    const texts = CANDIDATES.slice(group * GROUP_SIZE, (group + 1) * GROUP_SIZE);
    const groupTokens = (await count([opening, ...texts].join(" "))) - overheadTokens;
    tokens += groupTokens;
    measured.push(...texts);
    if (groupTokens === texts.length) kept.push(...texts.map((text) => ({ text, tokens: 1 })));
  }
  if (kept.length > 0)
    return checked({ words: kept, openings: LETTERS, overheadTokens, exact: false }, count, random);
  // A tokenizer that splits words: a few of them are counted one by one, each by a request of a few tokens.
  const few = await calibrateWords(
    CANDIDATES.slice(0, FEW_WORDS),
    LETTERS.slice(0, FEW_LETTERS),
    count,
    random,
  );
  if (few.exact) return few;
  // Not even their sum is what the parts are: all get the mean, and lengths are approximate.
  const mean = Math.max(tokens / measured.length, 0.1);
  return {
    words: measured.map((text) => ({ text, tokens: mean })),
    openings: LETTERS,
    overheadTokens,
    exact: false,
  };
}

async function checked(
  vocabulary: PromptVocabulary,
  count: PromptTokenCounter,
  random: RandomStream,
): Promise<PromptVocabulary> {
  if (vocabulary.words.length === 0) return UNCALIBRATED;
  const target = vocabulary.overheadTokens + CHECK_TOKENS;
  const counted = await count(makePrompt(vocabulary, target, random));
  return { ...vocabulary, exact: counted === target };
}

async function inTurn(texts: readonly string[], count: PromptTokenCounter): Promise<readonly number[]> {
  const counts: number[] = [];
  for (const text of texts) counts.push(await count(text));
  return counts;
}

function mostFrequent(values: readonly number[]): number {
  const seen = new Map<number, number>();
  for (const value of values) seen.set(value, (seen.get(value) ?? 0) + 1);
  return [...seen].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
}

/** A prompt of `targetTokens` tokens, or the next shorter length that the words allow. */
export function makePrompt(vocabulary: PromptVocabulary, targetTokens: number, random: RandomStream): string {
  const opening = random.pick(vocabulary.openings);
  return [opening, ...makeWords(vocabulary, targetTokens - vocabulary.overheadTokens, random)].join(" ");
}

/** Words that add `tokens` tokens, or the next smaller number that they can add up to; none for 0 or less. */
export function makeWords(
  { words }: PromptVocabulary,
  tokens: number,
  random: RandomStream,
): readonly string[] {
  const texts: string[] = [];
  const longest = Math.max(...words.map((word) => word.tokens));
  let remaining = tokens;
  // Any sum from (longest − 1)² on can be made of the words' counts if any such sum can (Frobenius);
  // below it a random draw could leave a rest that nothing fills. A mean count fills nothing exactly.
  const drawnUntil = Number.isInteger(longest) ? longest ** 2 : longest / 2;
  while (remaining > drawnUntil) {
    const word = random.pick(words);
    texts.push(word.text);
    remaining -= word.tokens;
  }
  return [...texts, ...exactFill(words, remaining, random)];
}

/** Words whose tokens add up to `tokens`, or to the largest reachable sum below it (change-making). */
function exactFill(words: readonly PromptWord[], tokens: number, random: RandomStream): readonly string[] {
  const reachable = [true];
  for (let sum = 1; sum <= tokens; sum++)
    reachable[sum] = words.some((word) => reachable[sum - word.tokens] === true);
  let left = reachable.lastIndexOf(true);
  const texts: string[] = [];
  while (left > 0) {
    const word = random.pick(words.filter((candidate) => reachable[left - candidate.tokens] === true));
    texts.push(word.text);
    left -= word.tokens;
  }
  return texts;
}

/** Long enough that two prompts begin alike by chance once in millions. */
const NONCE_TOKENS = 12;

/** What a prompt begins with so that no prefix of it can have been cached; of one length, so that lengths stay comparable. */
export function makeNonce(vocabulary: PromptVocabulary, random: RandomStream): string {
  return `(${makePrompt(vocabulary, vocabulary.overheadTokens + NONCE_TOKENS, random)})`;
}
