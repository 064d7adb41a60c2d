/**
 * Whether a printed figure follows from printed inputs. Two roundings stand between them: the
 * figure's own, and that of every input. A figure that only the second explains is reported as
 * such, for then the inputs as printed cannot tell.
 */
import type { PrintedNumber } from "./printed-number.ts";

export type Reproduction =
  | {
      readonly kind: "value";
      readonly value: number;
      /** What the formula can give while every input stays within its rounding. */
      readonly low: number;
      readonly high: number;
    }
  /** The inputs bound the figure without fixing it. */
  | { readonly kind: "range"; readonly low: number; readonly high: number };

/** Named sets of inputs; a formula gets their values under the same names. */
type Inputs = Readonly<Record<string, readonly PrintedNumber[]>>;
type Values<In extends Inputs> = { readonly [Name in keyof In]: readonly number[] };

/**
 * The formula's value, and how far the rounding of the inputs can carry it: each input is moved by
 * half its last place either way, alone, and the effects are added up. That is exact for linear
 * formulas and first order for the others.
 */
export function reproduce<const In extends Inputs>(
  inputs: In,
  formula: (values: Values<In>) => number,
): Reproduction {
  const names = Object.keys(inputs) as (keyof In & string)[];
  const at = (movedName?: string, movedIndex?: number, move = 0): number => {
    const values: Record<string, readonly number[]> = {};
    for (const name of names)
      values[name] = (inputs[name] ?? []).map(
        (input, index) => input.value + (name === movedName && index === movedIndex ? move : 0),
      );
    return formula(values as Values<In>);
  };
  const value = at();
  let low = value;
  let high = value;
  for (const name of names)
    for (const [index, { halfUnit }] of (inputs[name] ?? []).entries()) {
      if (halfUnit === 0) continue;
      const moved = [at(name, index, -halfUnit), at(name, index, halfUnit)];
      low -= Math.max(0, ...moved.map((other) => value - other));
      high += Math.max(0, ...moved.map((other) => other - value));
    }
  return { kind: "value", value, low, high };
}

/** A value that no rounding touches: it comes from counts and settings. */
export function exactly(value: number): Reproduction {
  return { kind: "value", value, low: value, high: value };
}

export type Agreement =
  /** Rounds to the printed digits. */
  | "reproduced"
  /** Differs in the last place by no more than the inputs' rounding explains. */
  | "within-rounding"
  /** The inputs bound it, and it lies within. */
  | "possible"
  | "differs";

/** Binary fractions must not decide a tie in the last printed place. */
const TIE = 1e-9;

export function agreement(printed: PrintedNumber, reproduction: Reproduction): Agreement {
  const slack = printed.halfUnit + TIE * Math.abs(printed.value);
  if (reproduction.kind === "value" && Math.abs(reproduction.value - printed.value) <= slack)
    return "reproduced";
  const inside = printed.value + slack >= reproduction.low && printed.value - slack <= reproduction.high;
  if (!inside) return "differs";
  return reproduction.kind === "range" ? "possible" : "within-rounding";
}
