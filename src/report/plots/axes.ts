/** What all charts look like: thin grid, quiet axes, one size of type. */
import { INK } from "./palette.ts";

const FONT_SIZE = 12;

export const TEXT = { color: INK.faint, fontSize: FONT_SIZE, fontFamily: "sans-serif" } as const;

const AXIS = {
  axisLine: { show: false },
  axisTick: { show: false },
  axisLabel: TEXT,
  nameTextStyle: TEXT,
  nameLocation: "middle",
  splitLine: { lineStyle: { color: INK.line, width: 1 } },
} as const;

export interface ValueAxisOptions {
  readonly name: string;
  readonly min?: number;
  readonly max?: number;
  readonly format?: (value: number) => string;
  readonly interval?: number;
  readonly grid?: boolean;
  /** An end that is where the data end is no round number, and is not labelled. */
  readonly openEnd?: true;
  readonly kind?: "value" | "log";
}

export function valueAxis(along: "x" | "y", options: ValueAxisOptions): object {
  const { name, min, max, format, interval, grid = true, kind = "value", openEnd } = options;
  return {
    ...AXIS,
    type: kind,
    // The name of a vertical axis stands above it, level: nobody turns their head.
    ...(along === "x"
      ? { name, nameGap: 30 }
      : {
          name,
          nameLocation: "end",
          nameGap: 12,
          nameTextStyle: { ...TEXT, align: "left", padding: [0, 0, 0, -44] },
        }),
    splitLine: { ...AXIS.splitLine, show: grid },
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(interval === undefined ? {} : { interval }),
    axisLabel: {
      ...TEXT,
      hideOverlap: true,
      ...(openEnd === true ? { showMaxLabel: false } : {}),
      ...(format === undefined ? {} : { formatter: format }),
    },
  };
}

/** Categories from the top down, as one reads. */
export function rowAxis(labels: readonly string[], widthPx: number): object {
  return {
    ...AXIS,
    type: "category",
    inverse: true,
    data: labels,
    splitLine: { show: false },
    axisLabel: { ...TEXT, color: INK.text, width: widthPx, overflow: "truncate", interval: 0, margin: 12 },
  };
}

/** Round a limit up to one of a few round factors of a power of ten. */
export function niceCeiling(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step =
    [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((factor) => factor * power >= value * (1 - 1e-9)) ?? 10;
  return step * power;
}

/** Room for labels, by a letter of this type size: capitals and digits are wider than the average of prose. */
export function labelWidth(labels: readonly string[], mostPx: number): number {
  const longest = Math.max(0, ...labels.map((text) => text.length));
  return Math.min(mostPx, Math.ceil(longest * FONT_SIZE * 0.64) + 8);
}
