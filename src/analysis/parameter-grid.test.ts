import { describe, expect, it } from "vitest";
import { madeRun, steadyRequest } from "../../test/fakes/recorded-run.ts";
import { describe as describeValues } from "../stats/describe.ts";
import { analyseRun } from "./analyse-run.ts";
import type { CellAnalysis } from "./cell.ts";
import { parameterGrids } from "./parameter-grid.ts";

function cells(parameters: readonly Readonly<Record<string, number | string>>[]) {
  return analyseRun(
    madeRun(
      parameters.map((own, index) => ({
        kind: "together" as const,
        cell: `cell-${index}`,
        agents: { a: [steadyRequest(10, 10 * (index + 1))] },
        record: { parameters: own },
      })),
    ),
  ).cells;
}

const throughput = (cell: ReturnType<typeof cells>[number]): number | undefined =>
  Math.round(cell.figures.aggregateTokS?.mean ?? 0);

describe("cells over two parameters", () => {
  it("lie in ascending order, and a place that was not run is unknown", () => {
    const [grid, ...others] = parameterGrids(
      cells([
        { "agents.*.options.numCtx": 1024, "agents.*.options.temperature": 0.8 },
        { "agents.*.options.numCtx": 512, "agents.*.options.temperature": 0.8 },
        { "agents.*.options.numCtx": 512, "agents.*.options.temperature": 1 },
      ]),
    );
    expect(others).toEqual([]);
    expect(grid).toMatchObject({ rowParameter: "numCtx", columnParameter: "temperature", others: [] });
    expect(grid?.rows).toEqual([512, 1024]);
    expect(grid?.over(throughput)).toEqual([
      [20, 30],
      [10, undefined],
    ]);
  });

  it("are means over the other parameters, which are named", () => {
    const grids = parameterGrids(
      cells([
        { a: 1, b: 1, c: 1 },
        { a: 1, b: 1, c: 2 },
        { a: 2, b: 2, c: 1 },
      ]),
    );
    expect(grids.map((grid) => [grid.rowParameter, grid.columnParameter, grid.others])).toEqual([
      ["a", "b", ["c"]],
      ["a", "c", ["b"]],
      ["b", "c", ["a"]],
    ]);
    expect(grids[0]?.over(throughput)[0]?.[0]).toBe(15);
  });

  it("know how far places lie apart by chance, from the repeats of their cells", () => {
    const [grid] = parameterGrids(
      cells([
        { a: 1, b: 1 },
        { a: 1, b: 2 },
        { a: 2, b: 1 },
        { a: 2, b: 2 },
      ]),
    );
    const values = (trials: readonly number[]) => (cell: CellAnalysis) =>
      describeValues(trials.map((value) => value + 10 * Number(cell.label.at(-1))));
    // scipy: t.ppf(1 - 0.025 / 6, 8) * 2 * sqrt(2 / 3): six pairs of places, 4 · 2 degrees, an sd of 2.
    expect(grid?.noise(values([1, 3, 5]))).toBeCloseTo(5.680985928134364, 9);
    expect(grid?.noise(values([4]))).toBeUndefined();
  });

  it("have no table where only one parameter varies", () => {
    expect(
      parameterGrids(
        cells([
          { a: 1, b: 1 },
          { a: 2, b: 1 },
        ]),
      ),
    ).toEqual([]);
  });

  it("keep the path of two parameters that end in the same word", () => {
    const [grid] = parameterGrids(
      cells([
        { "agents.x.numCtx": 1, "agents.y.numCtx": 1 },
        { "agents.x.numCtx": 2, "agents.y.numCtx": 2 },
      ]),
    );
    expect(grid?.rowParameter).toBe("agents.x.numCtx");
  });
});
