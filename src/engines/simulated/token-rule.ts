/**
 * The simulated tokenizer. One token is up to four bytes of UTF-8 without white space, together
 * with the one white-space byte before them; any other white-space byte is a token of its own. The
 * rule is reversible, and the tokens of a text's beginning are the beginning of its tokens, so
 * prompts of an exact length and reused prefixes can be tested with it.
 */
const TOKEN = /[ \t\r\n]?[^ \t\r\n]{1,4}|[ \t\r\n]/g;

/** A token's id is its bytes as one number behind a leading 1, at most 2^41: exact in a double. */
export function tokenize(text: string): number[] {
  const bytes = Buffer.from(text, "utf8").toString("latin1");
  const ids: number[] = [];
  for (const piece of bytes.match(TOKEN) ?? []) {
    let id = 1;
    for (let index = 0; index < piece.length; index++) id = id * 256 + piece.charCodeAt(index);
    ids.push(id);
  }
  return ids;
}

/** The text of token ids; numbers that are no token's id give nothing. */
export function detokenize(ids: readonly number[]): string {
  const bytes: number[] = [];
  for (const id of ids) {
    const piece: number[] = [];
    let rest = Number.isSafeInteger(id) && id > 0 ? id : 1;
    for (; rest > 1; rest = Math.floor(rest / 256)) piece.unshift(rest % 256);
    if (rest === 1) bytes.push(...piece);
  }
  return Buffer.from(bytes).toString("utf8");
}
