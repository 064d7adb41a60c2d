import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sampleRequest } from "../../../test/fakes/sample-records.ts";
import type { SimulatedCell, SimulatedServer } from "../../../test/fakes/simulated-run.ts";
import { simulatedRun } from "../../../test/fakes/simulated-run.ts";
import { findGpu } from "../../hardware/gpu-catalogue.ts";
import { DEFAULT_MODEL_SHAPE } from "../model-shape.ts";
import type { ModelShape } from "../model-shape.ts";
import type { DeviceShape, KernelEfficiency } from "../step-time.ts";
import { VLLM_KERNELS, stepNs } from "../step-time.ts";
import type { CalibrationOptions } from "./calibrate.ts";
import { calibrate, calibratedTime } from "./calibrate.ts";
import type { Calibration } from "./calibration.ts";
import { parseCalibration } from "./calibration.ts";

const device = findGpu("rtx-4090") as DeviceShape;
const model = DEFAULT_MODEL_SHAPE;

const TRUTH: KernelEfficiency = {
  name: "truth",
  weights: 0.62,
  kv: 0.48,
  compute: 0.55,
  attention: 0.3,
  stepOverheadNs: VLLM_KERNELS.stepOverheadNs,
  sequenceNs: 140_000,
};

/** Everything of which calibration knows nothing: another engine's constants, and no cost per sequence or batch. */
const PRIOR: KernelEfficiency = {
  name: "another-engine",
  weights: VLLM_KERNELS.weights,
  kv: VLLM_KERNELS.kv,
  compute: VLLM_KERNELS.compute,
  attention: VLLM_KERNELS.attention,
  stepOverheadNs: VLLM_KERNELS.stepOverheadNs,
  mixed: 1,
};

const LADDER: readonly SimulatedCell[] = [1, 2, 4, 8].flatMap((agents) =>
  [500, 4000, 12_000].map((promptTokens) => ({ agents, promptTokens, outputTokens: 300, promptStep: 37 })),
);

function serverOf(
  kernels: KernelEfficiency,
  over: Partial<SimulatedServer> & { readonly shape?: ModelShape } = {},
): SimulatedServer {
  return {
    time: { model: over.shape ?? model, device, efficiency: kernels },
    slots: 8,
    contextTokens: 16_384,
    batchTokens: 2048,
    durationMs: 60_000,
    ...over,
  };
}

function optionsOf(over: Partial<CalibrationOptions> = {}): CalibrationOptions {
  return {
    key: { machine: "this", model: "sample-7b", engine: "simulated" },
    time: { model, device },
    prior: PRIOR,
    batchTokens: 2048,
    ...over,
  };
}

function calibrationOf(
  runs: readonly ReturnType<typeof simulatedRun>[],
  over: Partial<CalibrationOptions> = {},
): Calibration {
  const result = calibrate(runs, optionsOf(over));
  if (result.kind !== "calibrated") throw new Error("something was observed");
  return result.calibration;
}

function reasonOf({ origins }: Calibration, parameter: keyof Calibration["origins"]): string | undefined {
  const origin = origins[parameter];
  return origin.kind === "prior" ? origin.reason : undefined;
}

describe("calibration against a simulated truth", () => {
  it("finds the constants of a server from its requests alone", () => {
    const { kernels, origins } = calibrationOf([simulatedRun(serverOf(TRUTH), LADDER)]);
    for (const name of ["weights", "kv", "compute", "attention"] as const) {
      expect(Math.abs(kernels[name] / TRUTH[name] - 1), name).toBeLessThan(0.02);
      expect(origins[name].kind).toBe("fitted");
    }
    expect(Math.abs((kernels.sequenceNs ?? 0) / 140_000 - 1)).toBeLessThan(0.1);
  });

  it("predicts decode steps it has not seen, inside of what it has, whatever the truth is", () => {
    const efficiency = fc.double({ min: 0.2, max: 0.95, noNaN: true });
    const anyTruth = fc.record({
      name: fc.constant("truth"),
      weights: efficiency,
      kv: efficiency,
      compute: efficiency,
      attention: efficiency,
      stepOverheadNs: fc.integer({ min: 0, max: 1_000_000 }),
      sequenceNs: fc.integer({ min: 0, max: 300_000 }),
    });
    fc.assert(
      fc.property(anyTruth, (truth) => {
        const calibration = calibrationOf([simulatedRun(serverOf(truth), LADDER)]);
        for (const [sequences, contextTokens] of [
          [1, 2000],
          [3, 6000],
          [6, 1500],
        ] as const) {
          const asked = { sequences, contextTokens };
          const answer = calibratedTime(calibration, { model, device }, asked);
          if (answer.kind !== "time") throw new Error(answer.message);
          const work = {
            decodeSequences: sequences,
            decodeContextTokens: sequences * contextTokens,
            prefills: [],
          };
          const trueNs = stepNs({ model, device, efficiency: truth }, work);
          expect(Math.abs(stepNs(answer.time, work) / trueNs - 1)).toBeLessThan(0.03);
        }
      }),
      { numRuns: 6 },
    );
  }, 60_000);

  it("sees an answer's noise through: 5 % from step to step moves a constant by far less", () => {
    const run = simulatedRun(serverOf(TRUTH, { jitter: 0.05, repeats: 2 }), LADDER);
    const { kernels, leaveOneOut } = calibrationOf([run]);
    expect(Math.abs(kernels.kv / TRUTH.kv - 1)).toBeLessThan(0.05);
    if (leaveOneOut.kind !== "done") throw new Error("twelve cells are enough");
    expect(leaveOneOut.by).toBe("cell");
    expect(leaveOneOut.groups).toHaveLength(12);
    for (const { within, errorPct, group } of leaveOneOut.groups)
      if (within) expect(Math.abs(errorPct), group).toBeLessThan(5);
  }, 60_000);

  it("is hardly moved by requests that something else slowed down", () => {
    const run = simulatedRun(serverOf(TRUTH), LADDER);
    const slowed = run.requests.map((request, index) =>
      index % 10 === 3
        ? {
            ...request,
            stamps: {
              ...request.stamps,
              lastTokenNs: request.stamps.endNs + request.stamps.endNs - (request.stamps.firstTokenNs ?? 0),
            },
          }
        : request,
    );
    const disturbed = {
      ...run,
      eachRequest: (visit: Parameters<typeof run.eachRequest>[0]) => {
        for (const request of slowed) visit(request, "finished");
      },
    };
    const { kernels } = calibrationOf([disturbed]);
    expect(Math.abs(kernels.weights / TRUTH.weights - 1)).toBeLessThan(0.05);
  });
});

describe("what cannot be told", () => {
  it("is the cost of batches, from agents that were alone, and it says so", () => {
    const alone = calibrationOf([
      simulatedRun(
        serverOf(TRUTH),
        LADDER.filter(({ agents }) => agents === 1),
      ),
    ]);
    expect(reasonOf(alone, "sequenceNs")).toBe("every answer ran in a batch of 1");
    expect(reasonOf(alone, "mixed")).toBe("no prompt ran beside an answer");
    expect(alone.kernels.sequenceNs).toBe(PRIOR.sequenceNs);
    expect(alone.origins.kv.kind).toBe("fitted");
  });

  it("is the cache, from prompts of one length", () => {
    const short = LADDER.filter(({ promptTokens, agents }) => promptTokens === 12_000 && agents === 1);
    const one = calibrationOf([simulatedRun(serverOf(TRUTH), short)]);
    expect(reasonOf(one, "kv")).toMatch(
      /^the cache that a step reads hardly varies: from 12\d{3} to 12\d{3} tokens$/,
    );
  });

  it("is a fixed cost beside the weights of a dense model, but not of a mixture of experts", () => {
    const shape: ModelShape = { ...model, experts: { count: 32, usedPerToken: 2, weightBytes: 4e9 } };
    const truth = { ...TRUTH, stepOverheadNs: 2_000_000, sequenceNs: 0 };
    const dense = calibrationOf([simulatedRun(serverOf(truth), LADDER)]);
    expect(reasonOf(dense, "stepOverheadNs")).toContain("a dense model reads the same weights in every step");
    const experts = calibrationOf([simulatedRun(serverOf(truth, { shape }), LADDER)], {
      time: { model: shape, device },
      prior: { ...PRIOR, sequenceNs: 0 },
    });
    expect(reasonOf(experts, "stepOverheadNs") ?? "fitted").not.toContain("dense");
  });

  it("is allocated context, until servers with different amounts of it were measured", () => {
    const truth = { ...TRUTH, allocatedNsPerToken: 40 };
    const run = (contextTokens: number): ReturnType<typeof simulatedRun> => {
      const time = { model, device, efficiency: truth, allocatedTokens: 8 * contextTokens };
      return simulatedRun({ ...serverOf(truth), time, contextTokens }, LADDER);
    };
    const one = calibrationOf([run(16_384)]);
    expect(reasonOf(one, "allocatedNsPerToken")).toBe("every server had as much context allocated");
    expect(one.kernels.allocatedNsPerToken).toBeUndefined();
    const both = calibrationOf([run(16_384), run(65_536)]);
    expect((both.kernels.allocatedNsPerToken ?? 0) / 40).toBeCloseTo(1, 1);
  }, 60_000);

  it("is everything, from runs of another model", () => {
    const key = { machine: "this", model: "another", engine: "simulated" };
    expect(calibrate([simulatedRun(serverOf(TRUTH), LADDER.slice(0, 1))], optionsOf({ key }))).toEqual({
      kind: "nothing-observed",
      leftOut: {},
    });
  });

  it("is what ran beside a request without counts", () => {
    const run = simulatedRun(serverOf(TRUTH), [{ agents: 1, promptTokens: 500, outputTokens: 300 }]);
    const [first] = run.requests;
    if (first === undefined) throw new Error("a request was recorded");
    const hidden = sampleRequest({ ...first, agent: "b", tokens: {} });
    const source = {
      ...run,
      eachRequest: (visit: Parameters<typeof run.eachRequest>[0]) => {
        visit(first, "finished");
        visit(hidden, "finished");
      },
    };
    expect(calibrate([source], optionsOf())).toEqual({
      kind: "nothing-observed",
      leftOut: { "unknown-neighbour": 2 },
    });
  });
});

describe("a calibration", () => {
  const calibration = calibrationOf([
    simulatedRun(serverOf(TRUTH), [
      { agents: 1, promptTokens: 12_000, outputTokens: 300 },
      { agents: 4, promptTokens: 500, outputTokens: 300, promptStep: 37 },
    ]),
  ]);
  const ask = (sequences: number, contextTokens: number): string => {
    const answer = calibratedTime(calibration, { model, device }, { sequences, contextTokens });
    return answer.kind === "time" ? "time" : answer.axis;
  };

  it("says nothing beyond the batch, the context, or both at once, that it was made from", () => {
    expect(ask(4, 700)).toBe("time");
    expect(ask(1, 12_000)).toBe("time");
    expect(ask(5, 700)).toBe("batch");
    expect(ask(1, 13_000)).toBe("context");
    expect(ask(4, 12_000)).toBe("cache");
    const beyond = calibratedTime(calibration, { model, device }, { sequences: 5, contextTokens: 700 });
    expect(beyond).toMatchObject({
      asked: 5,
      calibrated: 4,
      message:
        "nothing is predicted for 5 sequences at once: the calibration reaches 4; measure with more agents and calibrate again",
    });
  });

  it("has no held-out error to show from two cells of one trial each, and says how many it needs", () => {
    expect(calibration.leaveOneOut).toEqual({ kind: "too-few", needed: 3 });
  });

  it("is labelled as simulated when its runs were", () => {
    expect(calibration.simulated).toBe(true);
  });

  it("comes back from JSON as it went, and is refused when it was damaged or is of another version", () => {
    const stored: unknown = JSON.parse(JSON.stringify(calibration));
    expect(parseCalibration(stored, "c.json")).toEqual(calibration);
    for (const damaged of [{ ...calibration, version: 2 }, { ...calibration, kernels: {} }, null, "x"])
      expect(() => parseCalibration(damaged, "c.json")).toThrow(
        expect.objectContaining({ code: "CALIBRATION_INVALID" }),
      );
  });
});
