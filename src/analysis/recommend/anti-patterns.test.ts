import { describe, expect, it } from "vitest";
import { madeEndpoint } from "../../../test/fakes/recorded-run.ts";
import type { MadeCell } from "../../../test/fakes/two-agent-run.ts";
import { twoAgentRun } from "../../../test/fakes/two-agent-run.ts";
import { defined } from "../../core/assert.ts";
import type { RunManifest } from "../../record/run-manifest.ts";
import { cellsOf } from "../../workload/matrix.ts";
import { scenarioSchema } from "../../workload/scenario.ts";
import { analyseRun } from "../analyse-run.ts";
import { antiPatterns } from "./anti-patterns.ts";
import { recommend } from "./recommend.ts";

/** Faster together than in turn, so that nothing is wrong unless a test says so. */
const good: MadeCell = { cell: "good", togetherTokS: [90, 91, 92, 90.5, 91.5] };

function found(cells: readonly MadeCell[], manifest: Partial<RunManifest> = {}) {
  return antiPatterns(analyseRun(twoAgentRun(cells, manifest)));
}

const idsOf = (...all: Parameters<typeof found>) => found(...all).map((one) => one.id);

describe("anti-patterns", () => {
  it("are none in data that show none", () => {
    expect(found([good])).toEqual([]);
  });

  it("are fewer slots than agents, with what agents kept", () => {
    const [pattern] = found([{ ...good, oneEndpoint: true }], {
      endpoints: [madeEndpoint("a", { engine: "llama-server", slots: 1 })],
    });
    expect(pattern?.id).toBe("one-slot-for-several");
    expect(pattern?.evidence).toMatch(/Agents kept \d+ % of their solo speed; .* leaves \d+ %$/);
    expect(pattern?.instead).toContain("--parallel 2");
  });

  it("count as evidence of missing slots only the cells that lack them", () => {
    const manifest = { endpoints: [madeEndpoint("a", { engine: "llama-server", slots: 1 })] };
    const queued: MadeCell = { ...good, oneEndpoint: true };
    const evidence = (cells: readonly MadeCell[]) =>
      found(cells, manifest).find((one) => one.id === "one-slot-for-several")?.evidence;
    expect(evidence([queued])).toContain("Agents kept");
    expect(evidence([queued, { cell: "apart", togetherTokS: [50, 51, 52] }])).toBe(evidence([queued]));
  });

  it("are one instance for all, only where several instances did better beyond chance", () => {
    const single: MadeCell = { ...good, cell: "single", oneEndpoint: true };
    expect(idsOf([good, { ...single, togetherTokS: [60, 61, 62, 60.5, 61.5] }])).toEqual(["single-instance"]);
    expect(idsOf([good, single])).toEqual([]);
  });

  it("are running together what would be done sooner in turn", () => {
    expect(idsOf([{ cell: "slow", togetherTokS: [40, 41, 42, 40.5] }])).toEqual(["together-is-slower"]);
    // One trial has no interval, and so nothing to be sure by.
    expect(idsOf([{ cell: "slow", togetherTokS: [40] }])).toEqual([]);
  });

  it("are no verdict on sharing where agents pause, or where the client was late in some block", () => {
    const slow: MadeCell = { cell: "slow", togetherTokS: [40, 41, 42, 40.5] };
    // The second request follows the first, which takes some 3 seconds, after 10: the wall holds the rest.
    const pausing: MadeCell = {
      ...slow,
      request: (_, position) => (position === 1 ? { atMs: 10_000 } : {}),
    };
    // The engine claims more work than the client's 3 seconds hold.
    const late: MadeCell = {
      ...slow,
      request: (repeat) => (repeat === 0 ? { record: { split: { prefillMs: 60, decodeMs: 9_000 } } } : {}),
    };
    const twice = (cell: MadeCell): readonly MadeCell[] => [cell, { ...cell, cell: "again" }];
    for (const cell of [pausing, late]) {
      const analysis = analyseRun(twoAgentRun(twice(cell)));
      const { figures } = defined(analysis.cells[0], "a cell");
      // The figure itself lies below 1 by its whole interval.
      expect(figures.trueSpeedup).toMatchObject({ spread: { kind: "known" } });
      expect(figures.trueSpeedup?.max).toBeLessThan(1);
      expect(antiPatterns(analysis).map((one) => one.id)).not.toContain("together-is-slower");
      expect(JSON.stringify(recommend(analysis))).not.toContain('"in-turn"');
    }
    expect(JSON.stringify(recommend(analyseRun(twoAgentRun(twice(slow)))))).toContain('"in-turn"');
  });

  it("are cold models and settings that come out the same", () => {
    const cold: MadeCell = {
      ...good,
      request: (_, position) => (position === 0 ? { ttftMs: 600, record: { split: { loadMs: 500 } } } : {}),
    };
    expect(idsOf([cold])).toContain("cold-models");
    const same = { record: () => ({ effectiveHash: "same" }) };
    const [pattern] = found([
      { ...good, ...same },
      { ...good, cell: "better?", togetherTokS: [91, 92, 93], ...same },
    ]);
    expect(pattern).toMatchObject({
      id: "noise-for-effect",
      evidence: expect.stringContaining("good, better?"),
    });
  });

  it("are a context smaller than asked for, where the server fixes it", () => {
    const agent = { name: "collector", program: "collector", endpoint: "a", options: { numCtx: 8192 } };
    const spec = {
      name: "made",
      endpoints: { a: { url: "http://localhost:8080" } },
      agents: [agent, { ...agent, name: "insight" }],
    };
    const [planned] = cellsOf(scenarioSchema.parse(spec));
    const hash = defined(planned, "a cell").hash;
    const cell: MadeCell = { ...good, record: () => ({ cellHash: hash }) };
    const on = (engine: string) => ({
      spec,
      endpoints: [madeEndpoint("a", { engine, contextTokens: 4096 })],
    });
    expect(found([cell], on("llama-server"))).toEqual([
      expect.objectContaining({
        id: "context-clamped",
        evidence: expect.stringContaining("a was asked for 8192 tokens and has 4096"),
      }),
    ]);
    expect(found([cell], on("ollama"))).toEqual([]);
    expect(found([cell], on("simulated"))).toEqual([]);
  });
});
