/** Any document of numbers as a figure book: the path to a number, joined with slashes, is its name. */
import { mean } from "../../stats/quantile.ts";
import type { Figure, FigureBook } from "./figure-book.ts";

/** What tells the members of a list apart, in this order; where none is there, their place does. */
const NAMING_FIELDS = ["id", "name", "test", "config", "label"] as const;

/**
 * A list of numbers is one figure with a value per run; a list of objects is a folder whose members
 * go by their id, name, test, config or label. Texts and truth values are no figures. Null is a
 * figure that was looked for and not had.
 */
export function studyFigures(study: string, inputs: unknown): FigureBook {
  const figures = new Map<string, Figure>();
  collect(inputs, [], figures, study);
  return { about: `study ${study}`, simulated: false, figures };
}

function collect(value: unknown, path: readonly string[], into: Map<string, Figure>, study: string): void {
  const name = path.join("/");
  const source = `${study}: ${name}`;
  if (typeof value === "number") into.set(name, { value, values: [], source });
  else if (value === null) into.set(name, { value: undefined, values: [], source });
  else if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "number"))
    into.set(name, { value: mean(value), values: value, source });
  else if (Array.isArray(value))
    value.forEach((item: unknown, place) => collect(item, [...path, memberName(item, place)], into, study));
  else if (typeof value === "object")
    for (const [key, inner] of Object.entries(value)) collect(inner, [...path, key], into, study);
}

function memberName(item: unknown, place: number): string {
  if (typeof item === "object" && item !== null)
    for (const field of NAMING_FIELDS) {
      const name = (item as Readonly<Record<string, unknown>>)[field];
      if (typeof name === "string" || typeof name === "number") return String(name);
    }
  return String(place);
}
