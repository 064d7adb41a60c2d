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

  it("has no character in JUnit that XML forbids, whatever a cell is called", () => {
    const side = (name: string) =>
      madeSide([madeCell({ label: "\u001b[31mred", values: { wallMs: [1, 2, 3] } })], { name });
    const one = compareRuns(side("a"), side("b"), { metrics: ["wallMs"] });
    for (const xml of [
      renderJunit(one, undefined),
      renderJunit(one, judgeGate(one, parseGate("wallMs<+5%"))),
    ]) {
      expect(xml).toContain("\ufffd[31mred");
      expect(xml).not.toContain("\u001b");
    }
  });

  it("is a case per figure in JUnit without a gate, and none of them fails", () => {
    const xml = renderJunit(comparison(), undefined);
    expect(xml).toContain('<testsuites tests="6" failures="0" errors="0"');
    expect(xml).toContain("Median TTFT rose by");
  });
});

describe("what a comparison does not call better", () => {
  const clause = parseGate("wallMs<+5%");
  const section = (a: Parameters<typeof madeCell>[0], b: Parameters<typeof madeCell>[0]): string => {
    const one = compareRuns(madeSide([madeCell(a)]), madeSide([madeCell(b)], { name: "run-b" }), {
      metrics: ["wallMs", "failurePct"],
    });
    const gate = judgeGate(one, clause);
    return renderSectionText(comparisonSection({ comparison: one, gate, detail: "short" }), 80);
  };
  const slow = { wallMs: [100, 101, 99, 100], failurePct: [0, 0, 0, 0] };
  const fast = { wallMs: [10, 11, 9, 10], failurePct: [50, 50, 50, 50] };

  it("is what fewer answers made faster", () => {
    expect(
      section({ values: slow, requests: 6 }, { values: fast, requests: 3, failed: [3, 3, 3, 3] }),
    ).toMatchSnapshot();
  });

  it("is what less work made faster", () => {
    expect(
      section({ values: slow }, { values: { ...slow, wallMs: fast.wallMs }, outputPerRequest: 8 }),
    ).toMatch(
      /Gate inconclusive[\s\S]*OTHER_WORKLOAD[\s\S]*not\s+comparable[\s\S]*did\s+not\s+do\s+the\s+same\s+work/,
    );
  });

  it("says that an interval has no width where pairs are all in one ratio", () => {
    const pair = (factor: number, label: string) =>
      madeSide([madeCell({ label, values: { wallMs: [98, 100, 104].map((value) => value * factor) } })], {
        runId: "one",
      });
    const one = compareRuns(pair(1, "a"), pair(1, "b"), { metrics: ["wallMs"] });
    const gate = judgeGate(one, parseGate("wallMs<+5%"));
    const text = renderSectionText(comparisonSection({ comparison: one, gate, detail: "short" }), 120);
    expect(text).toContain(
      "wall time of a trial ±0.0 % (95 % CI ±0.0 … ±0.0 %): the interval leaves the bound out.",
    );
  });

  it("says the interval of what is certain within pairs and uncertain as a share", () => {
    // B lies exactly 2 above A in every pair; of A that is between 1.9 and 2.1 %.
    const pair = (values: readonly number[], label: string) =>
      madeSide([madeCell({ label, values: { wallMs: values } })], { runId: "one" });
    const one = compareRuns(pair([98, 100, 102], "a"), pair([100, 102, 104], "b"), { metrics: ["wallMs"] });
    const gate = judgeGate(one, parseGate("wallMs<+9%"));
    const text = renderSectionText(comparisonSection({ comparison: one, gate, detail: "short" }), 120);
    expect(gate.verdict).toBe("passed");
    expect(text).not.toContain("95 % CI no variance");
    expect(text).toContain("95 % CI +1.9 … +2.1 %");
    expect(text).toContain("the same difference in every pair");
  });
});
