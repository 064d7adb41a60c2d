import { describe, expect, it } from "vitest";
import type { MadeTrial } from "../../../test/fakes/recorded-run.ts";
import { madeEndpoint, madeRun } from "../../../test/fakes/recorded-run.ts";
import { analyseRun } from "../../analysis/analyse-run.ts";
import type { RunManifest } from "../../record/run-manifest.ts";
import { toReportModel } from "../model.ts";
import { renderMarkdown } from "../markdown.ts";
import { renderTerminal } from "../terminal.ts";

/** N agents of two requests each at a rate that falls as Amdahl's law says, s = 0.2, with a wobble by repeat. */
function trials(agents: number, repeat: number): readonly MadeTrial[] {
  const slower = 1 + 0.2 * (agents - 1) + 0.004 * ((repeat * 7 + agents * 3) % 5);
  const request = (factor: number) => ({ ttftMs: 60 * factor, tokens: 100, decodeMs: 990 * factor });
  const names = Array.from({ length: agents }, (_, index) => `agent-${index}`);
  const cell = `quick N=${agents}`;
  const record = { parameters: { agents } };
  return [
    ...(agents === 1
      ? []
      : [
          {
            kind: "solo" as const,
            repeat,
            cell,
            agents: { "agent-0": [request(1), request(1)] },
            record: { ...record, soloFor: names },
          },
        ]),
    {
      kind: "together",
      repeat,
      cell,
      agents: Object.fromEntries(names.map((name) => [name, [request(slower), request(slower)]])),
      record,
    },
  ];
}

function model(counts: readonly number[], manifest: Partial<RunManifest> = {}) {
  const run = madeRun(
    counts.flatMap((agents) => [0, 1, 2].flatMap((repeat) => trials(agents, repeat))),
    {
      endpoints: ["a", "b"].map((name) => madeEndpoint(name, { model: "gemma3:latest", slots: 8 })),
      ...manifest,
    },
  );
  return toReportModel(analyseRun(run), { runDirectory: "runs/20260102T030405Z-made-0001" });
}

const ladder = model([1, 2, 4, 8, 16]);
const section = (text: string): string => text.slice(text.search(/SCALING|## Scaling/));

describe("the ladder of a run", () => {
  it("is a section of the terminal report that fits 80 columns", () => {
    const text = section(renderTerminal(ladder, { columns: 80, color: false }));
    expect(text).toMatchSnapshot();
    const tooLong = text
      .split("\n")
      .filter((line) => line.length > 80 && !/^(next|run directory): /.test(line));
    expect(tooLong).toEqual([]);
  });

  it("uses 120 columns", () => {
    expect(section(renderTerminal(ladder, { columns: 120, color: false }))).toMatchSnapshot();
  });

  it("is a section of report.md before the cells", () => {
    const text = renderMarkdown(ladder);
    expect(text.indexOf("## Scaling")).toBeGreaterThan(text.indexOf("## Cells"));
    expect(text.indexOf("## Scaling")).toBeLessThan(text.indexOf("## quick N=1"));
    expect(section(text).slice(0, section(text).indexOf("## quick N=1"))).toMatchSnapshot();
  });

  it("says how many levels a law would take where there are too few", () => {
    const text = renderTerminal(model([1, 2, 4]), { columns: 80, color: false });
    expect(text.replaceAll("\n", " ")).toContain("3 levels of N say nothing about a law; it takes 4.");
  });

  it("is not there where there is no ladder", () => {
    expect(renderTerminal(model([4]), { columns: 80, color: false })).not.toContain("SCALING");
  });
});
