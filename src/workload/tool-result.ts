/**
 * What an agent in a role sends in one turn: a synthetic tool result, which is filler that looks
 * like code, and a message after it. Both together have an exact token count, as prompts have: every
 * piece stands after a space and was counted so.
 */
import type { RandomStream } from "../core/random.ts";
import type { CodeVocabulary, PromptTokenCounter, PromptVocabulary, PromptWord } from "./prompt.ts";
import { makePrompt, makeWords } from "./prompt.ts";

export interface TurnSizes {
  /** 0: the turn is a message alone. */
  readonly toolResultTokens: number;
  readonly messageTokens: number;
}

const RESULT_OPENING = "[TOOL RESULT]";
const RESULT_CLOSING = "[END OF TOOL RESULT]";

/** `_` is a word drawn at random. One line each: what a line break adds depends on what stands before it. */
const STATEMENTS = [
  "let _ = _ ( _ , _ ) ;",
  "const _ = [ _ , _ , _ ] ;",
  "if ( _ == _ ) { return _ ; }",
  "for ( const _ of _ ) { _ += _ ; }",
  "return _ . _ ( _ ) ;",
  "function _ ( _ ) { return _ * _ ; }",
  "// _ _ _ _ _",
].map((statement) => statement.split(" "));
const SIGNS = [...new Set(STATEMENTS.flat())].filter((piece) => piece !== "_");

/** Where nothing was counted, what a modern tokenizer makes of the marks. */
const UNCOUNTED: CodeVocabulary = {
  openingExtraTokens: 3,
  closingTokens: 6,
  signs: SIGNS.map((text) => ({ text, tokens: 1 })),
  exact: false,
};

/** Long enough that a rule which holds for single signs and not for statements would show. */
const CHECK_SIZES: TurnSizes = { toolResultTokens: 400, messageTokens: 100 };

/**
 * Counts the pieces of code as the words of `vocabulary` were counted, its template not yet added.
 * `signs`: `few` for servers where each count is a request; code then is words between the marks.
 */
export async function calibrateCode(
  vocabulary: PromptVocabulary,
  count: PromptTokenCounter,
  signs: "all" | "few",
  random: RandomStream,
): Promise<CodeVocabulary> {
  const [opening = "a"] = vocabulary.openings;
  const after = async (text: string): Promise<number> =>
    (await count(`${opening} ${text}`)) - vocabulary.overheadTokens;
  const counted: PromptWord[] = [];
  for (const text of signs === "all" ? SIGNS : []) counted.push({ text, tokens: await after(text) });
  const code: CodeVocabulary = {
    openingExtraTokens: (await count(RESULT_OPENING)) - vocabulary.overheadTokens,
    closingTokens: await after(RESULT_CLOSING),
    // A sign that vanishes into what stands before it has no count of its own.
    signs: counted.every(({ tokens }) => tokens > 0) ? counted : [],
    exact: false,
  };
  if (await isExact({ ...vocabulary, code }, count, random)) return { ...code, exact: true };
  // A tokenizer that joins signs across a space: words alone still add up, where they do so in prompts.
  const words = { ...code, signs: [] };
  return { ...words, exact: await isExact({ ...vocabulary, code: words }, count, random) };
}

async function isExact(
  vocabulary: PromptVocabulary,
  count: PromptTokenCounter,
  random: RandomStream,
): Promise<boolean> {
  const tokens = CHECK_SIZES.toolResultTokens + CHECK_SIZES.messageTokens;
  return (await count(makeTurn(vocabulary, CHECK_SIZES, random))) === tokens;
}

/**
 * A text of `toolResultTokens + messageTokens` tokens as the server counts them, chat template
 * included: the template and the marks are taken from the two, so that sizes mean what a server
 * reports. A tool result too small for its marks is words alone.
 */
export function makeTurn(vocabulary: PromptVocabulary, sizes: TurnSizes, random: RandomStream): string {
  const { overheadTokens, code = UNCOUNTED } = vocabulary;
  const targetTokens = sizes.toolResultTokens + sizes.messageTokens;
  const marksTokens = overheadTokens + code.openingExtraTokens + code.closingTokens;
  const message = makeWords(vocabulary, sizes.messageTokens - overheadTokens, random);
  // What words cannot fill of the message goes into the result, where signs can.
  const resultFill = targetTokens - marksTokens - tokensOf(message, vocabulary.words);
  if (sizes.toolResultTokens === 0 || resultFill <= 0) return makePrompt(vocabulary, targetTokens, random);
  const result = codeOf(vocabulary, code, resultFill, random);
  return [RESULT_OPENING, ...result, RESULT_CLOSING, ...message].join(" ");
}

function tokensOf(texts: readonly string[], words: readonly PromptWord[]): number {
  const tokens = new Map(words.map((word) => [word.text, word.tokens]));
  return texts.reduce((sum, text) => sum + (tokens.get(text) ?? 0), 0);
}

/** Statements as long as they surely fit, then words and signs. */
function codeOf(
  vocabulary: PromptVocabulary,
  { signs }: CodeVocabulary,
  tokens: number,
  random: RandomStream,
): readonly string[] {
  if (signs.length === 0) return makeWords(vocabulary, tokens, random);
  const { words } = vocabulary;
  const pieces = [...words, ...signs];
  const signTokens = new Map(signs.map((sign) => [sign.text, sign.tokens]));
  const longestPiece = Math.ceil(Math.max(...pieces.map((piece) => piece.tokens)));
  const longestStatement = Math.max(...STATEMENTS.map((statement) => statement.length)) * longestPiece;
  // What is left at the end is more than any pieces need to fill it exactly; see makeWords.
  const atLeastLeft = longestStatement + longestPiece ** 2;
  const texts: string[] = [];
  let remaining = tokens;
  while (remaining > atLeastLeft)
    for (const piece of random.pick(STATEMENTS)) {
      const word = piece === "_" ? random.pick(words) : undefined;
      texts.push(word?.text ?? piece);
      remaining -= word?.tokens ?? signTokens.get(piece) ?? 0;
    }
  return [...texts, ...makeWords({ ...vocabulary, words: pieces }, remaining, random)];
}
