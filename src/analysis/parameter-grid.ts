/** Which parameters a run varied, and its cells laid out over two of them at a time. */
import type { Description } from "../stats/describe.ts";
import { tQuantile } from "../stats/distributions.ts";
import { mean } from "../stats/quantile.ts";
import type { CellAnalysis } from "./cell.ts";

type Value = string | number | boolean;

/** Two of the varied parameters; where others vary too, each place holds several cells. */
export interface ParameterGrid {
  readonly rowParameter: string;
  readonly columnParameter: string;
  readonly rows: readonly Value[];
  readonly columns: readonly Value[];
  /** Of the other varied parameters. */
  readonly others: readonly string[];
  /** The mean of a figure over the cells of each place; `undefined` where there is none. */
  over(figure: (cell: CellAnalysis) => number | undefined): readonly (readonly (number | undefined)[])[];
  /** {@link gridNoise} of these places; `undefined` where no configuration was repeated. */
  noise(figure: (cell: CellAnalysis) => Description | undefined): number | undefined;
}

/** Three parameters have three pairs; more pairs than that show more squares than anyone compares. */
const MOST_GRIDS = 3;

export function parameterGrids(cells: readonly CellAnalysis[]): readonly ParameterGrid[] {
  const varied = variedParameters(cells);
  const pairs = varied.flatMap((row, index) =>
    varied.slice(index + 1).map((column) => [row, column] as const),
  );
  return pairs.slice(0, MOST_GRIDS).map(([row, column]): ParameterGrid => {
    const rows = valuesOf(cells, row);
    const columns = valuesOf(cells, column);
    const places = rows.map((rowValue) =>
      columns.map((columnValue) =>
        cells.filter((cell) => cell.parameters[row] === rowValue && cell.parameters[column] === columnValue),
      ),
    );
    return {
      rowParameter: shortName(row, varied),
      columnParameter: shortName(column, varied),
      rows,
      columns,
      others: varied.filter((name) => name !== row && name !== column).map((name) => shortName(name, varied)),
      over: (figure) =>
        places.map((inRow) =>
          inRow.map((own) => mean(own.map(figure).filter((value) => value !== undefined))),
        ),
      noise: (figure) => gridNoise(places.flat(), figure),
    };
  });
}

/**
 * How far two places of a grid may lie apart by chance alone, at 95 % over all pairs of places:
 * t(1 − 0.025 ÷ pairs, ν) · s · √(2 ÷ n), with s² the variance between repeats of one cell, pooled
 * over all cells, ν its degrees of freedom, n the trials of the smallest place, and Bonferroni's
 * share of the 5 % for each pair.
 */
function gridNoise(
  places: readonly (readonly CellAnalysis[])[],
  figure: (cell: CellAnalysis) => Description | undefined,
): number | undefined {
  const known = places
    .map((cells) => cells.map(figure).filter((one) => one !== undefined))
    .filter((own) => own.length > 0);
  const each = known.flat();
  const freedom = each.reduce((sum, { n }) => sum + n - 1, 0);
  if (known.length < 2 || freedom === 0) return undefined;
  const squares = each.reduce(
    (sum, { n, spread }) => sum + (n - 1) * (spread.kind === "known" ? spread.sd ** 2 : 0),
    0,
  );
  const fewest = Math.min(...known.map((own) => own.reduce((sum, { n }) => sum + n, 0)));
  const pairs = (known.length * (known.length - 1)) / 2;
  return tQuantile(1 - 0.025 / pairs, freedom) * Math.sqrt((squares / freedom) * (2 / fewest));
}

/** In the order of the scenario; a parameter with one value is a constant. */
function variedParameters(cells: readonly CellAnalysis[]): readonly string[] {
  const names = [...new Set(cells.flatMap((cell) => Object.keys(cell.parameters)))];
  return names.filter((name) => valuesOf(cells, name).length > 1);
}

function valuesOf(cells: readonly CellAnalysis[], name: string): readonly Value[] {
  const values = cells.map((cell) => cell.parameters[name]).filter((value) => value !== undefined);
  const distinct = [...new Set(values)];
  return distinct.every((value) => typeof value === "number") ? distinct.sort((a, b) => a - b) : distinct;
}

/** `agents.*.options.numCtx` is `numCtx` to its reader, unless another path ends in the same word. */
function shortName(path: string, all: readonly string[]): string {
  const last = path.split(".").at(-1) ?? path;
  return all.filter((other) => other.split(".").at(-1) === last).length > 1 ? path : last;
}
