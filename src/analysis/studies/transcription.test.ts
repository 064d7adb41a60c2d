/** The study files carry every number that was taken from the documents: as an input, as a figure that is checked, or in a finding. */
import { describe, expect, it } from "vitest";
import { GOLDEN_PLACES } from "../../../test/fakes/golden-places.ts";
import { goldenFile, readGolden, readStudyText } from "../../../test/fakes/study-files.ts";
import { checkStudy, figuresOf } from "./check-study.ts";
import { parsePrinted } from "./printed-number.ts";
import type { StudyName } from "./study-document.ts";
import { STUDY_NAMES, studyDocument } from "./study-document.ts";

interface Leaf {
  readonly path: string;
  readonly value: number;
}

/** Numbers by path, without those that only name an entry. Slashes in keys become bars: a slash always parts two steps. */
function numbersOf(value: unknown, path = ""): readonly Leaf[] {
  if (typeof value === "number") return [{ path, value }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) => {
    if (key === "id") return [];
    const step = key.replaceAll("/", "|");
    return numbersOf(below, path === "" ? step : `${path}/${step}`);
  });
}

/** The first pattern that takes the whole path decides, so that exceptions stand before the rule. */
function placeOf(name: StudyName, path: string): string | undefined {
  const steps = path.split("/");
  for (const [pattern, place] of GOLDEN_PLACES[name]) {
    const wanted = pattern.split("/");
    const fits =
      wanted.length === steps.length && wanted.every((step, at) => step === "*" || step === steps[at]);
    if (!fits) continue;
    const taken = steps.filter((_, at) => wanted[at] === "*");
    return place.replaceAll(/\$(\d)/g, (_, group: string) => taken[Number(group) - 1] ?? "");
  }
  return undefined;
}

/** An entry of a list is found by its place in it, or by the name that it carries. */
function step(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  if (!Array.isArray(value)) return (value as Record<string, unknown>)[key];
  const entries: readonly unknown[] = value;
  const named = entries.find((entry) => NAMES.some((name) => step(entry, name) === key));
  return named ?? entries[Number(key)];
}
const NAMES = ["id", "test", "job", "run"] as const;

function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" ? parsePrinted(value)?.value : undefined;
}

describe.each(STUDY_NAMES)("%s", (name) => {
  const raw: unknown = JSON.parse(readStudyText(name));
  const check = checkStudy(studyDocument.parse(raw));
  const figures = new Map(figuresOf(check.tables).map((figure) => [figure.id, figure.published.value]));
  const leaves = numbersOf(readGolden(goldenFile(name)));

  /** A number, or the sentences in which it has to stand. */
  function found(place: string): number | string | undefined {
    const [kind = "", ...rest] = place.split("/");
    if (kind === "published") return figures.get(rest.join("/"));
    if (kind === "findings") return check.findings.find((finding) => finding.id === rest[0])?.shows;
    return numberOf(place.split("/").reduce(step, step(raw, "inputs")));
  }

  it("has a place for every number", () => {
    expect(leaves.length).toBeGreaterThan(30);
    expect(leaves.map(({ path }) => path).filter((path) => placeOf(name, path) === undefined)).toEqual([]);
  });

  it("has in each place the number that was taken from the document", () => {
    const wrong = leaves.flatMap(({ path, value }) => {
      const place = placeOf(name, path);
      if (place === undefined) return [];
      const there = found(place);
      const same = typeof there === "string" ? there.includes(` ${value}`) : there === value;
      return same ? [] : [{ path, value, place, there }];
    });
    expect(wrong).toEqual([]);
  });
});
