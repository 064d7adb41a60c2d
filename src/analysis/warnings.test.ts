import { describe, expect, it } from "vitest";
import type { MadeRequest, MadeTrial } from "../../test/fakes/recorded-run.ts";
import { madeEndpoint, madeRun } from "../../test/fakes/recorded-run.ts";
import type { RunManifest } from "../record/run-manifest.ts";
import { analyseRun } from "./analyse-run.ts";
import type { RunWarning } from "./warning-check.ts";

const request: MadeRequest = { ttftMs: 100, tokens: 101, decodeMs: 1_000 };
/** Enough requests for a p50, so that only the warning under test is given. */
const enough = Array.from({ length: 11 }, () => request);

function block(
  together: readonly MadeRequest[] = enough,
  extra: Partial<MadeTrial> = {},
): readonly MadeTrial[] {
  return [
    { kind: "solo", agents: { a: enough }, record: { soloFor: ["a", "b"] } },
    { kind: "together", agents: { a: together, b: together }, ...extra },
  ];
}

function warningsOf(
  trials: readonly MadeTrial[],
  manifest: Partial<RunManifest> = {},
): readonly RunWarning[] {
  return analyseRun(madeRun(trials, manifest)).warnings;
}

const withRecord = (record: MadeRequest["record"]): readonly MadeRequest[] =>
  enough.map((one) => ({ ...one, ...(record === undefined ? {} : { record }) }));

const REFUSED = {
  kind: "failed",
  code: "ENDPOINT_REFUSED",
  message: "refused",
  afterFirstToken: false,
} as const;

describe("warnings", () => {
  it("are none when nothing is wrong", () => {
    expect(warningsOf(block())).toEqual([]);
  });

  it("say how to give Ollama and llama-server a slot per agent", () => {
    const onOne = withRecord({ endpoint: "a" });
    const remedy = (engine: string): string | undefined =>
      warningsOf(block(onOne), { endpoints: [madeEndpoint("a", { engine, slots: 1 })] })[0]?.remedy;
    expect(remedy("ollama")).toBe("restart Ollama with OLLAMA_NUM_PARALLEL=2");
    expect(remedy("llama-server")).toBe(
      "restart llama-server with --parallel 2 (each slot gets its own part of --ctx-size)",
    );
    expect(warningsOf(block(onOne), { endpoints: [madeEndpoint("a", { slots: 2 })] })).toEqual([]);
  });

  /** Prefill 100 ms, then 1,000 ms of tokens; `starts` are when the server begins with each agent. */
  const served = (starts: readonly number[], decodeMs = 1_000): readonly MadeTrial[] => [
    {
      kind: "together",
      agents: Object.fromEntries(
        starts.map((startMs, index) => [
          `agent-${index}`,
          enough
            .slice(0, 1)
            .map((one) => ({ ...one, ttftMs: startMs + 100, decodeMs, record: { endpoint: "a" } })),
        ]),
      ),
    },
  ];
  const queued = (trials: readonly MadeTrial[], engine = "ollama"): RunWarning | undefined =>
    warningsOf(trials, { endpoints: [madeEndpoint("a", { engine })] }).find(
      ({ code }) => code === "REQUESTS_QUEUED",
    );

  it("see how many answers an engine without stated slots streams at once", () => {
    // Two at once, then two more: 4 asked at the barrier.
    expect(queued(served([0, 0, 1_100, 1_100]))).toMatchObject({
      message:
        "endpoint a never streamed more than 2 of the 4 answers it was asked for at once: the rest queued, which is not batching",
      remedy: "restart Ollama with OLLAMA_NUM_PARALLEL=4",
    });
    expect(queued(served([0, 1_100]), "vllm")?.remedy).toBe("give the server 2 slots, or add an endpoint");
  });

  it("see no queue where answers overlap, or touch at their edges", () => {
    expect(queued(served([0, 100, 200, 300]))).toBeUndefined();
    // The second begins 20 ms before the first ends: rough stamps, and no second slot.
    expect(queued(served([0, 980]))?.message).toContain("more than 1 of the 2 answers");
  });

  it("see no queue where answers are too short to meet, or the engine states its slots", () => {
    expect(queued(served([0, 100], 50))).toBeUndefined();
    const stated = warningsOf(served([0, 1_100]), { endpoints: [madeEndpoint("a", { slots: 2 })] });
    expect(stated.map(({ code }) => code)).not.toContain("REQUESTS_QUEUED");
  });

  it("say by how much prompts missed the length that was asked for", () => {
    const aimed = (input: number): readonly MadeRequest[] =>
      withRecord({ tokens: { input, inputTarget: 128, cached: 0, output: 101 } });
    const trials: readonly MadeTrial[] = [{ kind: "together", agents: { a: aimed(177), b: aimed(128) } }];
    const warning = warningsOf(trials).find(({ code }) => code === "PROMPT_LENGTH_MISSED");
    // 177 ÷ 128 = 1.38
    expect(warning?.message).toContain("in 1 agent trial, by up to +38 % (a: 177 tokens for 128)");
    expect(warningsOf([{ kind: "together", agents: { a: aimed(130) } }])).toEqual([]);
  });

  it("fit the remedy to why prompts differ", () => {
    const asked = (inputs: readonly number[], output: number): readonly MadeRequest[] =>
      inputs.map((input, index) => ({
        ...request,
        record: { tokens: { input, output }, promptHash: `${input}${index}`.padEnd(16, "f") },
      }));
    const remedy = (solo: readonly MadeRequest[], together: readonly MadeRequest[]): string | undefined =>
      warningsOf([
        { kind: "solo", agents: { a: solo }, record: { soloFor: ["a", "b"] } },
        { kind: "together", agents: { a: together, b: together } },
      ]).find(({ code }) => code === "PROMPTS_DIFFER")?.remedy;
    expect(remedy(asked([100, 300], 101), asked([100, 200], 51))).toContain("fix the output length");
    expect(remedy(asked([100, 100], 101), asked([130, 120], 101))).toContain(
      "prompt lengths were approximate",
    );
  });

  it("compare prompt and output with the context", () => {
    const [warning] = warningsOf(block(), { endpoints: [madeEndpoint("a", { contextTokens: 300 })] });
    // 200 prompt tokens and 101 of output.
    expect(warning).toMatchObject({ code: "CONTEXT_OVERRUN" });
    expect(warning?.message).toContain("a: 301 tokens in a context of 300");
    expect(warningsOf(block(), { endpoints: [madeEndpoint("a", { contextTokens: 301 })] })).toEqual([]);
  });

  it("count the requests that waited for the model to load", () => {
    const [warning] = warningsOf(block(withRecord({ split: { loadMs: 4_000 } })));
    expect(warning?.code).toBe("COLD_MODEL");
    expect(warning?.message).toContain("22 requests waited for the model to load");
  });

  it("give the worst lag of the client against its limit", () => {
    const [warning] = warningsOf(block(enough, { record: { client: { loopLagMsP99: 38.2, cpuPct: 55 } } }));
    expect(warning?.code).toBe("CLIENT_BOTTLENECK");
    expect(warning?.message).toContain("in 1 of 2 trials");
    expect(warning?.message).toContain("p99 up to 38 ms (limit 10)");
  });

  it("judge the client over a second or more, and by what is known of it", () => {
    const busy = { cpuPct: 184 };
    const brief = [{ ttftMs: 1, tokens: 2, decodeMs: 4 }];
    expect(warningsOf(block(brief, { record: { client: busy } })).map(({ code }) => code)).not.toContain(
      "CLIENT_BOTTLENECK",
    );
    const [warning] = warningsOf(block(enough, { record: { client: busy } }));
    expect(warning?.message).toBe(
      "in 1 of 2 trials the measuring client was too busy: CPU up to 184 % (limit 70)",
    );
  });

  it("count requests that were answered faster than the engine worked on them, and withhold the verdict", () => {
    const late = withRecord({ split: { prefillMs: 5.82, decodeMs: 1_400 } });
    const analysis = analyseRun(madeRun(block(late)));
    expect(analysis.warnings.map((warning) => warning.code)).toEqual(["CLIENT_LATE"]);
    // 5.82 + 1,400 ms by the engine's clock, 1,100 ms by the client's; the solo requests tell nothing.
    expect(analysis.warnings[0]?.message).toContain("22 of 22 requests");
    expect(analysis.warnings[0]?.message).toContain("by up to 305.8 ms");
    expect(analysis.cells[0]?.figures).toMatchObject({
      trueSpeedup: undefined,
      retention: undefined,
      aggregateGain: undefined,
    });
    expect(analysis.cells[0]?.blocks[0]?.agents[0]?.comparability).toMatchObject({
      kind: "not-comparable",
      reason: "client-late",
    });
  });

  it("say by how much answers differed in length", () => {
    const longer = enough.map((one) => ({ ...one, tokens: 130 }));
    const [warning] = warningsOf(block(longer));
    expect(warning?.code).toBe("OUTPUT_LENGTHS_DIFFER");
    // 130 ÷ 101 − 1
    expect(warning?.message).toContain("by up to +29 % (a)");
  });

  it("say which requests have no count of the engine's own", () => {
    const [warning] = warningsOf(
      block(withRecord({ tokens: { input: 200, output: 101, outputSource: "estimated" } })),
    );
    expect(warning?.code).toBe("TOKENS_ESTIMATED");
    expect(warning?.message).toContain("22 requests");
  });

  it("say which counts of the server cannot be true, and in how many requests", () => {
    const [warning] = warningsOf(block(withRecord({ discardedCounts: "output 900 (at most 16)" })));
    expect(warning?.code).toBe("COUNTS_DISCARDED");
    expect(warning?.message).toContain("22 of ");
    expect(warning?.message).toContain("output 900 (at most 16)");
    expect(warning?.remedy).toContain("requests.jsonl");
  });

  it("name the lines that cannot be true, which the reader of the files left out", () => {
    const message = "requests.jsonl has lines that cannot be true, and they are left out: line 3 (why)";
    const notices = [
      { kind: "impossible-line", file: "requests.jsonl", message },
      { kind: "missing-file", file: "chunks.jsonl", message: "chunks.jsonl does not exist" },
    ] as const;
    const { warnings } = analyseRun({ ...madeRun(block()), notices });
    expect(warnings.filter(({ code }) => code === "IMPOSSIBLE_LINES")).toEqual([
      expect.objectContaining({ message: `${message}; figures are without them` }),
    ]);
  });

  it("say how many requests a percentile lacks", () => {
    const [warning] = warningsOf(block([request, request]));
    expect(warning).toMatchObject({ code: "PERCENTILES_MISSING" });
    expect(warning?.message).toBe(
      "too few requests for percentiles over them: 2 of an agent, and a p50 needs 11. Medians are given per trial",
    );
    const nothing = withRecord({ outcome: REFUSED });
    expect(warningsOf(block(nothing)).map(({ code }) => code)).not.toContain("PERCENTILES_MISSING");
  });

  it("say why solo and together are not compared", () => {
    const [warning] = warningsOf(block(withRecord({ tokens: { input: 200, cached: 190, output: 101 } })));
    expect(warning).toMatchObject({ code: "CACHE_HITS_DIFFER" });
    expect(warning?.message).toContain("0 % of prompt tokens came from the cache alone, 95 % together");
    const [missing] = warningsOf(block().slice(1));
    expect(missing).toMatchObject({ code: "SOLO_MISSING", remedy: "run without --no-solo" });
  });

  it("flag a trial outside Tukey's fences, and keep it", () => {
    const walls = [1_000, 1_010, 990, 1_005, 3_000];
    const trials = walls.map(
      (decodeMs, repeat): MadeTrial => ({
        kind: "together",
        repeat,
        agents: { a: enough.map((one) => ({ ...one, decodeMs })) },
      }),
    );
    const [warning] = warningsOf(trials);
    expect(warning).toMatchObject({ code: "OUTLIER_TRIALS" });
    expect(warning?.message).toContain("made-r4-together. None was dropped");
  });

  it("pass on what the runner noted, once", () => {
    const noted = { code: "NOTED", message: "m", remedy: "r" };
    const trials = block(enough, { record: { warnings: [noted, noted] } });
    expect(warningsOf(trials)).toEqual([noted]);
  });
});
