/**
 * Numbers as tools print them in the reader's own language: 4,963,609.19 and 4.963.609,19 are one
 * number. A file is written in one language, so the mark is found over all its numbers, and only
 * then is any of them read.
 */

export type DecimalMark = "." | ",";

const NUMBER_LIKE = /^[+-]?[\d.,'\u00a0\u202f ]*\d(?:[eE][+-]?\d+)?%?$/;

/** Collects what the numbers of a file say about its decimal mark. */
export class DecimalMarkEvidence {
  readonly #votes = { ".": 0, ",": 0 };

  add(text: string): void {
    if (!NUMBER_LIKE.test(text.trim())) return;
    const mark = markIn(text);
    if (mark !== undefined) this.#votes[mark]++;
  }

  /** The point where nothing decides, as with whole numbers below a thousand; undefined where both were seen. */
  get mark(): DecimalMark | undefined {
    if (this.#votes["."] > 0 && this.#votes[","] > 0) return undefined;
    return this.#votes[","] > 0 ? "," : ".";
  }
}

/** Undefined where the text alone does not say: `4,963` is a whole number here and a fraction there. */
function markIn(text: string): DecimalMark | undefined {
  const [points, commas] = [count(text, "."), count(text, ",")];
  if (points > 0 && commas > 0) return text.lastIndexOf(".") > text.lastIndexOf(",") ? "." : ",";
  if (points > 1) return ",";
  if (commas > 1) return ".";
  if (points + commas === 0) return undefined;
  const mark = points === 1 ? "." : ",";
  const digitsAfter = text.length - 1 - text.lastIndexOf(mark);
  const digitsBefore = text.lastIndexOf(mark);
  // Exactly three digits after one mark, and at most three before it: either reading is possible.
  return digitsAfter === 3 && digitsBefore <= 3 && text[0] !== "0" ? undefined : mark;
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

/** Undefined for what is no number: empty, `n/a`, words. */
export function parseNumber(text: string, mark: DecimalMark): number | undefined {
  const trimmed = text.trim();
  if (!NUMBER_LIKE.test(trimmed)) return undefined;
  const plain = trimmed
    .replace(/%$/, "")
    .replace(mark === "." ? /[,'\u00a0\u202f ]/g : /[.'\u00a0\u202f ]/g, "")
    .replace(",", ".");
  const value = Number(plain);
  return plain === "" || !Number.isFinite(value) ? undefined : value;
}
