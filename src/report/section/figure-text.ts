/** Numbers as the sections print them: as many digits as say something, and the unknown mark. */
import { UNKNOWN } from "../../core/units.ts";
import type { Interval } from "../../stats/describe.ts";

/** Below this a fixed point shows zeros only. */
const SMALLEST_FIXED = 0.001;

/** Four figures: 0.0731, 1.306, 42.13, 114.5, 5263. A whole number keeps no decimals. */
export function figureText(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  const size = Math.abs(value);
  if (Number.isInteger(value)) return minus(String(value));
  if (size < SMALLEST_FIXED) return minus(value.toExponential(1));
  return minus(value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4));
}

export function withUnit(value: number | undefined, unit: string): string {
  if (value === undefined) return UNKNOWN;
  return unit === ""
    ? figureText(value)
    : unit === "×"
      ? `${figureText(value)}×`
      : `${figureText(value)} ${unit}`;
}

/** A limit as its author wrote it: 0.1 and not 0.1000. */
export function limitText(value: number, unit: string): string {
  const text = minus(String(value));
  return unit === "" ? text : unit === "×" ? `${text}×` : `${text} ${unit}`;
}

export function intervalText(interval: Interval | undefined): string {
  return interval === undefined ? UNKNOWN : `${figureText(interval.low)} … ${figureText(interval.high)}`;
}

export function pText(p: number): string {
  return p < SMALLEST_FIXED ? p.toExponential(1) : p.toFixed(3);
}

/** 1,000,000 dollars are read in threes. */
export function grouped(value: number | undefined, decimals = 0): string {
  if (value === undefined) return UNKNOWN;
  return minus(
    value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }),
  );
}

function minus(text: string): string {
  return text.startsWith("-") ? `−${text.slice(1)}` : text;
}
