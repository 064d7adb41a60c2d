/**
 * Hollow models of the kinds whose memory differs: dense, sliding windows, a mixture of experts,
 * latent attention, recurrent and hybrid. The tensors are those llama.cpp asks for; the sizes are
 * parameters.
 */
import type { GgufValue } from "./gguf-writer.ts";
import type { HollowModel, HollowTensor, HollowType } from "./hollow-gguf.ts";
import { byteAlphabet } from "./tiny-gguf.ts";

export interface HollowSizes {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headWidth: number;
  readonly feedForward: number;
  readonly vocabulary: number;
  readonly type?: HollowType;
  /** No output matrix of its own: the embedding serves twice. */
  readonly tied?: boolean;
}

export const LLAMA_3_8B: HollowSizes = {
  layers: 32,
  width: 4096,
  heads: 32,
  kvHeads: 8,
  headWidth: 128,
  feedForward: 14_336,
  vocabulary: 128_256,
  type: "q8_0",
};

export function hollowLlama(sizes: HollowSizes): HollowModel {
  return {
    architecture: "llama",
    metadata: {
      ...common(sizes),
      ".attention.key_length": { u32: sizes.headWidth },
      ".attention.value_length": { u32: sizes.headWidth },
    },
    tensors: [
      ...ends(sizes),
      ...eachLayer(sizes, (layer) => [...attention(sizes, layer), ...feedForward(sizes, layer)]),
    ],
  };
}

/** Gemma 3: five layers of six see only a window; the embedding is tied. */
export function hollowGemma(sizes: HollowSizes, windowTokens: number): HollowModel {
  return {
    architecture: "gemma3",
    metadata: {
      ...common(sizes),
      ".attention.sliding_window": { u32: windowTokens },
      ".attention.key_length": { u32: sizes.headWidth },
      ".attention.value_length": { u32: sizes.headWidth },
    },
    tensors: [
      ...ends({ ...sizes, tied: true }),
      ...eachLayer(sizes, (layer) => [
        ...attention(sizes, layer),
        ...headNorms(sizes, layer),
        ...feedForward(sizes, layer),
        norm(layer, "post_attention_norm", sizes.width),
        norm(layer, "post_ffw_norm", sizes.width),
      ]),
    ],
  };
}

export interface HollowExperts {
  readonly count: number;
  readonly used: number;
  readonly feedForward: number;
}

/** Qwen 3's mixture of experts. */
export function hollowMixture(sizes: HollowSizes, experts: HollowExperts): HollowModel {
  return {
    architecture: "qwen3moe",
    metadata: {
      ...common(sizes),
      ".attention.key_length": { u32: sizes.headWidth },
      ".attention.value_length": { u32: sizes.headWidth },
      ".expert_count": { u32: experts.count },
      ".expert_used_count": { u32: experts.used },
      ".expert_feed_forward_length": { u32: experts.feedForward },
    },
    tensors: [
      ...ends(sizes),
      ...eachLayer(sizes, (layer) => [
        ...attention(sizes, layer),
        ...headNorms(sizes, layer),
        norm(layer, "ffn_norm", sizes.width),
        { name: `blk.${layer}.ffn_gate_inp.weight`, dimensions: [sizes.width, experts.count], type: "f32" },
        weight(sizes, layer, "ffn_gate_exps", sizes.width, experts.feedForward, experts.count),
        weight(sizes, layer, "ffn_up_exps", sizes.width, experts.feedForward, experts.count),
        weight(sizes, layer, "ffn_down_exps", experts.feedForward, sizes.width, experts.count),
      ]),
    ],
  };
}

export interface HollowLatent {
  readonly queryRank: number;
  readonly kvRank: number;
  readonly ropeWidth: number;
  /** Per head, after decompression. */
  readonly keyWidth: number;
  readonly valueWidth: number;
}

/** DeepSeek 2's latent attention in front of dense layers (a single, unused, mixture layer at the end). */
export function hollowLatent(sizes: HollowSizes, latent: HollowLatent): HollowModel {
  const { width, heads, layers } = sizes;
  const experts: HollowExperts = { count: 4, used: 2, feedForward: 256 };
  const latentWidth = latent.kvRank + latent.ropeWidth;
  const cached = { ...sizes, kvHeads: 1 };
  return {
    architecture: "deepseek2",
    metadata: {
      ...common(cached),
      ".rope.dimension_count": { u32: latent.ropeWidth },
      ".attention.q_lora_rank": { u32: latent.queryRank },
      ".attention.kv_lora_rank": { u32: latent.kvRank },
      ".attention.key_length": { u32: latentWidth },
      ".attention.value_length": { u32: latent.kvRank },
      ".attention.key_length_mla": { u32: latent.keyWidth },
      ".attention.value_length_mla": { u32: latent.valueWidth },
      ".leading_dense_block_count": { u32: layers - 1 },
      ".expert_count": { u32: experts.count },
      ".expert_used_count": { u32: experts.used },
      ".expert_shared_count": { u32: 1 },
      ".expert_feed_forward_length": { u32: experts.feedForward },
    },
    tensors: [
      ...ends(sizes),
      ...eachLayer(sizes, (layer) => [
        norm(layer, "attn_norm", width),
        norm(layer, "attn_q_a_norm", latent.queryRank),
        norm(layer, "attn_kv_a_norm", latent.kvRank),
        weight(sizes, layer, "attn_q_a", width, latent.queryRank),
        weight(sizes, layer, "attn_q_b", latent.queryRank, heads * latent.keyWidth),
        weight(sizes, layer, "attn_kv_a_mqa", width, latentWidth),
        weight(sizes, layer, "attn_k_b", latent.keyWidth - latent.ropeWidth, latent.kvRank, heads),
        weight(sizes, layer, "attn_v_b", latent.kvRank, latent.valueWidth, heads),
        weight(sizes, layer, "attn_output", heads * latent.valueWidth, width),
        ...(layer < layers - 1
          ? feedForward(sizes, layer)
          : [
              norm(layer, "ffn_norm", width),
              {
                name: `blk.${layer}.ffn_gate_inp.weight`,
                dimensions: [width, experts.count],
                type: "f32",
              } as const,
              weight(sizes, layer, "ffn_gate_exps", width, experts.feedForward, experts.count),
              weight(sizes, layer, "ffn_up_exps", width, experts.feedForward, experts.count),
              weight(sizes, layer, "ffn_down_exps", experts.feedForward, width, experts.count),
              weight(sizes, layer, "ffn_gate_shexp", width, experts.feedForward),
              weight(sizes, layer, "ffn_up_shexp", width, experts.feedForward),
              weight(sizes, layer, "ffn_down_shexp", experts.feedForward, width),
            ]),
      ]),
    ],
  };
}

export interface HollowState {
  readonly convolution: number;
  readonly innerWidth: number;
  readonly groups: number;
  readonly stateWidth: number;
}

/** Qwen 3.6 27B as its public logs show it: of 64 layers every fourth attends, the others keep a state. */
export const QWEN_HYBRID: HollowSizes = {
  layers: 64,
  width: 5120,
  heads: 24,
  kvHeads: 4,
  headWidth: 256,
  feedForward: 17_408,
  vocabulary: 248_320,
  type: "q8_0",
};
export const QWEN_HYBRID_STATE: HollowState = {
  convolution: 4,
  innerWidth: 6144,
  groups: 16,
  stateWidth: 128,
};

/** Qwen 3.5's hybrid of attention and gated delta net. */
export function hollowHybrid(sizes: HollowSizes, state: HollowState): HollowModel {
  const { width } = sizes;
  const valueHeads = state.innerWidth / state.stateWidth;
  const convolved = state.innerWidth + 2 * state.groups * state.stateWidth;
  return {
    architecture: "qwen35",
    metadata: {
      ...common(sizes),
      ".attention.key_length": { u32: sizes.headWidth },
      ".attention.value_length": { u32: sizes.headWidth },
      ".rope.dimension_sections": { i32s: [11, 11, 10, 0] },
      ".rope.dimension_count": { u32: 64 },
      ".full_attention_interval": { u32: 4 },
      ...stateMetadata(state, valueHeads),
    },
    tensors: [
      ...ends(sizes),
      ...eachLayer(sizes, (layer) => [
        norm(layer, "attn_norm", width),
        norm(layer, "post_attention_norm", width),
        ...((layer + 1) % 4 === 0
          ? [
              weight(sizes, layer, "attn_q", width, 2 * sizes.heads * sizes.headWidth),
              weight(sizes, layer, "attn_k", width, sizes.kvHeads * sizes.headWidth),
              weight(sizes, layer, "attn_v", width, sizes.kvHeads * sizes.headWidth),
              weight(sizes, layer, "attn_output", sizes.heads * sizes.headWidth, width),
              ...headNorms(sizes, layer),
            ]
          : [
              weight(sizes, layer, "attn_qkv", width, convolved),
              weight(sizes, layer, "attn_gate", width, state.innerWidth),
              {
                name: `blk.${layer}.ssm_conv1d.weight`,
                dimensions: [state.convolution, convolved],
                type: "f32",
              } as const,
              { name: `blk.${layer}.ssm_dt.bias`, dimensions: [valueHeads], type: "f32" } as const,
              { name: `blk.${layer}.ssm_a`, dimensions: [valueHeads], type: "f32" } as const,
              weight(sizes, layer, "ssm_beta", width, valueHeads),
              weight(sizes, layer, "ssm_alpha", width, valueHeads),
              norm(layer, "ssm_norm", state.stateWidth),
              weight(sizes, layer, "ssm_out", state.innerWidth, width),
            ]),
        ...feedForwardMatrices(sizes, layer),
      ]),
    ],
  };
}

/** Mamba 2: no attention at all. */
export function hollowRecurrent(sizes: HollowSizes, state: HollowState): HollowModel {
  const heads = state.innerWidth / 64;
  const convolved = state.innerWidth + 2 * state.groups * state.stateWidth;
  return {
    architecture: "mamba2",
    metadata: { ...common({ ...sizes, heads: 0, kvHeads: 0 }), ...stateMetadata(state, heads) },
    tensors: [
      ...ends({ ...sizes, tied: true }),
      ...eachLayer(sizes, (layer) => [
        norm(layer, "attn_norm", sizes.width),
        weight(sizes, layer, "ssm_in", sizes.width, state.innerWidth + convolved + heads),
        { name: `blk.${layer}.ssm_conv1d.weight`, dimensions: [state.convolution, convolved], type: "f32" },
        { name: `blk.${layer}.ssm_conv1d.bias`, dimensions: [convolved], type: "f32" },
        { name: `blk.${layer}.ssm_dt.bias`, dimensions: [heads], type: "f32" },
        { name: `blk.${layer}.ssm_a`, dimensions: [1, heads], type: "f32" },
        { name: `blk.${layer}.ssm_d`, dimensions: [1, heads], type: "f32" },
        {
          name: `blk.${layer}.ssm_norm.weight`,
          dimensions: [state.innerWidth / state.groups, state.groups],
          type: "f32",
        },
        weight(sizes, layer, "ssm_out", state.innerWidth, sizes.width),
      ]),
    ],
  };
}

// ---- parts -----------------------------------------------------------------------------------

const TRAINED_CONTEXT_TOKENS = 1_048_576;

function common(sizes: HollowSizes): Record<string, GgufValue> {
  return {
    "general.name": { text: "slipway-hollow" },
    ".context_length": { u32: TRAINED_CONTEXT_TOKENS },
    ".embedding_length": { u32: sizes.width },
    ".block_count": { u32: sizes.layers },
    ".feed_forward_length": { u32: sizes.feedForward },
    ".attention.head_count": { u32: sizes.heads },
    ".attention.head_count_kv": { u32: sizes.kvHeads },
    ".attention.layer_norm_rms_epsilon": { f32: 1e-5 },
    ".vocab_size": { u32: sizes.vocabulary },
    "tokenizer.ggml.model": { text: "gpt2" },
    "tokenizer.ggml.pre": { text: "llama-bpe" },
    "tokenizer.ggml.tokens": { texts: tokens(sizes.vocabulary) },
    "tokenizer.ggml.merges": { texts: ["b a"] },
    "tokenizer.ggml.bos_token_id": { u32: 1 },
    "tokenizer.ggml.eos_token_id": { u32: 2 },
  };
}

function stateMetadata(state: HollowState, timeSteps: number): Record<string, GgufValue> {
  return {
    ".ssm.conv_kernel": { u32: state.convolution },
    ".ssm.inner_size": { u32: state.innerWidth },
    ".ssm.state_size": { u32: state.stateWidth },
    ".ssm.time_step_rank": { u32: timeSteps },
    ".ssm.group_count": { u32: state.groups },
  };
}

function tokens(count: number): string[] {
  const bytes = byteAlphabet();
  return Array.from({ length: count }, (_, index) => bytes[index] ?? `word${index}`);
}

function eachLayer(
  sizes: HollowSizes,
  tensorsOf: (layer: number) => readonly HollowTensor[],
): readonly HollowTensor[] {
  return Array.from({ length: sizes.layers }, (_, layer) => tensorsOf(layer)).flat();
}

function ends(sizes: HollowSizes): readonly HollowTensor[] {
  const type = sizes.type ?? "f16";
  const embedding: HollowTensor = {
    name: "token_embd.weight",
    dimensions: [sizes.width, sizes.vocabulary],
    type,
  };
  return [
    embedding,
    ...(sizes.tied === true ? [] : [{ ...embedding, name: "output.weight" }]),
    { name: "output_norm.weight", dimensions: [sizes.width], type: "f32" },
  ];
}

function attention(sizes: HollowSizes, layer: number): readonly HollowTensor[] {
  const { width, heads, kvHeads, headWidth } = sizes;
  return [
    norm(layer, "attn_norm", width),
    weight(sizes, layer, "attn_q", width, heads * headWidth),
    weight(sizes, layer, "attn_k", width, kvHeads * headWidth),
    weight(sizes, layer, "attn_v", width, kvHeads * headWidth),
    weight(sizes, layer, "attn_output", heads * headWidth, width),
  ];
}

function headNorms(sizes: HollowSizes, layer: number): readonly HollowTensor[] {
  return [norm(layer, "attn_q_norm", sizes.headWidth), norm(layer, "attn_k_norm", sizes.headWidth)];
}

function feedForward(sizes: HollowSizes, layer: number): readonly HollowTensor[] {
  return [norm(layer, "ffn_norm", sizes.width), ...feedForwardMatrices(sizes, layer)];
}

function feedForwardMatrices(sizes: HollowSizes, layer: number): readonly HollowTensor[] {
  return [
    weight(sizes, layer, "ffn_gate", sizes.width, sizes.feedForward),
    weight(sizes, layer, "ffn_up", sizes.width, sizes.feedForward),
    weight(sizes, layer, "ffn_down", sizes.feedForward, sizes.width),
  ];
}

function norm(layer: number, part: string, width: number): HollowTensor {
  return { name: `blk.${layer}.${part}.weight`, dimensions: [width], type: "f32" };
}

function weight(
  sizes: HollowSizes,
  layer: number,
  part: string,
  ...dimensions: readonly number[]
): HollowTensor {
  return { name: `blk.${layer}.${part}.weight`, dimensions, type: sizes.type ?? "f16" };
}
