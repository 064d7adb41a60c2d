/**
 * A device whose times can be worked out on paper: a step takes 1 ms per token it computes, and 10 ms
 * at least. Context costs nothing.
 */
import type { SlotEngineOptions } from "../../src/predict/simulate/slot-engine-options.ts";
import type { StepTimeModel } from "../../src/predict/step-time.ts";

export const PAPER_TIME: StepTimeModel = {
  model: {
    name: "paper",
    family: "paper",
    parameterLabel: "0",
    quantization: "none",
    weightBytes: 10,
    layerParameters: 0.5,
    layers: 1,
    queryHeads: 1,
    kvHeads: 1,
    headDimension: 0,
    kvBytesPerElement: 0,
    trainedContextTokens: 1000,
  },
  device: { name: "paper", memoryBytes: 1000, bandwidthBytesPerS: 1000, computeFlopPerS: 1000 },
  efficiency: { name: "ideal", weights: 1, kv: 1, compute: 1, attention: 1, stepOverheadNs: 0 },
};

export const PAPER_ENGINE: SlotEngineOptions = {
  time: PAPER_TIME,
  mode: "continuous",
  slots: 4,
  batchTokens: 1000,
  defaults: { contextTokens: 1000, gpuLayers: 2 },
  loadNs: 0,
  jitter: 0,
  speed: 1,
  seed: 1,
};
