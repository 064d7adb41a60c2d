/**
 * Decode steps put together from layer times that LLMServingSim measured on an RTX 4090 (Llama-3.1-8B
 * in 16 bits, vLLM's kernels): 32 × (projections, norms, attention) + embedding, last norm, head and
 * sampler. Each was measured alone; no step was timed whole.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { findGpu } from "../../hardware/gpu-catalogue.ts";
import { findModelShape } from "../model-shape.ts";
import type { ModelShape } from "../model-shape.ts";
import type { DeviceShape, KernelEfficiency } from "../step-time.ts";
import { VLLM_KERNELS } from "../step-time.ts";
import { fitKernels } from "./fit-kernels.ts";
import { leaveOneOut } from "./leave-one-out.ts";
import type { Observation } from "./observation.ts";
import { predictedNs } from "./observation.ts";

const model = findModelShape("llama-8b-bf16") as ModelShape;
const device = findGpu("rtx-4090") as DeviceShape;

const layersSchema = z.object({
  layers: z.number(),
  denseUs: z.record(z.string(), z.array(z.number())),
  perSequenceUs: z.record(z.string(), z.array(z.number())),
  sequences: z.array(z.number()),
  contextTokens: z.array(z.number()),
  attentionUs: z.array(z.array(z.number())),
});

/** Once a step, all others once a layer; each layer has two norms. */
const ONCE = new Set(["embedding", "final_layernorm"]);

function composedSteps(): Observation[] {
  const path = new URL("../../../studies/llmservingsim-decode.json", import.meta.url);
  const sample = layersSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  return sample.contextTokens.flatMap((contextTokens, row) =>
    sample.sequences.map((decodeSequences, column): Observation => {
      let us = sample.layers * ((sample.attentionUs[row] as number[])[column] as number);
      for (const [layer, times] of Object.entries(sample.denseUs)) {
        const count = ONCE.has(layer) ? 1 : sample.layers * (layer === "layernorm" ? 2 : 1);
        us += count * (times[column] as number);
      }
      for (const times of Object.values(sample.perSequenceUs)) us += times[column] as number;
      const work = { decodeSequences, decodeContextTokens: decodeSequences * contextTokens, prefills: [] };
      const group = `${decodeSequences} × ${contextTokens}`;
      const observedNs = 1000 * us;
      const pieces = [{ lastsNs: observedNs, work }];
      return { kind: "decode", cell: group, trialId: group, observedNs, tokens: 1, pieces };
    }),
  );
}

function errorsPct(observations: readonly Observation[], efficiency: KernelEfficiency): number[] {
  return observations.map(
    (one) => 100 * (predictedNs(one, { model, device, efficiency }) / one.observedNs - 1),
  );
}

function meanSize(errors: readonly number[]): number {
  return errors.reduce((sum, error) => sum + Math.abs(error), 0) / errors.length;
}

describe("21 decode steps composed from published layer times", () => {
  const steps = composedSteps();

  it("are what the publication's table shows: 60, 225 and 390 tok/s at its corners", () => {
    const rate = (sequences: number, contextTokens: number): number => {
      const step = steps.find(({ cell }) => cell === `${sequences} × ${contextTokens}`);
      return (sequences * 1e9) / (step?.observedNs ?? 0);
    };
    expect(Math.round(rate(1, 1024))).toBe(60);
    expect(Math.round(rate(8, 16_384))).toBe(225);
    // 389.4: the table was composed from the complete profile.
    expect(Math.abs(rate(64, 16_384) - 390)).toBeLessThan(1);
  });

  it("are met within 8 %, and 2.5 % on average, by the constants that ship", () => {
    const errors = errorsPct(steps, VLLM_KERNELS);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(8);
    expect(meanSize(errors)).toBeLessThan(2.5);
  });

  it("give calibration constants as good from a poor prior, and each step from the others within 8 %", () => {
    const prior: KernelEfficiency = {
      ...VLLM_KERNELS,
      name: "poor",
      weights: 0.5,
      kv: 0.5,
      sequenceNs: 0,
      mixed: 1,
    };
    const { kernels, origins } = fitKernels(steps, { model, device }, prior);
    expect(meanSize(errorsPct(steps, kernels))).toBeLessThan(2.5);
    expect([origins.weights.kind, origins.kv.kind, origins.compute.kind]).toEqual([
      "fitted",
      "fitted",
      "prior",
    ]);
    const held = leaveOneOut(steps, { model, device }, prior);
    if (held.kind !== "done") throw new Error("21 steps are enough");
    for (const { group, errorPct } of held.groups) expect(Math.abs(errorPct), group).toBeLessThan(8);
  });
});
