/** Charts as drawn: a change of a mark, a word or a place shows here. */
import { beforeAll, describe, expect, it } from "vitest";
import { block, reportOf, samples } from "../../../test/fakes/viewed-run.ts";
import { defined } from "../../core/assert.ts";
import { cellTimeline, latencyPlots, matrixPlots, speedupPlots } from "../html/run-plots.ts";
import { labelWidth } from "./axes.ts";
import type { Draw } from "./draw.ts";
import { chartDrawer } from "./draw.ts";
import { heatMapPlot } from "./heat-map.ts";
import { fewer, distinctParts, label } from "./plot.ts";
import type { Plot } from "./plot.ts";
import { scalingPlot } from "./scaling.ts";
import { absentTelemetry, telemetryPlots } from "./telemetry.ts";
import { throughputPlot } from "./throughput.ts";

let draw: Draw;
beforeAll(async () => {
  draw = await chartDrawer();
});

const { views } = reportOf(
  [
    [512, 0.6, 60],
    [512, 1, 58],
    [1024, 0.6, 50],
    [1024, 1, 48],
  ].flatMap(([numCtx = 0, temperature = 0, togetherTokS = 0]) =>
    [0, 1, 2].flatMap((repeat) =>
      block({
        repeat,
        cell: `made numCtx=${numCtx} temperature=${temperature}`,
        names: ["a", "b"],
        parameters: { numCtx, temperature },
        togetherTokS: togetherTokS + repeat,
      }),
    ),
  ),
  {},
  samples(),
);
const [cell] = views.analysis.cells;
if (cell === undefined) throw new Error("there are four cells");

const drawn = (plot: Plot | undefined): string => {
  if (plot === undefined) throw new Error("there is something to draw");
  return draw(plot, "id").text;
};

describe("a chart of", () => {
  it.each([
    ["true speedup by configuration", () => speedupPlots(views.analysis.cells)[0]],
    ["throughput alone and together", () => throughputPlot([cell])],
    ["time to first token", () => latencyPlots(cell, views)[0]],
    ["the timeline of a trial", () => cellTimeline(cell, views)],
    ["a matrix", () => matrixPlots(views.analysis)[0]],
    ["GPU memory", () => telemetryPlots(views.telemetry)[0]],
    ["scaling with its band", () => scaling()],
  ])("%s", (_, plot) => {
    expect(drawn(plot())).toMatchSnapshot();
  });

  it("every kind has a title, a description, and its values as a table", () => {
    for (const plot of [...speedupPlots(views.analysis.cells), ...telemetryPlots(views.telemetry)]) {
      const svg = drawn(plot);
      expect(svg).toContain('role="img" aria-labelledby="id-title id-desc"');
      expect(svg).toContain(`<title id="id-title">${plot.title}</title>`);
      expect(plot.description.length).toBeGreaterThan(20);
      expect(plot.table.rows.length).toBeGreaterThan(0);
    }
  });
});

function scaling(): Plot | undefined {
  return scalingPlot({
    title: "Throughput",
    axis: "tok/s",
    decimals: 0,
    points: [
      { agents: 1, value: 100 },
      { agents: 2, value: 150 },
      { agents: 2, value: 160 },
    ],
    means: [
      { agents: 1, value: 100 },
      { agents: 2, value: 155 },
    ],
    ideal: {
      text: "linear",
      points: [
        { agents: 1, value: 100 },
        { agents: 2, value: 200 },
      ],
    },
    model: {
      text: "a law",
      points: [
        { agents: 1, value: 101 },
        { agents: 2, value: 154 },
      ],
    },
    band: {
      text: "band",
      points: [
        { agents: 1, low: 90, high: 110 },
        { agents: 2, low: 140, high: 170 },
      ],
    },
    caption: "",
  });
}

describe("a drawing", () => {
  it("is the same whenever it is drawn: no counter of the process is left in it", () => {
    expect(drawn(scaling())).toBe(drawn(scaling()));
  });

  it("has no style, no script, no stand-in colour and ids of its own alone", () => {
    const plots = [
      ...speedupPlots(views.analysis.cells),
      ...matrixPlots(views.analysis),
      scaling(),
      cellTimeline(cell, views),
    ];
    for (const svg of plots.map(drawn)) {
      expect(svg).not.toMatch(/<style|<script| style=| class=|zr\d/);
      expect(svg).not.toMatch(/#0[0-9a-f]0[0-9a-f]0[0-9a-f]"|#1[0-8]1[0-8]1[0-8]"/);
      for (const [, id] of svg.matchAll(/ id="([^"]*)"/g)) expect(id).toMatch(/^id-/);
    }
  });

  it("shows a hostile name as text", () => {
    const name = `<script>alert("1")</script>'{a|b}`;
    const { views: hostile } = reportOf(block({ repeat: 0, cell: name, names: [name], togetherTokS: 50 }));
    const svg = drawn(throughputPlot(hostile.analysis.cells));
    expect(svg).not.toContain("<script");
    expect(svg).toContain("&lt;script&gt;");
  });
});

describe("what cannot be drawn", () => {
  it("is said in a sentence where no hardware was sampled", () => {
    const none = reportOf(block({ repeat: 0, cell: "made", names: ["a"], togetherTokS: 50 })).views;
    expect(telemetryPlots(none.telemetry)).toEqual([]);
    expect(absentTelemetry(none.telemetry)).toBe(
      "No telemetry was sampled in this run: telemetry.jsonl is empty or absent.",
    );
    expect(
      absentTelemetry({
        ...views.telemetry,
        series: views.telemetry.series.filter((one) => one.gpu === undefined),
      }),
    ).toBe("Not sampled on this machine, and therefore unknown: GPU memory, GPU utilisation, GPU power.");
  });

  it("gives no speedup chart for one agent, and no curve for one count", () => {
    const one = reportOf(block({ repeat: 0, cell: "made", names: ["a"], togetherTokS: 50 })).views;
    expect(speedupPlots(one.analysis.cells)).toEqual([]);
    expect(matrixPlots(one.analysis)).toEqual([]);
  });
});

describe("a heat map", () => {
  const grid = (values: readonly (readonly number[])[], noise: number | undefined) =>
    heatMapPlot({
      title: "made",
      rowName: "row",
      columnName: "column",
      rows: ["1", "2"],
      columns: ["1", "2"],
      values,
      noise,
      decimals: 1,
      unit: "",
      caption: "Means.",
    });
  const colours = (plot: Plot | undefined): readonly string[] =>
    [
      ...new Set(
        [...drawn(plot).matchAll(/<path [^>]*fill="var\(--ink-(\w+)\)"/g)].map(([, ink]) => ink ?? ""),
      ),
    ].sort();

  it("is grey where chance explains all of it, or nobody knows what chance does", () => {
    const close = grid(
      [
        [10, 10.4],
        [10.2, 10.9],
      ],
      1,
    );
    expect(colours(close)).toEqual(["line"]);
    expect(close?.legend.map(({ ink }) => ink)).toEqual(["line"]);
    expect(close?.caption).toBe("Means. Grey: all lie within 1.0 of each other, which chance explains.");
    const once = grid(
      [
        [10, 20],
        [30, 40],
      ],
      undefined,
    );
    expect(colours(once)).toEqual(["line"]);
    expect(once?.caption).toContain("nobody knows what chance does");
  });

  it("has as many colours as the noise leaves room for", () => {
    const values = [
      [10, 11],
      [12.2, 13],
    ];
    // 3 ÷ 1.4 leaves room for two distances, and so for three colours; 12.2 and 13 share one.
    expect(colours(grid(values, 1.4))).toEqual(["heat0", "heat1", "heat2"]);
    expect(colours(grid(values, 0.01))).toEqual(["heat0", "heat2", "heat5", "heat6"]);
    expect(grid(values, 0.01)?.caption).toContain("less than 0.1 apart");
  });
});

describe("an axis", () => {
  const axisEnd = (values: readonly number[]): unknown => {
    const points = values.map((value, index) => ({ agents: index + 1, value }));
    const plot = scalingPlot({
      title: "made",
      axis: "kept, %",
      decimals: 0,
      whole: 100,
      points,
      means: points,
      ideal: undefined,
      model: undefined,
      band: undefined,
      caption: "",
    });
    return (defined(plot, "a plot").option as { readonly yAxis: { readonly max: unknown } }).yAxis.max;
  };

  it("of a share ends at the whole, unless something exceeds it", () => {
    expect(axisEnd([100, 60])).toBe(100);
    expect(axisEnd([101, 60])).toBe(120);
  });
});

describe("labels", () => {
  it("are one line of limited length", () => {
    expect(label("a\nb\u0000c\u202ed")).toBe("a b\ufffdc\ufffdd");
    expect(label("x".repeat(100), 10)).toBe("xxxxxxxxx…");
  });

  it("lose the words that all of them begin with, and never the last", () => {
    expect(distinctParts(["homo ctx=512 t=1", "homo ctx=512 t=2"])).toEqual(["t=1", "t=2"]);
    expect(distinctParts(["homo", "homo"])).toEqual(["homo", "homo"]);
    expect(distinctParts(["homo ctx=1"])).toEqual(["homo ctx=1"]);
  });

  it("stand for fewer values with both ends kept", () => {
    expect(fewer([5, 1, 4, 2, 3], 3)).toEqual([1, 3, 5]);
    expect(fewer([2, 1], 3)).toEqual([2, 1]);
  });
});

it("has room for a label of digits and capitals, which are wider than prose", () => {
  // Digits and capitals of a sans-serif face of 12 px are 6.7 to 8.7 px wide (Helvetica: 556 to 722 of 1000).
  const text = "NUM_GPU=120 NUM_CTX=2048";
  expect(labelWidth([text], 300)).toBeGreaterThanOrEqual(text.length * 12 * 0.64);
  expect(labelWidth(["x".repeat(100)], 300)).toBe(300);
});
