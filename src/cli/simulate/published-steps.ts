/**
 * Decode steps put together from layer times that LLMServingSim measured on an RTX 4090 (Llama-3.1-8B
 * in 16 bits, vLLM's kernels), and what the shipped constants say of each. Every layer was measured
 * alone; no step was timed whole.
 */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { defined } from "../../core/assert.ts";
import { readTextFile } from "../../core/file.ts";
import { NS_PER_US } from "../../core/units.ts";
import { findGpu } from "../../hardware/gpu-catalogue.ts";
import { findModelShape } from "../../predict/model-shape.ts";
import { VLLM_KERNELS, stepNs } from "../../predict/step-time.ts";

export interface StepComparison {
  readonly sequences: number;
  readonly contextTokens: number;
  readonly measuredNs: number;
  readonly predictedNs: number;
  readonly errorPct: number;
}

const times = z.array(z.number());
const layersSchema = z.object({
  layers: z.int(),
  denseUs: z.record(z.string(), times),
  perSequenceUs: z.record(z.string(), times),
  sequences: times,
  contextTokens: times,
  /** By context, then by sequences. */
  attentionUs: z.array(times),
});

const FILE = fileURLToPath(new URL("../../../studies/llmservingsim-decode.json", import.meta.url));

/** Of `denseUs`, those that stand outside the layers; the norm stands in each layer twice. */
const ONCE: readonly string[] = ["embedding", "final_layernorm"];

export function publishedSteps(): readonly StepComparison[] {
  const sample = layersSchema.parse(JSON.parse(readTextFile(FILE)));
  const time = {
    model: defined(findModelShape("llama-8b-bf16"), "the published model"),
    device: defined(findGpu("rtx-4090"), "the published card"),
    efficiency: VLLM_KERNELS,
  };
  const timesOf = (layer: string): number =>
    ONCE.includes(layer) ? 1 : sample.layers * (layer === "layernorm" ? 2 : 1);
  return sample.contextTokens.flatMap((contextTokens, row) =>
    sample.sequences.map((sequences, column): StepComparison => {
      const at = (us: readonly number[] | undefined): number => defined(us?.[column], "a measured time");
      let us = sample.layers * at(sample.attentionUs[row]);
      for (const [layer, measured] of Object.entries(sample.denseUs)) us += timesOf(layer) * at(measured);
      for (const measured of Object.values(sample.perSequenceUs)) us += at(measured);
      const measuredNs = us * NS_PER_US;
      const work = {
        decodeSequences: sequences,
        decodeContextTokens: sequences * contextTokens,
        prefills: [],
      };
      const predictedNs = stepNs(time, work);
      const errorPct = 100 * (predictedNs / measuredNs - 1);
      return { sequences, contextTokens, measuredNs, predictedNs, errorPct };
    }),
  );
}
