/**
 * Buffers that hold what lies between the layers while a batch is computed. llama.cpp reserves them
 * for the worst case: one full micro-batch over a full cache. The peak is the largest of a few
 * stages; the sums below were read off the logs of a real llama-server (version 3.22.1 of
 * node-llama-cpp's build, September 2026) over 40 shapes and settings. Dense models with flash
 * attention agree within 5 %, latent attention within 10 %; mixtures and recurrent layers are upper
 * bounds, up to half too high. That is tens of MiB, and a log that is read replaces the line.
 */
import type { ModelFacts } from "../gguf/model-facts.ts";
import { count, plural } from "./format.ts";
import type { LaunchMemory } from "./launch-memory.ts";
import { cacheGeometry, windowCells } from "./launch-memory.ts";
import type { LedgerLine } from "./ledger.ts";
import { offloadOf } from "./offload.ts";

const ACTIVATION_BYTES = 4;

export function computeLines(facts: ModelFacts, launch: LaunchMemory): LedgerLine[] {
  const { usesDevice } = offloadOf(facts, launch);
  const { microBatchTokens } = cacheGeometry(launch);
  const stages = computeStages(facts, launch);
  const masks = `attention mask ${count(stages.maskBytes)} B`;
  const formula = [
    `${stages.largest} for ${plural(microBatchTokens, "token")}:`,
    `${count(stages.peakBytes)} B, ${masks}`,
  ].join(" ");
  const line = (place: LedgerLine["place"], bytes: number, text: string): LedgerLine => ({
    item: "compute",
    label: "Compute buffer",
    place,
    bytes,
    provenance: "declared",
    formula: text,
  });
  if (!usesDevice) return [line("host", stages.maskBytes + stages.peakBytes, `${formula} (sum)`)];
  const embedded = ACTIVATION_BYTES * microBatchTokens * facts.embeddingWidth;
  return [
    // The device's copy of the mask is free again when the logits are made.
    line(
      "device",
      Math.max(stages.layerBytes + stages.maskBytes, stages.logitBytes),
      `${formula} (with the layers)`,
    ),
    line(
      "host",
      embedded + stages.maskBytes,
      `${plural(microBatchTokens, "token")} × ${count(facts.embeddingWidth)} × 4 B embedded, ${masks}`,
    ),
  ];
}

export interface ComputeStages {
  /** The largest of the stages inside a layer. */
  readonly layerBytes: number;
  /** The output matrix's result beside its input. */
  readonly logitBytes: number;
  readonly maskBytes: number;
  readonly peakBytes: number;
  readonly largest: "layers" | "logits";
}

/** Bytes of the stages that compete for the compute buffer; each is reused by the next. */
export function computeStages(facts: ModelFacts, launch: LaunchMemory): ComputeStages {
  const { microBatchTokens } = cacheGeometry(launch);
  const widths = Math.max(
    feedForwardWidth(facts),
    expertWidth(facts),
    attentionWidth(facts, launch),
    stateWidth(facts),
  );
  const layerBytes = ACTIVATION_BYTES * microBatchTokens * widths;
  const outputs =
    launch.outputs === "per-token" ? microBatchTokens : Math.min(microBatchTokens, launch.slots);
  const logitBytes = ACTIVATION_BYTES * outputs * (facts.vocabularyTokens + facts.embeddingWidth);
  return {
    layerBytes,
    logitBytes,
    maskBytes: maskBytes(facts, launch),
    peakBytes: Math.max(layerBytes, logitBytes),
    largest: logitBytes > layerBytes ? "logits" : "layers",
  };
}

/** Gate, up and their product beside the residuals; where a hole of the attention is too small, a fourth copy. */
function feedForwardWidth(facts: ModelFacts): number {
  const { feedForwardWidth: inner, embeddingWidth: outer, queryElements } = facts;
  return Math.min(4 * inner + outer, 3 * inner + 3 * outer + queryElements);
}

/** Each of a token's experts answers in full width before their sum is taken. */
function expertWidth(facts: ModelFacts): number {
  if (facts.experts === undefined) return 0;
  const inner = facts.experts.used * facts.experts.feedForwardWidth;
  const outer = facts.experts.used * facts.embeddingWidth;
  return Math.max(2 * outer + 2 * inner, 3 * inner + 4 * facts.embeddingWidth);
}

/** Queries, keys and values before and after turning; without flash attention also the scores of all heads. */
function attentionWidth(facts: ModelFacts, launch: LaunchMemory): number {
  const keyElements = Math.max(0, ...facts.layers.map((layer) => layer.cache?.keyElements ?? 0));
  if (keyElements === 0) return 0;
  const turned = 2 * facts.queryElements + 2 * keyElements;
  if (launch.flashAttention) return 2 * facts.embeddingWidth + turned;
  return 3 * facts.embeddingWidth + turned + facts.queryHeads * cacheGeometry(launch).cellsPerStream;
}

/** The input of a recurrent layer, its convolution and its gate, three times over. */
function stateWidth(facts: ModelFacts): number {
  const convolution = Math.max(0, ...facts.layers.map((layer) => layer.state?.convolutionElements ?? 0));
  if (convolution === 0) return 0;
  return 3 * (convolution / CONVOLUTION_STEPS + facts.stateInnerWidth) + facts.embeddingWidth;
}

/** A convolution of four steps keeps three: all that exist have four. */
const CONVOLUTION_STEPS = 3;

/** Which cells each token may see: 2 bytes with flash attention, 4 without; one for full and one for window layers. */
function maskBytes(facts: ModelFacts, launch: LaunchMemory): number {
  const { cellsPerStream, microBatchTokens } = cacheGeometry(launch);
  const kinds = new Set(facts.layers.flatMap((layer) => layer.cache?.windowed ?? []));
  const cells = [...kinds].reduce(
    (sum, windowed) => sum + (windowed ? windowCells(launch, facts.windowTokens ?? 0) : cellsPerStream),
    0,
  );
  return cells * microBatchTokens * (launch.flashAttention ? 2 : 4);
}

/** Logits that wait in host memory for the sampler: one row for each slot (llama-context.cpp, output_reserve). */
export function outputLine(facts: ModelFacts, launch: LaunchMemory): LedgerLine {
  const embedding = launch.outputs === "per-token" ? facts.embeddingWidth : 0;
  return {
    item: "output",
    label: "Output buffer",
    place: "host",
    bytes: ACTIVATION_BYTES * launch.slots * (facts.vocabularyTokens + embedding),
    provenance: "declared",
    formula: `${plural(launch.slots, "slot")} × ${count(facts.vocabularyTokens)} tokens × 4 B`,
  };
}
