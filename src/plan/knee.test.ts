import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BYTES_PER_MIB } from "../core/units.ts";
import { presetSchema } from "../preset/preset.ts";
import { cliffOf } from "./cliff.ts";
import type { Candidate, Evaluation, NoisyFigure } from "./evaluation.ts";
import { cachedEvaluations } from "./evaluation.ts";
import { kneeOf } from "./knee.ts";
import type { Need } from "./knee.ts";
import { paretoTable } from "./pareto.ts";
import { searchCapacity } from "./search.ts";

function figure(value: number, noise = 0): NoisyFigure {
  return { value, low: value - noise, high: value + noise };
}

interface Made {
  readonly total: number;
  readonly each?: number;
  readonly noise?: number;
  readonly devMs?: number;
}

function candidate(slots: number, contextTokensPerSlot: number, made: Made): Candidate {
  return {
    configuration: { slots, contextTokensPerSlot },
    evaluation: {
      kind: "evaluated",
      aggregateTokensPerS: figure(made.total, made.noise),
      perAgentTokensPerS: figure(made.each ?? made.total / slots),
      roleLatencyMs: made.devMs === undefined ? {} : { Dev: figure(made.devMs, 1000 * (made.noise ?? 0)) },
    },
  };
}

/** The capacity study's rows with a team of TL, Dev and QA that were resident: one run each, so without noise. */
const STUDY = [
  candidate(3, 65_536, { total: 142.3, each: 69.7, devMs: 93_000 }),
  candidate(5, 32_768, { total: 181.2, each: 42.9, devMs: 158_000 }),
  candidate(3, 131_072, { total: 132.1, each: 68.6, devMs: 96_000 }),
];

function bestOf(candidates: readonly Candidate[], need: Need): string {
  const knee = kneeOf(candidates, need);
  if (knee.kind === "none") return "none";
  const { slots, contextTokensPerSlot } = knee.best.configuration;
  return `${slots} × ${contextTokensPerSlot}`;
}

describe("the knee", () => {
  it("depends on what is needed: the study's own rows have three", () => {
    expect(bestOf(STUDY, { kind: "throughput" })).toBe("5 × 32768");
    expect(bestOf(STUDY, { kind: "agents" })).toBe("5 × 32768");
    expect(bestOf(STUDY, { kind: "context" })).toBe("3 × 131072");
    expect(bestOf(STUDY, { kind: "latency", role: "Dev" })).toBe("3 × 65536");
  });

  it("keeps to limits: with a minute and a half of patience for Dev nothing is left at 90 s", () => {
    const within = kneeOf(STUDY, { kind: "throughput" }, { mostRoleLatencyMs: { Dev: 100_000 } });
    expect(within.kind === "found" && within.best.configuration.contextTokensPerSlot).toBe(65_536);
    expect(kneeOf(STUDY, { kind: "throughput" }, { mostRoleLatencyMs: { Dev: 90_000 } })).toEqual({
      kind: "none",
      need: { kind: "throughput" },
      reason: "None of the 3 configurations that were tried keeps to the limits.",
    });
  });

  it("is an interval: what cannot be told from the best belongs to it", () => {
    const noisy = [
      candidate(2, 8192, { total: 100, noise: 5 }),
      candidate(4, 4096, { total: 108, noise: 6 }),
      candidate(8, 2048, { total: 90, noise: 5 }),
    ];
    const knee = kneeOf(noisy, { kind: "throughput" });
    expect(knee).toMatchObject({
      kind: "found",
      best: { configuration: { slots: 4 } },
      withinNoise: [{ configuration: { slots: 2 } }],
      slots: { low: 2, high: 4 },
      contextTokensPerSlot: { low: 4096, high: 8192 },
    });
    expect(knee.reason).toBe(
      "4 slots of 4,096 tokens: the highest rate, 108.0 (102.0 to 114.0) tok/s in all, of 3 that were tried and do; within noise of it: 2 slots of 8,192 tokens.",
    );
  });

  it("never has a shorter context within the noise of the longest, however fast it is", () => {
    const knee = kneeOf(
      [candidate(1, 4096, { total: 10, noise: 9 }), candidate(1, 2048, { total: 500, noise: 400 })],
      { kind: "context" },
    );
    expect(knee).toMatchObject({ withinNoise: [], contextTokensPerSlot: { low: 4096, high: 4096 } });
  });

  it("says so when no configuration knows how long the role's turns take", () => {
    expect(kneeOf(STUDY, { kind: "latency", role: "QA" }).reason).toContain("how long a turn of QA takes");
    expect(kneeOf([], { kind: "throughput" }).reason).toBe("No configuration could be tried.");
  });

  it("is better than or within noise of everything allowed, whatever the figures", () => {
    const anyCandidate = fc
      .tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 }), fc.nat(200), fc.nat(20))
      .map(([slots, kibi, total, noise]) => candidate(slots, 1024 * kibi, { total, noise }));
    fc.assert(
      fc.property(fc.array(anyCandidate, { minLength: 1, maxLength: 12 }), (candidates) => {
        const knee = kneeOf(candidates, { kind: "throughput" });
        if (knee.kind === "none") throw new Error("without limits there is a best");
        const best = knee.best.evaluation.aggregateTokensPerS;
        for (const one of candidates) {
          const { value, high } = one.evaluation.aggregateTokensPerS;
          expect(value).toBeLessThanOrEqual(best.value);
          expect(knee.withinNoise.includes(one) || one === knee.best).toBe(
            one === knee.best || high >= best.low,
          );
        }
      }),
    );
  });
});

describe("the table of what is worth choosing", () => {
  const axis = fc.integer({ min: 1, max: 3 });
  const someCandidates = fc.array(
    fc
      .tuple(axis, axis, axis, axis)
      .map(([slots, kibi, total, each]) => candidate(slots, kibi, { total, each })),
    { maxLength: 20 },
  );

  it("marks exactly those that another is nowhere worse than and somewhere better", () => {
    fc.assert(
      fc.property(someCandidates, (candidates) => {
        const points = candidates.map(({ configuration, evaluation }) => [
          configuration.slots,
          configuration.contextTokensPerSlot,
          evaluation.aggregateTokensPerS.value,
          evaluation.perAgentTokensPerS.value,
        ]);
        const dominated = points.map((point) =>
          points.some(
            (other) =>
              other.filter((value, index) => value >= (point[index] as number)).length === 4 &&
              other.join() !== point.join(),
          ),
        );
        expect(paretoTable(candidates).map((row) => row.dominatedBy !== undefined)).toEqual(dominated);
      }),
    );
  });

  it("keeps all of the study's rows: each is best at something", () => {
    expect(paretoTable(STUDY).every((row) => row.dominatedBy === undefined)).toBe(true);
  });
});

describe("a cliff", () => {
  /** 18,206 + 216 per slot + 11.13 per 1,024 cells: the line through the study's five measurements, MiB. */
  const needBytes = ({
    slots,
    contextTokensPerSlot,
  }: {
    slots: number;
    contextTokensPerSlot: number;
  }): number => (18_206 + 216 * slots + (11.13 * slots * contextTokensPerSlot) / 1024) * BYTES_PER_MIB;

  it("is as far away as the ledger says, in words and in bytes", () => {
    const cliff = cliffOf(
      { slots: 3, contextTokensPerSlot: 65_536 },
      [32_768, 65_536, 131_072],
      needBytes,
      24_082 * BYTES_PER_MIB,
    );
    // By hand: used 20,991; a slot 216 + 712.3; a doubling 3 × 712.3.
    expect(cliff?.distance).toBe(
      "the next slot needs 928 MiB, 131,072 tokens in each slot need 2137 MiB, 3091 MiB are free",
    );
    expect(cliff).toMatchObject({ nextSlot: { fits: true }, nextContext: { fits: true } });
  });

  it("lies behind a configuration that does not fit", () => {
    const at256k = { slots: 3, contextTokensPerSlot: 262_144 };
    expect(cliffOf(at256k, [], needBytes, 24_082 * BYTES_PER_MIB)?.distance).toMatch(
      /3320 MiB are missing already$/,
    );
  });
});

describe("a search", () => {
  const axes = { slots: [1, 2, 4], contextTokensPerSlot: [1024, 2048, 4096] };
  const saturating = ({
    slots,
    contextTokensPerSlot,
  }: {
    slots: number;
    contextTokensPerSlot: number;
  }): Evaluation =>
    slots === 4 && contextTokensPerSlot === 2048
      ? { kind: "unusable", reason: "layers were moved to host memory" }
      : candidate(slots, contextTokensPerSlot, { total: (100 * slots) / (slots + 1) }).evaluation;

  it("evaluates what fits and nothing else, and keeps what was unusable with its reason", async () => {
    const tried: string[] = [];
    const result = await searchCapacity({
      axes,
      common: { kvTypeK: "q8_0", kvTypeV: "q8_0" },
      need: { kind: "throughput" },
      fits: ({ slots, contextTokensPerSlot }) => slots * contextTokensPerSlot <= 8192,
      evaluate: (configuration) => {
        tried.push(`${configuration.slots} × ${configuration.contextTokensPerSlot}`);
        return saturating(configuration);
      },
    });
    expect(tried).toEqual([
      "1 × 1024",
      "1 × 2048",
      "1 × 4096",
      "2 × 1024",
      "2 × 2048",
      "2 × 4096",
      "4 × 1024",
      "4 × 2048",
    ]);
    expect(result.unusable.map(({ reason }) => reason)).toEqual(["layers were moved to host memory"]);
    expect(result.knee).toMatchObject({
      best: { configuration: { slots: 4, contextTokensPerSlot: 1024, kvTypeK: "q8_0" } },
    });
  });

  it("ends in fields that a preset takes as they are", async () => {
    const { knee } = await searchCapacity({
      axes,
      common: { kvTypeK: "q8_0", kvTypeV: "q8_0", unifiedKv: false },
      need: { kind: "context" },
      fits: () => true,
      evaluate: saturating,
    });
    if (knee.kind === "none") throw new Error(knee.reason);
    const preset = presetSchema.parse({
      name: "knee",
      engine: "llama-server",
      model: "model.gguf",
      ...knee.best.configuration,
    });
    expect(preset).toMatchObject({ slots: 4, contextTokensPerSlot: 4096, kvTypeV: "q8_0", unifiedKv: false });
  });

  it("tries a configuration once for any number of needs, and again only after it threw", async () => {
    let calls = 0;
    const evaluate = cachedEvaluations((configuration) => {
      calls++;
      if (calls === 1) throw new Error("the port was taken");
      return saturating(configuration);
    });
    const one = { slots: 1, contextTokensPerSlot: 1024 };
    await expect(evaluate(one)).rejects.toThrow("the port was taken");
    const [first, second] = await Promise.all([evaluate(one), evaluate({ ...one })]);
    expect(first).toBe(second);
    expect(calls).toBe(2);
  });
});
