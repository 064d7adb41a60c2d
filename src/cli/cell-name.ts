/** How a person names a cell on the command line: by its label, a beginning of its hash, or words of the label. */

interface NamedCell {
  readonly label: string;
  readonly hash: string;
}

/** Shorter beginnings of a hash would be taken for words. */
const FEWEST_HASH_DIGITS = 4;

const MOST_LABELS_SHOWN = 12;

/** The cells that were meant: more than one where their labels share the words, none where nothing fits. */
export function matchingCells<Cell extends NamedCell>(cells: readonly Cell[], name: string): readonly Cell[] {
  const words = name.split(/\s+/).filter((word) => word !== "");
  const byLabel = cells.filter((one) => one.label === name);
  const byHash = name.length < FEWEST_HASH_DIGITS ? [] : cells.filter((one) => one.hash.startsWith(name));
  const byWords = cells.filter((one) => words.length > 0 && words.every((word) => hasWord(one.label, word)));
  return [byLabel, byHash, byWords].find((matches) => matches.length > 0) ?? [];
}

/** For an error: what could have been named. */
export function shownLabels(cells: readonly NamedCell[]): string {
  const shown = cells.slice(0, MOST_LABELS_SHOWN).map((one) => `"${one.label}"`);
  const rest = cells.length - shown.length;
  return `${shown.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** N=1 is no word of "N=16". */
function hasWord(label: string, word: string): boolean {
  return label === word || label.split(/\s+/).includes(word);
}
