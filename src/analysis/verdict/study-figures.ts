/** The inputs of a study as a figure book: the path to a number, joined with slashes, is its name. */
import { mean } from "../../stats/quantile.ts";
import { parsePrinted } from "../studies/printed-number.ts";
import type { Figure, FigureBook } from "./figure-book.ts";

/**
 * A list of numbers is one figure with a value per run; a list of objects is a folder whose members
 * go by their `id`, or else by their place. Text that is a printed number counts as one; other texts
 * and truth values are no figures. Null is a figure that was looked for and not had.
 */
export function studyFigures(study: string, inputs: unknown): FigureBook {
  const figures = new Map<string, Figure>();
  collect(inputs, [], figures, study);
  return { about: `study ${study}`, simulated: false, figures };
}

function collect(given: unknown, path: readonly string[], into: Map<string, Figure>, study: string): void {
  const name = path.join("/");
  const source = `${study}: ${name}`;
  const value = numberOf(given);
  if (value !== undefined) into.set(name, { value, values: [], source });
  else if (given === null) into.set(name, { value: undefined, values: [], source });
  else if (Array.isArray(given)) collectList(given, path, into, study);
  else if (typeof given === "object")
    for (const [key, inner] of Object.entries(given)) collect(inner, [...path, key], into, study);
}

function collectList(
  items: readonly unknown[],
  path: readonly string[],
  into: Map<string, Figure>,
  study: string,
): void {
  const name = path.join("/");
  const values = items.map(numberOf).filter((value) => value !== undefined);
  if (items.length > 0 && values.length === items.length)
    into.set(name, { value: mean(values), values, source: `${study}: ${name}` });
  else items.forEach((item, place) => collect(item, [...path, memberName(item, place)], into, study));
}

function numberOf(given: unknown): number | undefined {
  if (typeof given === "number") return given;
  return typeof given === "string" ? parsePrinted(given)?.value : undefined;
}

function memberName(item: unknown, place: number): string {
  return typeof item === "object" && item !== null && "id" in item ? String(item.id) : String(place);
}
