/** What a chart is to the page around it. Plots choose marks and words; they compute no figure. */
import type { EChartsCoreOption } from "echarts/core";
import { visibleText } from "../html/markup.ts";
import type { TextTable } from "../tables.ts";
import type { Ink } from "./palette.ts";

export interface LegendEntry {
  readonly mark: "dot" | "ring" | "diamond" | "line" | "dash" | "bar" | "tick" | "band";
  readonly ink: Ink;
  readonly text: string;
}

export interface Plot {
  /** What is shown, as a heading. */
  readonly title: string;
  /** What a reader sees in it, for whoever does not see it. */
  readonly description: string;
  /** How to read the marks, and from which files they come. */
  readonly caption: string;
  readonly legend: readonly LegendEntry[];
  readonly option: EChartsCoreOption;
  readonly width: number;
  readonly height: number;
  /** The plotted values, or a summary of them. */
  readonly table: TextTable;
}

/** Two of them stand side by side on a screen, one on a phone. */
export const HALF_WIDTH = 480;
export const FULL_WIDTH = 960;

/** A label longer than this would leave no room for the marks. */
const LONGEST_LABEL = 44;

/** One line of limited length, whatever a name contains. */
export function label(text: string, longest = LONGEST_LABEL): string {
  const line = visibleText(text.replace(/\s+/g, " ")).trim();
  const characters = Array.from(line);
  return characters.length <= longest ? line : `${characters.slice(0, longest - 1).join("")}…`;
}

/** Labels without the words that all of them begin with; the first word of a list of one stays. */
export function distinctParts(labels: readonly string[]): readonly string[] {
  const split = labels.map((text) => text.split(" "));
  const [first = []] = split;
  let common = 0;
  while (
    labels.length > 1 &&
    split.every((words) => words.length > common + 1 && words[common] === first[common])
  )
    common++;
  return split.map((words) => words.slice(common).join(" "));
}

/** What a custom mark is told about its place: data to pixels. */
export interface MarkApi {
  value(dimension: number): number;
  coord(point: readonly [number, number]): readonly [number, number];
  size(extent: readonly [number, number]): readonly [number, number];
}

export function textTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  texts = 1,
): TextTable {
  return {
    columns: headings.map((heading, index) => ({
      heading: [heading],
      align: index < texts ? "left" : "right",
    })),
    rows,
  };
}

/** Evenly spaced ranks of the values, both ends among them: a spread is seen in some hundred dots. */
export function fewer(values: readonly number[], most: number): readonly number[] {
  if (values.length <= most) return values;
  const sorted = Float64Array.from(values).sort();
  return Array.from(
    { length: most },
    (_, index) => sorted[Math.round((index * (sorted.length - 1)) / Math.max(most - 1, 1))] as number,
  );
}
