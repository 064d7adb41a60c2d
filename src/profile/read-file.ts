import type { FigureSet } from "./figures.ts";

/** What the reader of one format returns for one file. */
export interface ReadFile {
  /** Product and schema, or the reports found. */
  readonly detail: string;
  readonly figures: FigureSet;
  readonly notes: readonly string[];
}
