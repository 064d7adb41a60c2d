/**
 * One figure over two parameters of a matrix: each cell its value, darker for more. A colour stands
 * for no less than what chance can do: where all values lie within the noise, all squares are grey.
 */
import { formatNumber } from "../../core/units.ts";
import { labelWidth, rowAxis, TEXT } from "./axes.ts";
import type { Ink } from "./palette.ts";
import { HEAT_STEPS, INK } from "./palette.ts";
import type { MarkApi, Plot } from "./plot.ts";
import { HALF_WIDTH, label, textTable } from "./plot.ts";

export interface HeatMapInput {
  readonly title: string;
  readonly rowName: string;
  readonly columnName: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** By row, then column; `undefined` where no configuration has both. */
  readonly values: readonly (readonly (number | undefined)[])[];
  /** How far two squares lie apart by chance alone; `undefined` where nobody knows. */
  readonly noise: number | undefined;
  readonly decimals: number;
  readonly unit: string;
  readonly caption: string;
}

const CELL_PX = 40;

/** More squares across than this have no room for their numbers. */
const MOST_COLUMNS = 12;
const MOST_ROWS = 30;

/** `undefined` where no place has a value, or there are too many to be read. */
export function heatMapPlot(input: HeatMapInput): Plot | undefined {
  const known = input.values.flat().filter((value) => value !== undefined);
  if (known.length === 0 || input.rows.length > MOST_ROWS || input.columns.length > MOST_COLUMNS)
    return undefined;
  const low = Math.min(...known);
  const high = Math.max(...known);
  const steps = stepsOf(low, high, input.noise);
  const rows = input.rows.map((text) => label(text, 20));
  const columns = input.columns.map((text) => label(text, 12));
  const left = Math.max(labelWidth(rows, 120), 40);
  return {
    title: input.title,
    description: described(input, low, high),
    caption: `${input.caption} ${noiseSentence(input, steps)}`,
    legend:
      steps.length < 2
        ? [{ mark: "bar", ink: "line", text: "no difference that chance does not explain" }]
        : [
            { mark: "bar", ink: "heat0", text: `least, ${formatNumber(low, input.decimals)}${input.unit}` },
            {
              mark: "bar",
              ink: steps.at(-1) ?? "heat6",
              text: `most, ${formatNumber(high, input.decimals)}${input.unit}`,
            },
          ],
    width: HALF_WIDTH,
    height: rows.length * CELL_PX + 82,
    option: {
      grid: { left: left + 16, right: 12, top: 30, bottom: 52 },
      xAxis: {
        ...rowAxis(columns, 80),
        inverse: false,
        name: label(input.columnName),
        nameLocation: "middle",
        nameGap: 30,
        nameTextStyle: TEXT,
      },
      yAxis: {
        ...rowAxis(rows, left),
        name: label(input.rowName),
        nameLocation: "start",
        nameGap: 12,
        nameTextStyle: { ...TEXT, align: "left", padding: [0, 0, 0, -left] },
      },
      series: [squares(input, low, high, steps)],
    },
    table: textTable(
      [`${input.rowName} \\ ${input.columnName}`, ...input.columns],
      input.rows.map((row, index) => [
        row,
        ...(input.values[index] ?? []).map((value) => formatNumber(value, input.decimals)),
      ]),
    ),
  };
}

/**
 * As many steps as the noise leaves room for, from the lightest on: two colours side by side in the
 * palette are one noise apart, and a strong contrast is a strong difference. One grey where there is no room.
 */
function stepsOf(low: number, high: number, noise: number | undefined): readonly Ink[] {
  const room = noise === undefined ? 0 : noise === 0 ? HEAT_STEPS.length : Math.floor((high - low) / noise);
  return high > low && room > 0 ? HEAT_STEPS.slice(0, room + 1) : ["line"];
}

function noiseSentence({ noise, unit, decimals }: HeatMapInput, steps: readonly Ink[]): string {
  if (noise === undefined) return "Grey: without repeats nobody knows what chance does.";
  // Rounded up: a noise that is shown as 0 would seem to be none.
  const digit = 10 ** -decimals;
  const apart = `${formatNumber(Math.max(Math.ceil(noise / digit), 1) * digit, decimals)}${unit}`;
  return steps.length < 2
    ? `Grey: all lie within ${apart} of each other, which chance explains.`
    : `Two that lie less than ${apart} apart may differ by chance.`;
}

function squares(
  { values, decimals }: HeatMapInput,
  low: number,
  high: number,
  steps: readonly Ink[],
): object {
  const data = values.flatMap((row, y) =>
    row.flatMap((value, x) => (value === undefined ? [] : [[x, y, value]])),
  );
  return {
    type: "custom",
    silent: true,
    data,
    renderItem: (_: unknown, api: MarkApi) => {
      const [x, y] = api.coord([api.value(0), api.value(1)]);
      const [width, height] = api.size([1, 1]);
      const value = api.value(2);
      const place = high > low ? Math.floor(((value - low) / (high - low)) * steps.length) : 0;
      const ink = steps[Math.min(place, steps.length - 1)] as Ink;
      return {
        type: "group",
        children: [
          {
            type: "rect",
            shape: {
              x: x - width / 2 + 1,
              y: y - height / 2 + 1,
              width: width - 2,
              height: height - 2,
              r: 2,
            },
            style: { fill: INK[ink] },
          },
          {
            type: "text",
            style: {
              x,
              y,
              text: formatNumber(value, decimals),
              align: "center",
              verticalAlign: "middle",
              fontSize: 12,
              fill: DARK_STEPS.includes(ink) ? INK.onHeat6 : INK.onHeat0,
            },
          },
        ],
      };
    },
  };
}

/** On these the number is written in the light ink: the contrast is then the higher one. */
const DARK_STEPS: readonly Ink[] = HEAT_STEPS.slice(4);

function described(
  { title, rowName, columnName, values, rows, columns, decimals, unit }: HeatMapInput,
  low: number,
  high: number,
): string {
  const at = (wanted: number): string => {
    for (const [y, row] of values.entries()) {
      const x = row.indexOf(wanted);
      if (x >= 0)
        return `${formatNumber(wanted, decimals)}${unit} at ${rowName} ${rows[y]}, ${columnName} ${columns[x]}`;
    }
    return formatNumber(wanted, decimals);
  };
  return `${title}: least ${at(low)}; most ${at(high)}.`;
}
