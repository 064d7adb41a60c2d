import { describe, expect, it } from "vitest";
import { randomStream } from "../core/random.ts";
import { parseWith } from "../core/yaml.ts";
import type { RequestRecord } from "../record/request-record.ts";
import type { Task } from "../workload/task-graph.ts";
import { taskSchema } from "../workload/task-graph.ts";
import { betaMean, betaSd, drawBeta } from "./beta.ts";
import { Estimator, measurementOf } from "./estimator.ts";
import { modelFileSchema } from "./model-file.ts";

const { models } = parseWith(
  modelFileSchema,
  {
    models: [
      {
        name: "gemma",
        memoryMib: 2048,
        loadS: 3,
        prefillTokensPerS: 1000,
        decodeTokensPerS: 50,
        contextTokens: 8192,
        tokenPrice: { prompt: 1, output: 4 },
        quality: {
          math: { easy: { alpha: 9, beta: 1 }, hard: { alpha: 3, beta: 7 } },
          code: { alpha: 1, beta: 1 },
        },
      },
      { name: "bare", memoryMib: 4096, quality: { math: { alpha: 1, beta: 1 } } },
    ],
  },
  "test",
);

function task(fields: Record<string, unknown>): Task {
  return parseWith(taskSchema, { id: "t", type: "math", ...fields }, "test");
}

function record(fields: Partial<RequestRecord>): RequestRecord {
  const text = { text: 10, role: 0, empty: 0, keepAlive: 0, usage: 0, finish: 0, other: 0 };
  return {
    v: 1,
    requestId: "1",
    trialId: "t",
    agent: "a",
    phase: "measured",
    position: 0,
    step: "s0",
    endpoint: "e",
    engine: "ollama",
    model: "gemma",
    stamps: { scheduledNs: 0, endNs: 4e9 },
    tokens: {},
    events: text,
    sharedStampEvents: 0,
    outcome: { kind: "ok" },
    promptCold: true,
    promptHash: "0",
    simulated: false,
    ...fields,
  };
}

describe("beliefs about quality", () => {
  it("begin at the prior and move by every graded answer, for that kind of task only", () => {
    const estimator = new Estimator(models);
    const hard = { type: "math", difficulty: "hard" } as const;
    expect(estimator.quality("gemma", hard)).toEqual({ alpha: 3, beta: 7 });
    estimator.grade("gemma", hard, 1);
    estimator.grade("gemma", hard, 1);
    estimator.grade("gemma", hard, 0.25);
    expect(estimator.quality("gemma", hard)).toEqual({ alpha: 5.25, beta: 7.75 });
    expect(estimator.quality("gemma", { type: "math", difficulty: "easy" })).toEqual({ alpha: 9, beta: 1 });
  });

  it("are absent where the file says nothing, of the type or of the difficulty", () => {
    const estimator = new Estimator(models);
    expect(estimator.estimate("gemma", task({ type: "reasoning" }))).toBeUndefined();
    expect(estimator.estimate("gemma", task({ difficulty: "medium" }))).toBeUndefined();
    expect(estimator.estimate("gemma", task({ type: "toString" }))).toBeUndefined();
    expect(estimator.estimate("gemma", task({ type: "code" }))?.quality).toEqual({ alpha: 1, beta: 1 });
  });

  it("know how uncertain they are, and less so with every answer", () => {
    // Uniform: mean 1/2, variance 1/12.
    expect(betaMean({ alpha: 1, beta: 1 })).toBe(0.5);
    expect(betaSd({ alpha: 1, beta: 1 })).toBeCloseTo(Math.sqrt(1 / 12), 12);
    expect(betaSd({ alpha: 50, beta: 50 })).toBeLessThan(betaSd({ alpha: 5, beta: 5 }));
  });
});

describe("draws from a belief", () => {
  it("have its mean and spread, and are the same for the same seed", () => {
    for (const belief of [
      { alpha: 3, beta: 7 },
      { alpha: 0.4, beta: 0.8 },
      { alpha: 80, beta: 20 },
    ]) {
      const stream = randomStream(1, "beta");
      const draws = Array.from({ length: 20_000 }, () => drawBeta(belief, stream));
      const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
      const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;
      const { alpha, beta } = belief;
      // Four standard errors of a mean of 20,000.
      expect(Math.abs(mean - alpha / (alpha + beta))).toBeLessThan((4 * betaSd(belief)) / Math.sqrt(20_000));
      expect(Math.sqrt(variance) / betaSd(belief)).toBeCloseTo(1, 1);
      expect(draws.every((draw) => draw >= 0 && draw <= 1)).toBe(true);
      expect(drawBeta(belief, randomStream(1, "beta"))).toBe(draws[0]);
    }
  });

  it("exist for beliefs so weak that the variates vanish", () => {
    const stream = randomStream(3, "weak");
    for (let draw = 0; draw < 100; draw++)
      expect([0, 1]).toContain(Math.round(drawBeta({ alpha: 1e-5, beta: 1e-5 }, stream)));
  });
});

describe("sizes and speeds", () => {
  it("come from the file until something is measured, then from pooled sums", () => {
    const estimator = new Estimator(models);
    const sized = task({ difficulty: "easy", promptTokens: 500, outputTokens: 100 });
    // 500 / 1000 + 100 / 50 seconds; (500 · 1 + 100 · 4) / 1000 of price.
    expect(estimator.estimate("gemma", sized)).toMatchObject({ seconds: 2.5, price: 0.9 });
    estimator.measure("gemma", sized, { promptTokens: 400, prefillS: 1, outputTokens: 50, decodeS: 1 });
    estimator.measure("gemma", sized, { promptTokens: 200, prefillS: 2, outputTokens: 150, decodeS: 3 });
    // 200 tokens/s each way: 600 in 3 s read, 200 in 4 s written.
    expect(estimator.estimate("gemma", sized)?.seconds).toBeCloseTo(500 / 200 + 100 / 50, 12);
  });

  it("of tasks without sizes are those measured on the model, else on any, else unknown", () => {
    const estimator = new Estimator(models);
    const unsized = task({ difficulty: "easy" });
    expect(estimator.estimate("gemma", unsized)).not.toHaveProperty("promptTokens");
    estimator.measure("bare", unsized, { promptTokens: 300, outputTokens: 30 });
    expect(estimator.estimate("gemma", unsized)).toMatchObject({ promptTokens: 300, outputTokens: 30 });
    estimator.measure("gemma", unsized, { promptTokens: 310, outputTokens: 60 });
    expect(estimator.estimate("gemma", unsized)).toMatchObject({ promptTokens: 310, outputTokens: 60 });
    expect(estimator.estimate("bare", unsized)).not.toHaveProperty("seconds");
    expect(estimator.estimate("bare", unsized)).not.toHaveProperty("price");
  });

  it("that do not fit the model's context take the model out", () => {
    const estimator = new Estimator(models);
    const long = task({ difficulty: "easy", promptTokens: 8000, outputTokens: 193 });
    expect(estimator.estimate("gemma", long)).toBeUndefined();
    expect(estimator.estimate("bare", long)).toBeDefined();
  });

  it("of loads are a mean once measured", () => {
    const estimator = new Estimator(models);
    expect(estimator.loadS("gemma")).toBe(3);
    estimator.measureLoad("gemma", 4);
    estimator.measureLoad("gemma", 5);
    expect(estimator.loadS("gemma")).toBe(4.5);
    expect(estimator.loadS("bare")).toBeUndefined();
  });
});

describe("what a record says", () => {
  it("is the engine's split where it has one, and our stamps otherwise", () => {
    const stamps = { scheduledNs: 0, sentNs: 1e9, firstTokenNs: 1.5e9, lastTokenNs: 3.5e9, endNs: 4e9 };
    const tokens = { input: 100, output: 40 };
    expect(measurementOf(record({ stamps, tokens }))).toEqual({
      promptTokens: 100,
      outputTokens: 40,
      prefillS: 0.5,
      decodeS: 2,
    });
    expect(
      measurementOf(record({ stamps, tokens, split: { prefillMs: 300, decodeMs: 1900 } })),
    ).toMatchObject({
      prefillS: 0.3,
      decodeS: 1.9,
    });
  });

  it("is nothing about prefill when the prompt was cached, and nothing at all when it failed", () => {
    const split = { prefillMs: 3, decodeMs: 1900 };
    const cached = measurementOf(record({ tokens: { input: 100, cached: 90, output: 40 }, split }));
    expect(cached).not.toHaveProperty("prefillS");
    const outcome = { kind: "cancelled", reason: "x" } as const;
    expect(measurementOf(record({ outcome, tokens: { input: 100 } }))).toEqual({});
  });
});
