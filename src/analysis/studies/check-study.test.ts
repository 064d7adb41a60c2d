import { describe, expect, it } from "vitest";
import { goldenFile, readGolden, readStudy } from "../../../test/fakes/study-files.ts";
import type { CheckedFigure, StudyCheck } from "./check-study.ts";
import { checkStudy, figuresOf } from "./check-study.ts";
import type { StudyName } from "./study-document.ts";
import { STUDY_NAMES } from "./study-document.ts";

const checks = new Map<StudyName, StudyCheck>(STUDY_NAMES.map((name) => [name, checkStudy(readStudy(name))]));
const checkOf = (name: StudyName): StudyCheck => checks.get(name) as StudyCheck;

function figure(name: StudyName, id: string): CheckedFigure {
  const found = figuresOf(checkOf(name).tables).find((one) => one.id === id);
  if (found === undefined) throw new Error(`no figure ${id}`);
  return found;
}

function value(name: StudyName, id: string): number {
  const { reproduction } = figure(name, id);
  if (reproduction.kind !== "value") throw new Error(`${id} is a range`);
  return reproduction.value;
}

function correction(name: StudyName, table: string, label: string): readonly (number | undefined)[] {
  const found = checkOf(name).corrections.find((one) => one.id === table);
  return found?.rows.find((row) => row.label === label)?.values ?? [];
}

describe("the kernel profiling study, by scipy 1.17 on the printed runs", () => {
  it.each([
    ["throughput.ollama-1b-8.low", 24.931430341181272],
    ["throughput.ollama-3b-8.high", 20.385265024367452],
    ["throughput.pytorch-3b-1.low", 28.24497259742514],
    ["throughput.ollama-1b-1.p90", 160.816],
    ["attribution.overall.physics", 86.43223102002796],
    ["degradation.ollama-1b.pct", -82.05181476326014],
    ["degradation.ollama-1b.p", 1.1295715945150478e-5],
    ["degradation.pytorch-3b.p", 0.0018326856758969013],
    ["degradation.pytorch-3b.d", 298.35412566334577],
    ["pooled-tests.ollama.t", 7.250100745136105],
    ["pooled-tests.ollama.p", 0.0005868605077309119],
    ["pooled-tests.ollama.d", 4.185847616856236],
    ["pooled-tests.ollama.mwp", 0.0021645021645021645],
    ["pooled-tests.pytorch.mwp", 0.0119252335930176],
    ["backends.pooled.p8", 0.0008375806849206278],
    ["backends.pooled.d1", 3.1210900052080786],
    ["kernels-pooled.ollama-8.klow", 10326.298441594283],
    ["kernels-pooled.pytorch-8.ghigh", 78567.08800981544],
    ["kernel-tests.pytorch.p", 0.0005923640333538344],
    ["kernel-tests.ollama.mwp", 0.004128316645700645],
    ["power.6.d", 1.2864165659861388],
    ["power.3.d", 2.266957935527519],
    ["power.2.d", 4.302652729749462],
  ])("%s is %d", (id, expected) => {
    expect(Math.abs(value("kernel-profiling", id) / expected - 1)).toBeLessThan(1e-9);
  });

  // 10,358 of 60,000 ms and 25,352 of 60,000; 36,526 of 120,000 and 82,327 of 120,000.
  it("fills the shares of the profile that the middle one of the printed GPU times fills", () => {
    const { shows } = checkOf("kernel-profiling").findings.find(({ id }) => id === "utilisation-zero") ?? {};
    expect(shows).toContain("17 % (1B) and 42 % (3B) of the profile at N = 1, 30 % and 69 % at N = 8");
  });

  it("checks memory time by |t| = d·√(n/2) alone, for its runs are not printed", () => {
    expect(value("kernel-profiling", "memory-time.ollama.t")).toBeCloseTo(-3.81 * Math.sqrt(3), 12);
    expect(value("kernel-profiling", "memory-time.pytorch.t")).toBeCloseTo(-0.37 * Math.sqrt(3), 12);
    expect(figure("kernel-profiling", "memory-time.ollama.p").reproduction.kind).toBe("range");
  });

  it("gives a rank test of six runs against six no p below 2 ÷ 924, for twelve over six is 924", () => {
    const { reproduction } = figure("kernel-profiling", "memory-time.pytorch.mwp");
    expect(reproduction).toMatchObject({ kind: "range", low: expect.closeTo(2 / 924, 12), high: 1 });
  });

  it("gives degradation by rates and by walls, against both nulls", () => {
    // 1 − 797.93/4886.67 and 8 · 797.93/4886.67 for the walls.
    const ollama = correction("kernel-profiling", "degradation-null", "Ollama 1B");
    expect(ollama.map((one) => one?.toFixed(2))).toEqual(["-82.05", "1.44", "-83.67", "1.31"]);
    const once = correction("kernel-profiling", "degradation-null", "null: queueing, 1 request each");
    expect(once[0]).toBeCloseTo(-66.027, 3);
    expect(correction("kernel-profiling", "attribution", "by walls")[2]).toBeCloseTo(-2.469, 3);
  });

  it("finds more tokens in mean rate × mean wall than a request may have", () => {
    // 28.7967 tok/s × 4.88667 s, and 128 ÷ 4.88667 s.
    const [alone, together, , byWalls] = correction("kernel-profiling", "implied-tokens", "Ollama 1B");
    expect(alone).toBeCloseTo(128.02, 2);
    expect(together).toBeCloseTo(140.72, 2);
    expect(byWalls).toBeCloseTo(26.194, 3);
  });
});

describe("the dual instance study, by hand", () => {
  it.each([
    ["scenario.baseline_vs_chimera.mean", 681.594 / 7],
    ["scenario.chimera_hetero.mean", 691.546 / 7],
    ["scenario.chimera_homo.mean", 292.12 / 3],
    ["scenario.all.mean", 98.2348],
    ["overall.mean.value", 98.45],
    ["solo.throughput.delta", 15.301],
    ["solo.memory.delta", -70],
    ["paradox.server-gain.value", 13.5],
    ["savings.hybrid-year-pct.value", 53.75],
    ["savings.rust-months.value", 33],
    ["savings.hybrid-months.value", 65.517],
    ["savings.hybrid-rust-extra.value", 8000],
    ["cost.rust.tco", 58_000],
    ["cost.hybrid.tco", 68_600],
    ["cost.python.monthly", 400],
    ["totals.configurations.value", 27],
    ["totals.runs.value", 135],
  ])("%s is %d", (id, expected) => {
    expect(value("dual-instance", id)).toBeCloseTo(expected, 3);
  });

  it("turns the balance index near 2 into a true speedup of 0.73", () => {
    const [index, together, alone, speedup] = correction(
      "dual-instance",
      "balance-index",
      "Rust, baseline vs chimera",
    );
    expect(index).toBeCloseTo((1.9481 + 1.9532 + 1.9698 + 1.9797 + 1.8321 + 1.9739 + 1.9752) / 7, 10);
    expect(together).toBeCloseTo(41.85, 10);
    expect(alone).toBe(114.54);
    expect(speedup).toBeCloseTo((43.2 + 40.5) / 114.54, 10);
  });

  it("holds the five figures of a difference to what they leave each other", () => {
    // 0.09 − 3.45 · 134/√135 to −0.27, and 31.02/√268 to √(22.74 · 8.28 · 135/134).
    const bounds = (column: string) => figure("dual-instance", `deltas.throughput.${column}`).reproduction;
    expect(bounds("min")).toMatchObject({ low: expect.closeTo(-39.69845, 4), high: -0.27 });
    expect(bounds("sd")).toMatchObject({
      low: expect.closeTo(1.89485, 4),
      high: expect.closeTo(13.77288, 4),
    });
  });

  it("weighs the scenarios' differences by their configurations", () => {
    // (7 · 2.7 − 7 · 0.3 − 13 · 0.5) ÷ 27
    const found = checkOf("dual-instance").findings.find((finding) => finding.id === "agents-differ");
    expect(found?.shows).toContain("they give 0.38");
  });

  it("shows by how much repeats of one setting differ", () => {
    const repeats = correction("dual-instance", "noise-floor", "baseline vs chimera, context 512");
    expect(repeats.map((one) => one?.toFixed(2))).toEqual(["4.00", "91.60", "98.76", "7.16", "1.35"]);
  });
});

describe("the other studies, by hand", () => {
  it.each<[StudyName, string, number]>([
    ["concurrent-agents", "scenarios.chimera_homo.efficiency", 93.5],
    ["capacity-spike", "scaling.256k-collapse.value", 13.552],
    ["capacity-spike", "scaling.research-gain.value", 53.754],
    ["capacity-spike", "scaling.200k-cost.value", -44.554],
    ["capacity-spike", "scaling.projector-saving.value", 721],
    ["swarm-router", "showcase.score.lp", 74],
    ["swarm-router", "showcase.score.change", 17.46],
    ["swarm-router", "divergence.141650.pct", 88.889],
    ["swarm-router", "violations.152505.lp", 66.667],
    ["swarm-router", "depth-one.wb1.sum", 21],
    ["swarm-router", "showcase.vram.lp", 6.5],
  ])("%s: %s is %d", (name, id, expected) => {
    expect(value(name, id)).toBeCloseTo(expected, 2);
  });
});

/** Each known flaw of the source material, in its order: what re-derives it, and a number of it that must come out. */
const REDERIVED: Readonly<
  Record<StudyName, readonly (readonly [findings: readonly string[], number: string])[]>
> = {
  "concurrent-agents": [
    [["below-two"], "1.87 to 1.98"],
    [["no-spread"], "99.1"],
    [["order-contradicts"], "93.4"],
    [["balance-index"], "87 %"],
    [["memory-per-instance"], "24 GB"],
  ],
  "dual-instance": [
    [["balance-index"], "0.73"],
    [["same-setting"], "98.49 and 98.76"],
    [["overall-mean"], "98.50"],
    [["few-bad-runs", "peaks", "best-homogeneous"], "99.90"],
    [["percentages", "deviation-as-cv"], "8,000 USD"],
    [["hardware"], "432 GB/s"],
    [["who-wins"], "2.48"],
  ],
  "kernel-profiling": [
    [["mean-of-rates", "attribution-walls"], "83.7 % and 84.8 %"],
    [["null-not-zero"], "−87.5 %"],
    [["bandwidth-not-saturated"], "32 to 51 %"],
    [["memory-time-meaning"], "memcpy and memset"],
    [["decode-missing"], "17.6"],
    [["quantised-type"], "0.5625"],
    [["no-variance"], "unknown"],
    [["pooled-models"], "96.1 %"],
    [["excluded-repetition"], "1,193,552"],
    [["different-quantisation"], "4-fold"],
  ],
  "capacity-spike": [
    [["per-slot-formula"], "1,516, 893 to 921, 499 to 536"],
    [["not-resident"], "2,149 and 280"],
    [["window-edges", "unfinished-turn"], "6.9"],
    [["one-run-each"], "441 MiB"],
  ],
  "swarm-router": [
    [["relaxed-residency"], "0.571"],
    [["mixed-metrics"], "33.3 %"],
    [["few-runs"], "wins 2, ties 2 and loses 3"],
  ],
};

describe.each(STUDY_NAMES)("%s", (name) => {
  it("has every known flaw worked out again from its numbers", () => {
    const { known_flaws: flaws } = readGolden(goldenFile(name)) as {
      readonly known_flaws: readonly string[];
    };
    expect(REDERIVED[name]).toHaveLength(flaws.length);
    for (const [ids, number] of REDERIVED[name]) {
      const found = checkOf(name).findings.filter((finding) => ids.includes(finding.id));
      expect(found.map((finding) => finding.id).toSorted()).toEqual([...ids].toSorted());
      expect(found.map((finding) => finding.shows).join(" ")).toContain(number);
    }
  });

  it("names no finding and no correction twice, and leaves no number unworked", () => {
    const { findings, corrections } = checkOf(name);
    expect(new Set(findings.map((finding) => finding.id)).size).toBe(findings.length);
    expect(new Set(corrections.map((one) => one.id)).size).toBe(corrections.length);
    expect(findings.map((finding) => finding.shows).join(" ")).not.toMatch(/NaN|Infinity/);
    for (const table of corrections)
      for (const row of table.rows) expect(row.values).toHaveLength(table.columns.length);
  });

  it("says why for every figure that does not follow, and for no other", () => {
    for (const one of figuresOf(checkOf(name).tables))
      expect([one.id, one.reason !== undefined]).toEqual([one.id, one.agreement === "differs"]);
  });
});
