/**
 * The figures that a hypothesis, a service level or a price may speak about, by name. A run and a
 * study each make such a book; whoever judges reads it and need not know where a figure came from.
 */
import { OperatorError } from "../../core/errors.ts";

export interface Figure {
  /** The mean of the values, or the one number there is. */
  readonly value: number | undefined;
  /** One per trial; empty where only a single number is known, which then has no spread. */
  readonly values: readonly number[];
  /** Where it can be looked up. */
  readonly source: string;
  /** Why a figure that the data could give has no value all the same. */
  readonly withheld?: Withheld;
  /** Why a figure that has a value describes no configuration in particular: it is a mean over several. */
  readonly acrossSettings?: Withheld;
}

export interface Withheld {
  readonly reason: string;
  /** What to do about it, as an order: "use …". */
  readonly settledBy: string;
}

export interface FigureBook {
  /** `run 20260102T030405Z-…`, `study kernel-profiling`. */
  readonly about: string;
  readonly simulated: boolean;
  readonly figures: ReadonlyMap<string, Figure>;
}

/** A list of names longer than this is not read. */
const MOST_NAMES_OFFERED = 8;

/**
 * Throws FIGURE_UNKNOWN for a name that the book does not have: a misspelt name must not pass for a
 * figure that was not measured. A figure that the book knows of and has no value for is returned.
 */
export function figureNamed(book: FigureBook, name: string, askedBy: string): Figure {
  const figure = book.figures.get(name);
  if (figure !== undefined) return figure;
  throw new OperatorError("FIGURE_UNKNOWN", {
    message: `${askedBy} names a figure that ${book.about} does not have`,
    received: name,
    nextStep: `use one of its names, for example ${offered(book, name).join(", ")}; docs/verdicts.md explains them`,
  });
}

/** Names that end alike come first: most often the cell is what was misspelt. */
function offered(book: FigureBook, name: string): readonly string[] {
  const last = lastPart(name);
  const names = [...book.figures.keys()];
  const alike = names.filter((known) => lastPart(known) === last);
  return [...alike, ...names.filter((known) => lastPart(known) !== last)].slice(0, MOST_NAMES_OFFERED);
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
