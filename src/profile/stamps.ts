/**
 * Stamps written as decimals. Nanoseconds since 1970 have 19 digits and a double holds 15, so the
 * whole part is taken relative to the first stamp before it becomes a double.
 */

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?$/;

/** Digits beyond the tenth behind the point are below any clock. */
const MAX_FRACTION_DIGITS = 10;
/** The longest stamp is one of nanoseconds since 1970. */
const MAX_WHOLE_DIGITS = 20;

export class RelativeStamps {
  #base: bigint | undefined;

  /** Nanoseconds after the first stamp given, whole; undefined for what is no stamp. */
  read(text: string, scaleNs: number): number | undefined {
    const found = DECIMAL.exec(text);
    if (found === null) return undefined;
    const [, sign = "", whole = "", fraction = ""] = found;
    if (whole.length > MAX_WHOLE_DIGITS) return undefined;
    const wholeNumber = BigInt(`${sign}${whole}`);
    this.#base ??= wholeNumber;
    const part = Number(`${sign}0.${fraction.slice(0, MAX_FRACTION_DIGITS) || "0"}`);
    const ns = Math.round((Number(wholeNumber - this.#base) + part) * scaleNs);
    return Number.isSafeInteger(ns) ? ns : undefined;
  }
}
