/**
 * Study 003's rates on one RTX 4090. Two constants, the reading of weights and the cost of each
 * sequence, are fitted to the per-call rates of rows 01 and 03; the other rows are predicted. Of the
 * model the study says "26 B, 4 B active"; its experts, 128 of which 8 are used, and its windows are
 * assumed to be those of the published configuration, the weights to be spread evenly over parameters.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readYamlFile } from "../../core/yaml.ts";
import { findGpu } from "../../hardware/gpu-catalogue.ts";
import { roleSchema } from "../../workload/role.ts";
import type { Role } from "../../workload/role.ts";
import type { ModelShape } from "../model-shape.ts";
import { simulateWorkload } from "../simulate/simulate-workload.ts";
import type { SimulatedTurn } from "../simulate/simulate-workload.ts";
import type { DeviceShape, KernelEfficiency } from "../step-time.ts";
import { LLAMA_CPP_KERNELS } from "../step-time.ts";
import { fitKernelsToRates } from "./fit-rates.ts";

const PARAMETERS = 25.8e9;
const EXPERT_PARAMETERS = 128 * 3 * 704 * 2816 * 30;
const EMBEDDING_PARAMETERS = 262_144 * 2816;
const WEIGHT_BYTES = 12.97 * 2 ** 30;
/** Key and value elements of one token in the 25 windowed layers and the 5 others. */
const WINDOWED_ELEMENTS = 25 * 8 * 256 * 2;
const FULL_ELEMENTS = 5 * 2 * 512 * 2;
const HEAD_DIMENSION = (25 * 256 + 5 * 512) / 30;

const model: ModelShape = {
  name: "gemma4-26b-a4b",
  family: "gemma4",
  parameterLabel: "26B",
  quantization: "Q4",
  weightBytes: WEIGHT_BYTES,
  layerParameters: PARAMETERS - EMBEDDING_PARAMETERS - EXPERT_PARAMETERS * (1 - 8 / 128),
  experts: {
    count: 128,
    usedPerToken: 8,
    weightBytes: (WEIGHT_BYTES * EXPERT_PARAMETERS) / PARAMETERS,
  },
  slidingWindow: {
    windowTokens: 1024,
    layers: (30 * WINDOWED_ELEMENTS) / (WINDOWED_ELEMENTS + FULL_ELEMENTS),
  },
  layers: 30,
  queryHeads: 16,
  kvHeads: (WINDOWED_ELEMENTS + FULL_ELEMENTS) / (2 * 30 * HEAD_DIMENSION),
  headDimension: HEAD_DIMENSION,
  kvBytesPerElement: 34 / 32,
  trainedContextTokens: 262_144,
};

const device = findGpu("rtx-4090") as DeviceShape;

const studySchema = z.object({
  duration_s: z.number(),
  phase2: z.array(
    z.object({
      id: z.string(),
      slots: z.number(),
      slot_ctx: z.number(),
      agents: z.array(z.string()),
      aggregate_tps: z.number(),
      per_call_tps: z.number(),
    }),
  ),
});

const root = new URL("../../../", import.meta.url);
const study = studySchema.parse(
  JSON.parse(readFileSync(new URL("test/fixtures/golden/capacity-spike.json", root), "utf8")),
);
type Row = (typeof study.phase2)[number];

const FILES = { TL: "tl", Dev: "dev", QA: "qa", Research: "research", ToolStorm: "tool-storm" };

function roleOf(name: string): Role {
  const file = FILES[name as keyof typeof FILES];
  const role = readYamlFile(roleSchema, new URL(`roles/${file}.yaml`, root).pathname);
  // 75.6 tok/s × 600 s over 1,052 turns: the model stops by itself long before the limit of 500.
  return name === "ToolStorm" ? { ...role, meanOutputTokens: 43 } : role;
}

function rowOf(id: string): Row {
  const row = study.phase2.find((one) => one.id === id);
  if (row === undefined) throw new Error(`the study has a row ${id}`);
  return row;
}

function turnsOf(
  { slots, slot_ctx: contextTokens, agents }: Row,
  efficiency: KernelEfficiency,
): SimulatedTurn[] {
  const turns: SimulatedTurn[] = [];
  const server = {
    time: { model, device, efficiency },
    mode: "continuous" as const,
    slots,
    batchTokens: 2048,
    defaults: { contextTokens, gpuLayers: 99 },
    loadNs: 0,
    jitter: 0,
    speed: 1,
    seed: 1,
  };
  simulateWorkload(
    {
      servers: [server],
      agents: agents.map((name, index) => ({ name: `${name}${index}`, role: roleOf(name), server: 0 })),
      durationNs: study.duration_s * 1e9,
    },
    (turn) => turns.push(turn),
  );
  return turns;
}

function perCallTokensPerS(row: Row, kernels: KernelEfficiency): number {
  const rates = turnsOf(row, kernels)
    .filter(({ outcome }) => outcome === "done")
    .map(({ outputTokens, endNs, submittedNs }) => (outputTokens * 1e9) / (endNs - submittedNs));
  return rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
}

function aggregateTokensPerS(row: Row, kernels: KernelEfficiency): number {
  return turnsOf(row, kernels).reduce((sum, turn) => sum + turn.outputTokens, 0) / study.duration_s;
}

describe("study 003's rates, from two of them", () => {
  const targets = ["01", "03"].map((id) => ({
    tokensPerS: rowOf(id).per_call_tps,
    simulate: (kernels: KernelEfficiency) => perCallTokensPerS(rowOf(id), kernels),
  }));
  const fitted = fitKernelsToRates(targets, ["weights", "sequenceNs"], { model, device }, LLAMA_CPP_KERNELS);
  const kernels = fitted ?? LLAMA_CPP_KERNELS;
  const off = (id: string): number => aggregateTokensPerS(rowOf(id), kernels) / rowOf(id).aggregate_tps - 1;

  it("has both per-call rates met by constants that a kernel can have", () => {
    expect(fitted).toBeDefined();
    for (const { simulate, tokensPerS } of targets) expect(simulate(kernels) / tokensPerS).toBeCloseTo(1, 2);
    expect(kernels.weights).toBeGreaterThan(0.3);
    expect(kernels.weights).toBeLessThan(0.7);
  });

  it("has the aggregate rates of rows 02, 04, 05 and 09 within 20 %", () => {
    for (const id of ["02", "04", "05", "09"]) expect(Math.abs(off(id)), id).toBeLessThan(0.2);
  });

  it("has every pair of those that is more than 10 % apart in the right order", () => {
    const rows = ["02", "03", "04", "05", "09"].map(rowOf);
    for (const one of rows)
      for (const other of rows)
        if (one.aggregate_tps > 1.1 * other.aggregate_tps)
          expect(aggregateTokensPerS(one, kernels)).toBeGreaterThan(aggregateTokensPerS(other, kernels));
  });

  it("does not reach row 06: how fast the server reads 800 new tokens is in neither of the two rates", () => {
    expect(off("06")).toBeGreaterThan(0.5);
    // A rate of prompts at which row 06 would come out, a sixth of the prior's, hardly moves the others.
    const slowPrompts = { ...kernels, compute: 0.11 };
    expect(
      Math.abs(aggregateTokensPerS(rowOf("06"), slowPrompts) / rowOf("06").aggregate_tps - 1),
    ).toBeLessThan(0.15);
  });
});
