import { describe, expect, it } from "vitest";
import { madeCell, madeSide } from "../../../test/fakes/compared-side.ts";
import type { Comparison } from "../../analysis/compare/compare-runs.ts";
import { compareRuns } from "../../analysis/compare/compare-runs.ts";
import { parseGate } from "../../analysis/gate-grammar.ts";
import { judgeGate } from "../../analysis/gate.ts";
import { renderSectionMarkdown } from "../section/section-markdown.ts";
import { renderSectionText } from "../section/section-text.ts";
import { comparisonSection } from "./comparison-section.ts";
import { renderJunit } from "./junit.ts";

const BEFORE = madeCell({
  label: "chimera_homo",
  values: {
    ttftMsP50: [182, 175, 190, 179, 186],
    ttftMsP95: [900, 870, 955, 890, 921],
    decodeTps: [57.1, 56.8, 57.3, 57, 56.9],
    aggregateTps: [101, 99.5, 102, 100.2, 101.3],
    retention: [0.5, 0.5, 0.5, 0.5, 0.5],
    wallMs: [24_100, 24_600, 23_900, 24_300, 24_150],
  },
  requests: 12,
});
const AFTER = madeCell({
  label: "chimera_homo",
  hash: "other",
  values: {
    ttftMsP50: [231, 240, 236, 228, 244],
    ttftMsP95: [880, 990, 921, 935, 901],
    decodeTps: [57, 57.2, 56.9, 57.1, 56.8],
    aggregateTps: [97, 103.2, 106, 95.1, 104],
    retention: [0.5, 0.5, 0.5, 0.5, 0.5],
    wallMs: [24_400, 24_200, 24_350, 24_000, 24_250],
  },
  requests: 12,
});

function comparison(simulated = false): Comparison {
  return compareRuns(
    madeSide([BEFORE], { name: "20261120T100000Z-main-0001", simulated }),
    madeSide([AFTER], {
      name: "20261120T140000Z-branch-0002",
      simulated,
      manifest: { host: { os: "linux", cpuModel: "another CPU", gpus: [] } },
    }),
    {
      metrics: ["ttftMsP50", "ttftMsP95", "decodeTps", "aggregateTps", "retention", "trueSpeedup", "wallMs"],
    },
  );
}

const GATE = parseGate("ttftMsP50<+5%,aggregateTps>-3%,decodeTps>-3%,trueSpeedup>-5%");

function text(columns: number, simulated = false): string {
  const one = comparison(simulated);
  return renderSectionText(
    comparisonSection({ comparison: one, gate: judgeGate(one, GATE), detail: "short" }),
    columns,
  );
}

describe("a comparison on the terminal", () => {
  it("fits 80 columns", () => {
    expect(text(80)).toMatchSnapshot();
    expect(
      text(80)
        .split("\n")
        .filter((line) => line.length > 80),
    ).toEqual([]);
  });

  it("uses 120 columns", () => {
    expect(text(120)).toMatchSnapshot();
  });

  it("says SIMULATED before anything else", () => {
    expect(text(80, true).split("\n")[2]).toMatch(/^SIMULATED/);
    expect(text(80)).not.toContain("SIMULATED");
  });
});

describe("a comparison in files", () => {
  it("has the figures behind the sentences in Markdown", () => {
    const section = comparisonSection({ comparison: comparison(), gate: undefined, detail: "full" });
    expect(renderSectionMarkdown(section)).toMatchSnapshot();
  });

  it("is a case per check in JUnit, failed, errored and passed", () => {
    const one = comparison(true);
    expect(renderJunit(one, judgeGate(one, GATE))).toMatchSnapshot();
  });

  it("is a case per figure in JUnit without a gate, and none of them fails", () => {
    const xml = renderJunit(comparison(), undefined);
    expect(xml).toContain('<testsuites tests="6" failures="0" errors="0"');
    expect(xml).toContain("Median TTFT rose by");
  });
});
