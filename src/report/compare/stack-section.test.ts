import { describe, expect, it } from "vitest";
import type { MadeRequest, MadeTrial } from "../../../test/fakes/recorded-run.ts";
import { madeEndpoint, madeRun } from "../../../test/fakes/recorded-run.ts";
import { analyseRun } from "../../analysis/analyse-run.ts";
import { sideOf } from "../../analysis/compare/side.ts";
import type { StackInput } from "../../analysis/stacks.ts";
import { compareStacks } from "../../analysis/stacks.ts";
import { renderSectionText } from "../section/section-text.ts";
import { stackSection } from "./stack-section.ts";

/** Two agents that take 1 s for 100 tokens alone, and together wait `waitMs` more and decode `slower` times as long. */
function stack(
  name: string,
  engine: string,
  waitMs: number,
  slower: number,
  record: MadeRequest["record"] = {},
): StackInput {
  const alone = { ttftMs: 100, tokens: 100, decodeMs: 900 };
  const trials = [0, 1, 2].flatMap((repeat): readonly MadeTrial[] => {
    const together = { ttftMs: 100 + waitMs + repeat, tokens: 100, decodeMs: 900 * slower, record };
    return [
      { kind: "solo", repeat, agents: { x: [alone] }, record: { soloFor: ["x", "y"] } },
      { kind: "together", repeat, agents: { x: [together], y: [together] } },
    ];
  });
  const endpoints = ["a", "b"].map((one) => madeEndpoint(one, { engine, version: "1.0", model: "gemma3" }));
  const analysis = analyseRun(madeRun(trials, { runId: name, endpoints }));
  return { side: sideOf(name, analysis), cells: analysis.cells };
}

const stacks = compareStacks([
  stack("20261120T100000Z-a-0001", "ollama", 1_000, 1),
  stack("20261120T110000Z-b-0002", "vllm", 20, 1.5),
  stack("20261120T120000Z-c-0003", "llama-server", 300, 2),
]);

describe("stacks under the same work", () => {
  it("splits what a token costs more into waiting and slower steps", () => {
    const [queued, batched] = stacks.rows;
    // 1,000 … 1,002 ms more for 100 tokens, none of it while decoding.
    expect(queued?.queueing?.msPerToken.mean).toBeCloseTo(10.01, 9);
    expect(queued?.queueing?.decodingMsPerToken).toBeCloseTo(0, 9);
    // 99 tokens after the first took 450 ms longer: 4.545 ms each; 20 … 22 ms of waiting and the same 450 in all.
    expect(batched?.queueing?.decodingMsPerToken).toBeCloseTo(450 / 99, 9);
    expect(batched?.queueing?.msPerToken.mean).toBeCloseTo(4.71, 9);
    expect(batched?.aggregateGain?.mean).toBeCloseTo(2 / 1.471, 4);
  });

  it("is one table that fits 80 columns", () => {
    const text = renderSectionText(stackSection(stacks), 80);
    expect(text).toMatchSnapshot();
    expect(text.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  it("does not warn of the engines, which are what is compared", () => {
    expect(stacks.caveats).toEqual([]);
  });

  it("ranks nobody whose interval reaches the best one's", () => {
    const same = compareStacks([stack("one", "ollama", 100, 1), stack("two", "vllm", 100, 1)]);
    expect(renderSectionText(stackSection(same), 80)).toContain("no stack is told from the others");
  });

  it("names nobody the best of work that was not the same, and says of every row what it was", () => {
    const asked = (input: number): MadeRequest["record"] => ({
      tokens: { input, cached: 0, output: 100, outputSource: "engine" },
    });
    const unlike = compareStacks([
      stack("one", "ollama", 1_000, 1, asked(64)),
      stack("two", "vllm", 20, 1, asked(512)),
      stack("three", "tgi", 10, 1, asked(100)),
    ]);
    expect(unlike).toMatchObject({ unlikeWork: true, caveats: [{ code: "OTHER_WORKLOAD" }] });
    for (const own of ["one, made: 64 tokens in", "two, made: 512 tokens in", "three, made: 100 tokens in"])
      expect(unlike.caveats[0]?.message).toContain(own);
    const text = renderSectionText(stackSection(unlike), 80);
    expect(text).toMatch(/^STACKS UNDER UNLIKE WORK/);
    expect(text).toContain("none of them is named best");
    expect(text).not.toContain("most tokens together");
  });

  it("does not rank a stack that fails what it is asked", () => {
    const failed: MadeRequest["record"] = {
      outcome: { kind: "failed", code: "REQUEST_TIMEOUT", message: "timed out", afterFirstToken: false },
    };
    const lossy = compareStacks([
      stack("one", "ollama", 1_000, 1),
      stack("two", "vllm", 20, 1),
      stack("three", "tgi", 1, 0.1, failed),
    ]);
    expect(lossy.rows.map((row) => row.losesRequests)).toEqual([false, false, true]);
    expect(lossy.caveats).toMatchObject([{ code: "REQUESTS_FAILED" }]);
    expect(renderSectionText(stackSection(lossy), 80)).toContain("most tokens together: B");
  });
});
