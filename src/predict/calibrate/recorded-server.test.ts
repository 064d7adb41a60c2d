/**
 * A real llama-server on a processor: prompts of 128, 768 and 1,536 tokens, one to four agents at
 * once. The machine was shared, and repeats of a cell differed by up to half; the quietest of four is
 * kept of each, so that the model is tested and not the neighbours.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { sampleManifest, sampleRequest, sampleTrial } from "../../../test/fakes/sample-records.ts";
import { DEFAULT_MODEL_SHAPE } from "../model-shape.ts";
import { ASSUMED_HOST, LLAMA_CPP_KERNELS } from "../step-time.ts";
import type { CalibrationSource } from "./calibrate.ts";
import { calibrate } from "./calibrate.ts";
import type { Calibration } from "./calibration.ts";
import { expectedErrorPct } from "./leave-one-out.ts";

const stamp = z.number();
const recordingSchema = z.object({
  model: z.object({
    weightBytes: z.number(),
    layerParameters: z.number(),
    layers: z.number(),
    queryHeads: z.number(),
    kvHeads: z.number(),
    headDimension: z.number(),
    kvBytesPerElement: z.number(),
  }),
  slots: z.number(),
  contextTokens: z.number(),
  trials: z.array(z.object({ trialId: z.string(), cell: z.string() })),
  requests: z.array(
    z.object({
      trialId: z.string(),
      agent: z.string(),
      position: z.number(),
      stamps: z.object({
        scheduledNs: stamp,
        sentNs: stamp,
        firstTokenNs: stamp,
        lastTokenNs: stamp,
        endNs: stamp,
      }),
      tokens: z.object({
        input: z.number(),
        cached: z.number(),
        output: z.number(),
        outputSource: z.literal("engine"),
      }),
      split: z.object({ prefillMs: z.number(), decodeMs: z.number() }),
    }),
  ),
});

const path = new URL("../../../test/fixtures/calibrate/llama-server-cpu.json", import.meta.url);
const recording = recordingSchema.parse(JSON.parse(readFileSync(path, "utf8")));

function source(): CalibrationSource {
  const { slots, contextTokens } = recording;
  const server = {
    name: "a",
    url: "http://127.0.0.1:1",
    engine: "llama-server",
    simulated: false,
    settings: {},
  };
  return {
    manifest: sampleManifest({ endpoints: [{ ...server, slots, contextTokens }] }),
    trials: recording.trials.map((trial) => sampleTrial(trial)),
    eachRequest: (visit) => {
      for (const request of recording.requests)
        visit(sampleRequest({ ...request, engine: "llama-server", simulated: false }), "finished");
    },
  };
}

function calibrated(): Calibration {
  const result = calibrate([source()], {
    key: { machine: "recorded", model: "sample-7b", engine: "llama-server" },
    time: {
      model: { ...DEFAULT_MODEL_SHAPE, ...recording.model },
      device: { name: "processor", memoryBytes: 24e9, ...ASSUMED_HOST },
      gpuLayers: 0,
    },
    prior: LLAMA_CPP_KERNELS,
    batchTokens: 2048,
  });
  if (result.kind !== "calibrated") throw new Error("the recording was made to be calibrated on");
  return result.calibration;
}

describe("a real llama-server on a processor", () => {
  const calibration = calibrated();

  it("has each cell predicted from the others within 20 %, and within 6.5 % on average", () => {
    const { leaveOneOut } = calibration;
    if (leaveOneOut.kind !== "done") throw new Error("twelve cells are enough");
    const errors = leaveOneOut.groups.map(({ errorPct }) => Math.abs(errorPct));
    expect(errors).toHaveLength(12);
    expect(Math.max(...errors)).toBeLessThan(20);
    // The mean of the eleven that lie within the others, from the page on accuracy: 71.7 ÷ 11.
    expect(expectedErrorPct(leaveOneOut)).toBeCloseTo(6.5, 1);
  });

  it("shows the switch of kernels that the records show: 6.5 ms a token alone, 12.6 ms for two", () => {
    expect(calibration.origins.batchedNs.kind).toBe("fitted");
    expect(calibration.kernels.batchedNs).toBeGreaterThan(3_000_000);
    expect(calibration.kernels.batchedNs).toBeLessThan(7_000_000);
  });

  it("knows the one cell that lies beyond all others, though it comes out well", () => {
    const { leaveOneOut } = calibration;
    if (leaveOneOut.kind !== "done") throw new Error("twelve cells are enough");
    const beyond = leaveOneOut.groups.filter(({ within }) => !within);
    expect(beyond.map(({ group }) => group)).toEqual(["calibration promptTokens=1536 N=4"]);
  });
});
