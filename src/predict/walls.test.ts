import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BYTES_PER_MIB } from "../core/units.ts";
import { findGpu } from "../hardware/gpu-catalogue.ts";
import { findModelShape } from "./model-shape.ts";
import type { ModelShape } from "./model-shape.ts";
import { VLLM_KERNELS, stepNs } from "./step-time.ts";
import type { DeviceShape, StepTimeModel } from "./step-time.ts";
import type { WallsQuestion } from "./walls.ts";
import { bandwidthKnee, wallsOf } from "./walls.ts";

const bf16 = findModelShape("llama-8b-bf16") as ModelShape;
const device = findGpu("rtx-4090") as DeviceShape;

/** 1,000 bytes of weights at 1,000 bytes/s, 1 byte of cache per token, 10 FLOP per token at 1,000 FLOP/s. */
const PAPER: StepTimeModel = {
  model: {
    ...bf16,
    weightBytes: 1000,
    layerParameters: 5,
    layers: 1,
    kvHeads: 1,
    headDimension: 1,
    kvBytesPerElement: 0.5,
  },
  device: { name: "paper", memoryBytes: 1e6, bandwidthBytesPerS: 1000, computeFlopPerS: 1000 },
  efficiency: { name: "ideal", weights: 1, kv: 1, compute: 1, attention: 1, stepOverheadNs: 0 },
};

function ask(over: Partial<WallsQuestion> = {}): WallsQuestion {
  return { time: PAPER, agents: 2, slots: 4, contextTokens: 100, ...over };
}

describe("the walls of a configuration", () => {
  it("has the published knees of an 8B on an RTX 4090: 112, 28 and 7 agents of 1k, 4k and 16k tokens", () => {
    for (const [contextTokens, agents] of [
      [1024, 112],
      [4096, 28],
      [16_384, 7],
    ] as const)
      expect(Math.round(bandwidthKnee(bf16, contextTokens) as number)).toBe(agents);
  });

  it("is worked out by hand on the paper device", () => {
    // A step of 2 agents: 1 s of weights and 2 × 100 bytes of cache. Knee 1000 ÷ 100; ridge 1 s ÷ 10 ms.
    const walls = wallsOf(ask());
    expect(walls.stepMs).toBeCloseTo(1200, 6);
    expect(walls.perAgentTokensPerS).toBeCloseTo(1 / 1.2, 9);
    expect(walls.aggregateTokensPerS).toBeCloseTo(2 / 1.2, 9);
    expect(walls.bandwidthKnee).toBeCloseTo(10, 9);
    expect(walls.asymptoteTokensPerS).toBeCloseTo(10, 6);
    expect(walls.computeRidgeTokens).toBeCloseTo(100, 6);
    expect(walls.walls.map(({ kind, agents }) => [kind, agents])).toEqual([
      ["slots", 4],
      ["bandwidth", 10],
      ["compute", 100],
    ]);
    expect(walls.next).toBeUndefined();
  });

  it("approaches the asymptote with more agents and never passes it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), (agents) => {
        const walls = wallsOf(ask({ agents, slots: agents }));
        expect(walls.aggregateTokensPerS).toBeLessThan(walls.asymptoteTokensPerS as number);
      }),
    );
  });

  it("names memory with the distance where the next slot does not fit", () => {
    const memory = {
      usedBytes: 22_000 * BYTES_PER_MIB,
      usedWithNextBytes: 23_100 * BYTES_PER_MIB,
      capacityBytes: 22_640 * BYTES_PER_MIB,
    };
    expect(wallsOf(ask({ agents: 4, memory })).next).toEqual({
      kind: "vram",
      agents: 4,
      distance: "the next slot needs 1100 MiB, 640 MiB are free",
    });
    // With room for another slot it is the slots that were asked for that stop the fifth agent.
    const roomy = { ...memory, capacityBytes: 24_000 * BYTES_PER_MIB };
    expect(wallsOf(ask({ agents: 4, memory: roomy })).next).toMatchObject({
      kind: "slots",
      distance: "all 4 slots are taken",
    });
    const short = { ...memory, capacityBytes: 21_500 * BYTES_PER_MIB };
    expect(wallsOf(ask({ memory: short })).next?.distance).toBe("4 slots need 500 MiB more than there are");
  });

  it("stops at the rate that was asked for: 0.75 tok/s leave each step 1⅓ s, of which 3 agents fit", () => {
    const walls = wallsOf(ask({ agents: 3, leastTokensPerS: 0.75 }));
    expect(walls.next).toEqual({
      kind: "service-level",
      agents: 3,
      distance: "an agent more gets 0.7 tok/s, 0.75 are wanted",
    });
  });

  it("lets agents in past the bandwidth knee, and says that they are paid for by the others", () => {
    expect(wallsOf(ask({ agents: 10, slots: 64 })).next?.kind).toBe("bandwidth");
    expect(wallsOf(ask({ agents: 100, slots: 640, contextTokens: 0 })).next?.kind).toBe("compute");
  });

  it("has no bandwidth wall without a context", () => {
    const walls = wallsOf(ask({ contextTokens: 0 }));
    expect(walls.bandwidthKnee).toBeUndefined();
    expect(walls.asymptoteTokensPerS).toBeUndefined();
  });

  it("comes later with sliding windows: 24 of 32 layers that see 1,024 of 16,384 tokens", () => {
    const windowed = { ...bf16, slidingWindow: { windowTokens: 1024, layers: 24 } };
    const expected = bf16.weightBytes / (4096 * (8 * 16_384 + 24 * 1024));
    expect(bandwidthKnee(windowed, 16_384)).toBeCloseTo(expected, 6);
  });

  it("counts the experts that so many agents choose: at the knee weights and cache are the same bytes", () => {
    const experts = { ...bf16, experts: { count: 128, usedPerToken: 8, weightBytes: 12e9 } };
    const agents = bandwidthKnee(experts, 4096) as number;
    const weights = bf16.weightBytes - 12e9 * (1 - 8 / 128) ** agents;
    expect(weights / (agents * 131_072 * 4096)).toBeCloseTo(1, 9);
    expect(agents).toBeLessThan(28);
  });

  it("agrees with the step-time model it is made of", () => {
    const time: StepTimeModel = { model: bf16, device, efficiency: VLLM_KERNELS };
    const walls = wallsOf({ time, agents: 8, slots: 8, contextTokens: 4096 });
    const ns = stepNs(time, { decodeSequences: 8, decodeContextTokens: 8 * 4096, prefills: [] });
    expect(walls.stepMs).toBeCloseTo(ns / 1e6, 9);
    // 364 tok/s were measured.
    expect(Math.abs(walls.aggregateTokensPerS / 364 - 1)).toBeLessThan(0.05);
  });
});
