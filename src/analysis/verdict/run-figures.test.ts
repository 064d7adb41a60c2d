import { describe, expect, it } from "vitest";
import type { MadeRequest, MadeTrial } from "../../../test/fakes/recorded-run.ts";
import { madeRun } from "../../../test/fakes/recorded-run.ts";
import { readYamlFile } from "../../core/yaml.ts";
import { analyseRun } from "../analyse-run.ts";
import { costOf } from "../cost/cost.ts";
import { costFileSchema } from "../cost/cost-file.ts";
import { hypothesisFileSchema } from "./hypothesis-file.ts";
import { judge } from "./judge.ts";
import { runFigures } from "./run-figures.ts";

const example = (path: string): string => new URL(`../../../examples/${path}`, import.meta.url).pathname;

const request = (tokS: number): MadeRequest => ({ ttftMs: 100, tokens: 101, decodeMs: 100_000 / tokS });

/** A block: each agent alone at 100 tok/s, then all together at a rate that keeps a true speedup over 1. */
function blockOf(count: number, repeat: number): readonly MadeTrial[] {
  const names = ["a", "b", "c", "d"].slice(0, count);
  const common = { repeat, cell: `n=${count}` };
  return [
    ...names.map((name): MadeTrial => ({ ...common, kind: "solo", agents: { [name]: [request(100)] } })),
    {
      ...common,
      kind: "together",
      agents: Object.fromEntries(names.map((name) => [name, [request(80 - repeat)]])),
    },
  ];
}

const analysisOf = (...counts: readonly number[]) =>
  analyseRun(madeRun(counts.flatMap((count) => [0, 1, 2, 3, 4].flatMap((repeat) => blockOf(count, repeat)))));
const hypotheses = readYamlFile(hypothesisFileSchema, example("hypotheses/my-run.yaml"));
const prices = readYamlFile(costFileSchema, example("costs/my-gpu.yaml"));
const REASON = "the cells differ in their agent counts, and a mean over them describes none";

describe("the figures over all cells of a ladder of two and four agents", () => {
  const ladder = runFigures(analysisOf(2, 4));

  it("are known by name and have no value, while those of each cell have theirs", () => {
    const overall = [...ladder.figures].filter(([name]) => name.startsWith("overall/"));
    expect(overall.length).toBeGreaterThan(0);
    for (const [, figure] of overall) expect(figure).toMatchObject({ value: undefined, values: [] });
    expect(ladder.figures.get("cell/n=4/trueSpeedup")?.values).toHaveLength(5);
  });

  it("end every hypothesis on them in unknown, with the reason and what to use instead", () => {
    const [sharing, serial] = judge(hypotheses, ladder).verdicts;
    expect([sharing?.ours.verdict, serial?.ours.verdict]).toEqual(["unknown", "unknown"]);
    expect(sharing?.evidence[0]).toMatchObject({ value: undefined, interval: undefined, doubt: REASON });
    expect(serial?.evidence[0]?.test).toEqual({ kind: "undefined", reason: REASON });
    expect(sharing?.wouldSettle).toBe(
      "use the figures of one cell, such as cell/n=2/trueSpeedup; then more runs, until the interval leaves 1 out",
    );
  });

  it("make the costs unknown for the same reason", () => {
    const report = costOf(prices, ladder);
    expect(report.options[0]).toMatchObject({ perMonth: undefined, total: undefined });
    expect(report.options[0]?.instances[0]).toMatchObject({
      count: undefined,
      why: `overall/wallMs is not known: ${REASON}; use the figures of one cell, such as cell/n=2/wallMs`,
    });
  });
});

it("decides the same hypothesis on a run whose cells may be averaged", () => {
  const [sharing] = judge(hypotheses, runFigures(analysisOf(2))).verdicts;
  expect(sharing).toMatchObject({
    ours: { verdict: "confirmed" },
    wouldSettle: "more runs, until the interval leaves 1 out",
  });
});
