/**
 * A number as it was printed. Its digits say how precise it is: "4.20" lies within 0.005 of what
 * was measured, "4.2" within 0.05. So printed figures are kept as text, and every comparison takes
 * its tolerance from them.
 */
import { z } from "zod";

export interface PrintedNumber {
  readonly text: string;
  readonly value: number;
  /** Half of the last printed place; 0 for a count or a setting, which is exact. */
  readonly halfUnit: number;
}

/** `~1800`: said to be approximate, so its trailing zeros are no digits. Places after e count as in 6.4e-5. */
const PRINTED = /^(~?)([+-]?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/;

export function parsePrinted(text: string): PrintedNumber | undefined {
  const match = PRINTED.exec(text);
  if (match === null) return undefined;
  const [, about, , whole = "", fraction = "", exponent = "0"] = match;
  const value = Number(text.replace("~", ""));
  const trailingZeros = /0*$/.exec(whole)?.[0].length ?? 0;
  const place = about !== "" && fraction === "" ? trailingZeros : -fraction.length;
  return { text, value, halfUnit: 0.5 * 10 ** (place + Number(exponent)) };
}

/** Text is a rounded figure; a bare JSON number is exact. */
export const printedNumber = z.union([z.string(), z.number()]).transform((given, context): PrintedNumber => {
  if (typeof given === "number") return { text: String(given), value: given, halfUnit: 0 };
  const parsed = parsePrinted(given);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: "custom", message: `"${given}" is not a printed number` });
  return z.NEVER;
});

/** The same number as a given: a formula in the study starts from these very digits. */
export function asGiven(number: PrintedNumber): PrintedNumber {
  return { ...number, halfUnit: 0 };
}
