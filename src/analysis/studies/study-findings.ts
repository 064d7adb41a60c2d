/** What a study's reader must know besides whether its figures reproduce. */
import type { PrintedNumber } from "./printed-number.ts";
import type { Reproduction } from "./reproduce.ts";

export type FindingKind =
  /** Two printed statements, or a statement and the numbers, cannot both hold. */
  | "contradiction"
  /** The numbers hold, and do not mean what is concluded from them. */
  | "interpretation"
  /** A test was used where its assumptions fail. */
  | "assumption"
  /** Likely, and not provable from what is printed. */
  | "inference";

export interface Finding {
  readonly id: string;
  readonly kind: FindingKind;
  readonly section: string;
  /** What the study says, in our words. */
  readonly says: string;
  /** What its own numbers give. */
  readonly shows: string;
}

export type CellUnit = "percent" | "times" | "tok/s" | "points" | "GB/s" | "MiB" | "usd" | "s" | "plain";

export interface CorrectionColumn {
  readonly heading: string;
  readonly unit: CellUnit;
  readonly decimals: number;
}

/** A published figure beside what it should be read against. */
export interface CorrectionTable {
  readonly id: string;
  readonly title: string;
  /** How to read it, and the doubt that remains. */
  readonly note: string;
  readonly columns: readonly CorrectionColumn[];
  readonly rows: readonly { readonly label: string; readonly values: readonly (number | undefined)[] }[];
}

/** What the inputs of one study give. */
export interface StudyResults {
  /** By figure id. */
  readonly figures: ReadonlyMap<string, Reproduction>;
  /** Why a figure does not reproduce, by figure id. */
  readonly reasons: ReadonlyMap<string, string>;
  readonly findings: readonly Finding[];
  readonly corrections: readonly CorrectionTable[];
  /** One sentence: what the checks mean for the study's conclusion. */
  readonly meaning: string;
}

/** A figure as the study prints it, by id; asking for one that it does not print is a mistake. */
export type PublishedFigures = (id: string) => PrintedNumber;
