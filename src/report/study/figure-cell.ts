/** One figure of a study as text: what was printed, and what its inputs give. */
import type { CheckedFigure } from "../../analysis/studies/check-study.ts";
import type { PrintedNumber } from "../../analysis/studies/printed-number.ts";
import type { CellUnit, CorrectionColumn } from "../../analysis/studies/study-findings.ts";
import { UNKNOWN } from "../../core/units.ts";

/** A true minus sign, and counts in threes. */
export function printedText({ text }: PrintedNumber): string {
  if (text.includes("e")) return text;
  const [whole = "", fraction] = text.replace(/^[+~-]/, "").split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const first = text[0] ?? "";
  const sign = first === "-" ? "−" : "+~".includes(first) ? first : "";
  return `${sign}${grouped}${fraction === undefined ? "" : `.${fraction}`}`;
}

export function reproducedText({ published, reproduction }: CheckedFigure): string {
  if (reproduction.kind === "value") return comparableText(reproduction.value, published);
  const { low, high } = reproduction;
  return `${comparableText(low, published)} … ${comparableText(high, published)}`;
}

/** With as many decimals as were printed; where that gives the same text, with one more, for it is another number. */
function comparableText(value: number, { text }: PrintedNumber): string {
  if (text.includes("e")) return value.toExponential(2);
  const places = /\.(\d+)/.exec(text)?.[1]?.length ?? 0;
  const coarse = value.toFixed(places);
  const same = Number(coarse) === Number(text.replace("~", "")) && !Number.isInteger(value);
  return printedText({ text: same ? value.toFixed(places + 1) : coarse, value, halfUnit: 0 });
}

export function markedText(figure: CheckedFigure | undefined): string {
  if (figure === undefined) return "";
  const printed = printedText(figure.published);
  switch (figure.agreement) {
    case "reproduced":
      return printed;
    case "within-rounding":
      return `${printed} ≈`;
    case "possible":
      return `${printed} ∈`;
    case "differs":
      return `${printed} ≠ ${reproducedText(figure)}`;
  }
}

const SIGNS = { reproduced: "=", "within-rounding": "≈", possible: "∈", differs: "≠" } as const;

export function besideText(figure: CheckedFigure | undefined): string {
  if (figure === undefined) return "";
  return `${printedText(figure.published)} ${SIGNS[figure.agreement]} ${reproducedText(figure)}`;
}

const UNIT_TEXT: Readonly<Record<CellUnit, string>> = {
  percent: "%",
  times: "×",
  "tok/s": "tok/s",
  points: "points",
  "GB/s": "GB/s",
  MiB: "MiB",
  usd: "USD",
  s: "s",
  plain: "",
};

export function headingOf({ heading, unit }: CorrectionColumn): string {
  const text = UNIT_TEXT[unit];
  return text === "" ? heading : `${heading}, ${text}`;
}

export function correctionText(value: number | undefined, { decimals }: CorrectionColumn): string {
  if (value === undefined || !Number.isFinite(value)) return UNKNOWN;
  return printedText({ text: value.toFixed(decimals), value, halfUnit: 0 });
}
