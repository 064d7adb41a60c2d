import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MadeTrial } from "../../../test/fakes/recorded-run.ts";
import { madeEndpoint, madeRun } from "../../../test/fakes/recorded-run.ts";
import { randomStream } from "../../core/random.ts";
import type { RunManifest } from "../../record/run-manifest.ts";
import { analyseRun } from "../analyse-run.ts";
import type { FittedLaw } from "./fit-laws.ts";
import { fitLaw } from "./fit-laws.ts";
import type { LadderLevel } from "./ladder.ts";
import { LAWS } from "./laws.ts";
import type { LadderScaling } from "./scaling.ts";
import { scalingOf } from "./scaling.ts";

/** Aggregate throughput over a wall of one request each: N agents of 100 tokens in N·100/X seconds. */
function together(agents: number, tokS: number, repeat: number, cell = `quick N=${agents}`): MadeTrial {
  const wallMs = (agents * 100 * 1000) / tokS;
  const request = { ttftMs: wallMs / 10, tokens: 100, decodeMs: wallMs * 0.9 };
  return {
    kind: "together",
    repeat,
    cell,
    agents: Object.fromEntries(Array.from({ length: agents }, (_, index) => [`agent-${index}`, [request]])),
    record: { parameters: { agents } },
  };
}

interface LadderSpec {
  readonly counts: readonly number[];
  readonly tokS: (agents: number) => number;
  readonly runs?: number;
  /** Deviation of a trial as a share of its throughput. */
  readonly noise?: number;
  readonly seed?: number;
  readonly manifest?: Partial<RunManifest>;
}

function ladder({ counts, tokS, runs = 3, noise = 0, seed = 1, manifest }: LadderSpec): LadderScaling {
  const random = randomStream(seed, "noise");
  const trials = counts.flatMap((agents) =>
    Array.from({ length: runs }, (_, repeat) =>
      together(agents, tokS(agents) * (1 + noise * random.normal()), repeat),
    ),
  );
  const [only, ...others] = scalingOf(analyseRun(madeRun(trials, { seed, ...manifest }), { chunks: false }));
  if (only === undefined || others.length > 0) throw new Error("one ladder was made");
  return only;
}

function lawOf(scaling: LadderScaling, name: FittedLaw["law"]): FittedLaw {
  const law = scaling.laws.find((one) => one.law === name);
  if (law === undefined) throw new Error(`${name} was not fitted`);
  return law;
}

const LEVEL: Omit<LadderLevel, "agents" | "tokS"> = {
  label: "made",
  basis: "together",
  retention: undefined,
  equalShare: undefined,
  idealSharedGain: undefined,
  idealOneAtATimeGain: undefined,
};

const usl = (sigma: number, kappa: number) => (agents: number) =>
  LAWS.usl.throughput(agents, [100, sigma, kappa]);

describe("a ladder of agents", () => {
  it("recovers σ, κ and N* of a ladder that was made from them", () => {
    const scaling = ladder({ counts: [1, 2, 4, 8, 16], tokS: usl(0.08, 0.004), noise: 0.005, runs: 5 });
    const fit = lawOf(scaling, "usl");
    const [sigma, kappa] = fit.parameters;
    expect(sigma?.value).toBeCloseTo(0.08, 1);
    expect(kappa?.value).toBeCloseTo(0.004, 3);
    expect(kappa?.spansZero).toBe(false);
    // √((1 − 0.08) ÷ 0.004) = 15.17
    expect(fit.peakAgents?.value).toBeGreaterThan(14);
    expect(fit.peakAgents?.value).toBeLessThan(16.5);
    expect(scaling.choice).toEqual({ kind: "supported", laws: ["usl"] });
  });

  it("recovers them exactly where no trial varies, whatever they are", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 0.6, noNaN: true }),
        fc.double({ min: 1e-4, max: 0.05, noNaN: true }),
        (sigma, kappa) => {
          const [first, second] = lawOf(
            ladder({ counts: [1, 2, 4, 8, 12], tokS: usl(sigma, kappa), runs: 1 }),
            "usl",
          ).parameters;
          expect(first?.value).toBeCloseTo(sigma, 5);
          expect(second?.value).toBeCloseTo(kappa, 5);
        },
      ),
      { numRuns: 25 },
    );
  });

  it("has intervals that hold the truth about as often as they say", () => {
    const intervals = Array.from({ length: 24 }, (_, seed) => {
      const random = randomStream(seed, "noise");
      const levels = [1, 2, 4, 8, 16].map(
        (agents): LadderLevel => ({
          ...LEVEL,
          agents,
          tokS: Array.from({ length: 6 }, () => usl(0.1, 0.003)(agents) * (1 + 0.01 * random.normal())),
        }),
      );
      return fitLaw("usl", { levels, slots: undefined }, seed)?.parameters[0]?.interval;
    });
    const held = intervals.filter(
      (interval) => interval !== undefined && interval.low <= 0.1 && 0.1 <= interval.high,
    );
    // A bootstrap of six trials a level covers less than the 95 % it aims at; three in four is what may not be missed.
    expect(held.length).toBeGreaterThanOrEqual(18);
  });

  it("tells Amdahl's curve from the USL, and marks the κ that it does not show", () => {
    const scaling = ladder({
      counts: [1, 2, 4, 8, 16],
      tokS: (agents) => LAWS.amdahl.throughput(agents, [80, 0.12]),
      noise: 0.01,
      runs: 5,
    });
    expect(scaling.choice).toMatchObject({ kind: "supported" });
    expect(scaling.choice.kind === "supported" && scaling.choice.laws[0]).toBe("amdahl");
    expect(lawOf(scaling, "usl").parameters[1]?.spansZero).toBe(true);
    const serial = lawOf(scaling, "amdahl").parameters[0];
    expect(serial?.value).toBeCloseTo(0.12, 1);
    // (1 − 0.12) ÷ 0.12 = 7.33
    expect(scaling.measuredKneeAgents).toBeGreaterThan(6.5);
    expect(scaling.measuredKneeAgents).toBeLessThan(8.3);
  });

  it("knows a device that one agent fills, and one that takes every agent for free", () => {
    const flat = ladder({ counts: [1, 2, 4, 8], tokS: () => 120, noise: 0.01, runs: 4 });
    expect(flat.choice.kind === "supported" && flat.choice.laws[0]).toBe("saturated");
    const free = ladder({ counts: [1, 2, 4, 8], tokS: (agents) => 30 * agents, noise: 0.01, runs: 4 });
    expect(free.choice.kind === "supported" && free.choice.laws[0]).toBe("linear");
  });

  it("takes a queue for slots as what it is, and not for a peak", () => {
    // Four slots on one server: Amdahl with s = 0.05 up to four agents, and the same for eight and sixteen.
    const slots = (agents: number): number => {
      const decoding = Math.min(agents, 4);
      return (100 * decoding) / (1 + 0.05 * (decoding - 1));
    };
    const endpoints = ["a", "b"].map((name) => madeEndpoint(name, { url: "http://127.0.0.1:1", slots: 4 }));
    const spec = { counts: [1, 2, 4, 8, 16], tokS: slots, noise: 0.005, runs: 4 };
    const told = ladder({ ...spec, manifest: { endpoints } });
    expect(told.choice).toEqual({ kind: "supported", laws: ["slots"] });
    expect(lawOf(told, "slots").parameters[0]?.value).toBeCloseTo(0.05, 1);
    // A server that does not say how many it has leaves no law that fits.
    expect(ladder(spec).choice.kind).toBe("none");
  });

  it("says that no law fits a staircase", () => {
    // Four slots, and a penalty of a half as soon as more than four agents queue for them.
    const scaling = ladder({
      counts: [1, 2, 4, 6, 8],
      tokS: (agents) => (agents <= 4 ? 50 * agents : 60),
      noise: 0.002,
      runs: 4,
    });
    expect(scaling.choice.kind).toBe("none");
  });

  it("gives figures but no law under four levels, and says what is needed", () => {
    const scaling = ladder({ counts: [1, 2, 4], tokS: usl(0.1, 0.01) });
    expect(scaling.choice).toEqual({ kind: "too-few-levels", levels: 3, needed: 4 });
    expect(scaling.laws).toEqual([]);
    expect(scaling.levels.map((level) => level.agents)).toEqual([1, 2, 4]);
  });

  it("does not choose between laws on four trials", () => {
    const scaling = ladder({ counts: [1, 2, 4, 8], tokS: usl(0.1, 0.01), noise: 0.02, runs: 1 });
    expect(scaling.choice).toEqual({ kind: "too-few-trials", trials: 4, needed: 6 });
    expect(lawOf(scaling, "usl").parameters[0]?.interval).toBeUndefined();
  });

  it("shows gain and Karp and Flatt's share at each level", () => {
    const scaling = ladder({
      counts: [1, 2, 4, 8],
      tokS: (agents) => LAWS.amdahl.throughput(agents, [50, 0.25]),
    });
    // 4 ÷ (1 + 0.25 · 3) = 2.2857; the share is 0.25 at every level of Amdahl's curve.
    expect(scaling.levels[2]?.gain).toBeCloseTo(16 / 7, 6);
    expect(scaling.levels.map((level) => level.karpFlatt?.value)).toEqual([
      undefined,
      expect.closeTo(0.25, 6),
      expect.closeTo(0.25, 6),
      expect.closeTo(0.25, 6),
    ]);
    // (8 − 2.909) ÷ 7
    expect(scaling.levels[3]?.gustafsonShare).toBeCloseTo((8 - 32 / 11) / 7, 6);
  });

  it("works the knee out from the model's sizes, and says why where it cannot", () => {
    const counts = [1, 2, 4, 8];
    const known = ladder({
      counts,
      tokS: usl(0.1, 0.01),
      manifest: { endpoints: ["a", "b"].map((name) => madeEndpoint(name, { model: "llama-8b-q4" })) },
    });
    // 4.62e9 bytes of weights; 2·32·8·128·2 = 131,072 bytes a token; 200 + 100/2 tokens.
    expect(known.knee).toMatchObject({ kind: "known", contextTokens: 250 });
    expect(known.knee.kind === "known" && known.knee.agents).toBeCloseTo(4.62e9 / (131_072 * 250), 6);
    const foreign = ladder({
      counts,
      tokS: usl(0.1, 0.01),
      manifest: { endpoints: ["a", "b"].map((name) => madeEndpoint(name, { model: "secret" })) },
    });
    expect(foreign.knee).toEqual({ kind: "unknown", reason: "the sizes of secret are not known" });
  });

  it("takes one agent's level from the solo trials where the ladder begins higher", () => {
    const request = { ttftMs: 100, tokens: 100, decodeMs: 900 };
    const solo: MadeTrial = {
      kind: "solo",
      cell: "quick N=2",
      agents: { "agent-0": [request] },
      record: { soloFor: ["agent-0", "agent-1"], parameters: { agents: 2 } },
    };
    const trials = [solo, together(2, 150, 0), together(4, 200, 0)];
    const [scaling] = scalingOf(analyseRun(madeRun(trials), { chunks: false }));
    expect(scaling?.levels[0]).toMatchObject({ agents: 1, basis: "solo", tokS: { mean: 100 } });
    expect(scaling?.levels[1]?.gain).toBeCloseTo(1.5, 9);
  });

  it("is not made of cells that differ in anything else", () => {
    const cell = (agents: number, label: string): MadeTrial => together(agents, 100, 0, label);
    const run = madeRun([cell(1, "a N=1"), cell(1, "b N=1")]);
    expect(scalingOf(analyseRun(run, { chunks: false }))).toEqual([]);
    const named = madeRun([cell(1, "one"), cell(2, "two")]);
    expect(scalingOf(analyseRun(named, { chunks: false }))).toHaveLength(1);
  });
});
