/**
 * Writes a small random-weight model that real servers load: llama architecture, GGUF version 3
 * (layout: github.com/ggml-org/ggml, docs/gguf.md). What it says is noise; its speed, its token
 * counts and the API around it are real. Nothing is downloaded, and one seed gives one file.
 */
import { closeSync, openSync } from "node:fs";
import { writeFully } from "../../src/core/file.ts";
import type { RandomStream } from "../../src/core/random.ts";
import { randomStream } from "../../src/core/random.ts";
import type { GgufValue } from "./gguf-writer.ts";
import { GgufWriter, padded, paddedLength } from "./gguf-writer.ts";

interface TinyModelShape {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly feedForward: number;
}

/**
 * `tiny` (8 MB) answers as fast as a server can, for questions of protocol. `slow` (170 MB) takes
 * long enough per token on a CPU that a request can be watched, and cancelled, while it runs.
 */
const TINY_MODEL_SHAPES = {
  tiny: { layers: 4, width: 256, heads: 8, kvHeads: 4, feedForward: 512 },
  slow: { layers: 12, width: 768, heads: 12, kvHeads: 4, feedForward: 2304 },
} as const satisfies Record<string, TinyModelShape>;

export type TinyModelSize = keyof typeof TINY_MODEL_SHAPES;

const TRAINED_CONTEXT_TOKENS = 8192;
const SEED = 1;

/** Writes the model and returns the path. */
export function writeTinyGguf(path: string, size: TinyModelSize = "tiny"): string {
  const descriptor = openSync(path, "w");
  try {
    for (const part of tinyGgufParts(TINY_MODEL_SHAPES[size])) writeFully(descriptor, part);
  } finally {
    closeSync(descriptor);
  }
  return path;
}

/** Header, then one part per tensor, so that the whole file is never in memory. */
function* tinyGgufParts(shape: TinyModelShape): Generator<Uint8Array> {
  const vocabulary = tinyVocabulary();
  const tensors = tensorsOf(shape, vocabulary);
  yield header(shape, vocabulary, tensors);
  for (const tensor of tensors) yield padded(tensor.bytes());
}

// ---- vocabulary ------------------------------------------------------------------------------

interface Vocabulary {
  readonly tokens: readonly string[];
  readonly kinds: readonly number[];
  readonly merges: readonly string[];
  /** Tokens the model must not say: bytes that are no text on their own, and control tokens. */
  readonly unsayable: ReadonlySet<number>;
  readonly beginId: number;
  readonly endOfTurnId: number;
}

const NORMAL_TOKEN = 1;
const CONTROL_TOKEN = 3;
const CONTROL_TOKENS = [
  "<|begin_of_text|>",
  "<|end_of_text|>",
  "<|start_header_id|>",
  "<|end_header_id|>",
  "<|eot_id|>",
];
const VOWELS = "aeiouy".split("");
const CONSONANTS = "bcdfghjklmnpqrstvwxz".split("");

/** A byte-level BPE vocabulary: 256 bytes, syllables with and without a leading space, closed syllables. */
function tinyVocabulary(): Vocabulary {
  const bytes = byteAlphabet();
  const space = bytes[0x20] as string;
  const open = CONSONANTS.flatMap((consonant) => VOWELS.map((vowel) => [consonant, vowel] as const));
  const merges = [
    ...open,
    ...open.map(([consonant, vowel]) => [space, consonant + vowel] as const),
    ...open.flatMap(([consonant, vowel]) => CONSONANTS.map((end) => [consonant + vowel, end] as const)),
  ];
  const normal = [...bytes, ...merges.map(([left, right]) => left + right)];
  const unsayable = new Set<number>();
  for (let byte = 0; byte < 256; byte++) if (byte < 0x20 || byte > 0x7e) unsayable.add(byte);
  for (const index of CONTROL_TOKENS.keys()) unsayable.add(normal.length + index);
  return {
    tokens: [...normal, ...CONTROL_TOKENS],
    kinds: [...normal.map(() => NORMAL_TOKEN), ...CONTROL_TOKENS.map(() => CONTROL_TOKEN)],
    merges: merges.map(([left, right]) => `${left} ${right}`),
    unsayable,
    beginId: normal.length,
    endOfTurnId: normal.length + CONTROL_TOKENS.indexOf("<|eot_id|>"),
  };
}

/** Byte-level BPE writes each byte as one printable character; bytes that have none get U+0100 onwards. */
export function byteAlphabet(): string[] {
  let substitute = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte !== 0xad);
    return String.fromCodePoint(printable ? byte : substitute++);
  });
}

const CHAT_TEMPLATE = [
  "{{ bos_token }}",
  "{% for message in messages %}",
  "<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n{{ message['content'] }}<|eot_id|>",
  "{% endfor %}",
  "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}",
].join("");

// ---- tensors ---------------------------------------------------------------------------------

interface Tensor {
  readonly name: string;
  /** Fastest-moving dimension first, as GGUF has it. */
  readonly dimensions: readonly number[];
  readonly type: typeof F32 | typeof F16;
  bytes(): Uint8Array;
}

const F32 = 0;
const F16 = 1;
const WEIGHT_DEVIATION = 0.02;
/** Wide enough that the tokens with weights of zero (logit 0) are, for practical purposes, never drawn. */
const OUTPUT_DEVIATION = 0.5;

function tensorsOf(shape: TinyModelShape, vocabulary: Vocabulary): Tensor[] {
  const { width, feedForward } = shape;
  const kvWidth = (width / shape.heads) * shape.kvHeads;
  const block = (layer: number): Tensor[] => {
    const named = (part: string): string => `blk.${layer}.${part}.weight`;
    return [
      onesTensor(named("attn_norm"), width),
      onesTensor(named("ffn_norm"), width),
      randomTensor(named("attn_q"), width, width),
      randomTensor(named("attn_k"), width, kvWidth),
      randomTensor(named("attn_v"), width, kvWidth),
      randomTensor(named("attn_output"), width, width),
      randomTensor(named("ffn_gate"), width, feedForward),
      randomTensor(named("ffn_up"), width, feedForward),
      randomTensor(named("ffn_down"), feedForward, width),
    ];
  };
  return [
    randomTensor("token_embd.weight", width, vocabulary.tokens.length),
    randomTensor("output.weight", width, vocabulary.tokens.length, OUTPUT_DEVIATION, vocabulary.unsayable),
    onesTensor("output_norm.weight", width),
    ...Array.from({ length: shape.layers }, (_, layer) => block(layer)).flat(),
  ];
}

function onesTensor(name: string, length: number): Tensor {
  const bytes = (): Uint8Array => new Uint8Array(new Float32Array(length).fill(1).buffer);
  return { name, dimensions: [length], type: F32, bytes };
}

function randomTensor(
  name: string,
  columns: number,
  rows: number,
  deviation = WEIGHT_DEVIATION,
  zeroRows: ReadonlySet<number> = new Set(),
): Tensor {
  const bytes = (): Uint8Array => {
    const stream = randomStream(SEED, "tiny-gguf", name);
    const palette = normalPalette(stream, deviation);
    const halves = new Uint16Array(columns * rows);
    for (let index = 0; index < halves.length; index++)
      halves[index] = palette[stream.integer(palette.length)] as number;
    for (const row of zeroRows) halves.fill(0, row * columns, (row + 1) * columns);
    return new Uint8Array(halves.buffer);
  };
  return { name, dimensions: [columns, rows], type: F16, bytes };
}

/** Drawing from a few thousand ready values instead of making each anew writes the large file in seconds. */
function normalPalette(stream: RandomStream, deviation: number): Uint16Array {
  return Uint16Array.from({ length: 4096 }, () => halfFloat(stream.normal() * deviation));
}

/** IEEE 754 binary16 bits of a number below 65,504; what is below the smallest normal half becomes 0. */
function halfFloat(value: number): number {
  const sign = value < 0 ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  const exponent = Math.floor(Math.log2(magnitude));
  if (magnitude === 0 || exponent < -14) return sign;
  const fraction = Math.round((magnitude / 2 ** exponent - 1) * 1024);
  // A fraction that rounds up to 1024 carries into the exponent, which is the right neighbour.
  return sign + (((exponent + 15) << 10) + fraction);
}

// ---- the file --------------------------------------------------------------------------------

const BYTES_PER_ELEMENT = { [F32]: 4, [F16]: 2 } as const;

function header(shape: TinyModelShape, vocabulary: Vocabulary, tensors: readonly Tensor[]): Uint8Array {
  const pairs = metadata(shape, vocabulary);
  const writer = new GgufWriter();
  writer.ascii("GGUF").u32(3).u64(tensors.length).u64(pairs.length);
  for (const [key, value] of pairs) writer.pair(key, value);
  let offset = 0;
  for (const tensor of tensors) {
    writer.string(tensor.name).u32(tensor.dimensions.length);
    for (const dimension of tensor.dimensions) writer.u64(dimension);
    writer.u32(tensor.type).u64(offset);
    const elements = tensor.dimensions.reduce((product, dimension) => product * dimension, 1);
    offset += paddedLength(elements * BYTES_PER_ELEMENT[tensor.type]);
  }
  return padded(writer.bytes());
}

function metadata(shape: TinyModelShape, vocabulary: Vocabulary): readonly (readonly [string, GgufValue])[] {
  return [
    ["general.architecture", { text: "llama" }],
    ["general.name", { text: "slipway-tiny-random" }],
    ["general.file_type", { u32: F16 }],
    ["llama.context_length", { u32: TRAINED_CONTEXT_TOKENS }],
    ["llama.embedding_length", { u32: shape.width }],
    ["llama.block_count", { u32: shape.layers }],
    ["llama.feed_forward_length", { u32: shape.feedForward }],
    ["llama.attention.head_count", { u32: shape.heads }],
    ["llama.attention.head_count_kv", { u32: shape.kvHeads }],
    ["llama.attention.layer_norm_rms_epsilon", { f32: 1e-5 }],
    ["llama.rope.dimension_count", { u32: shape.width / shape.heads }],
    ["llama.rope.freq_base", { f32: 10_000 }],
    ["llama.vocab_size", { u32: vocabulary.tokens.length }],
    ["tokenizer.ggml.model", { text: "gpt2" }],
    ["tokenizer.ggml.pre", { text: "llama-bpe" }],
    ["tokenizer.ggml.tokens", { texts: vocabulary.tokens }],
    ["tokenizer.ggml.token_type", { i32s: vocabulary.kinds }],
    ["tokenizer.ggml.merges", { texts: vocabulary.merges }],
    ["tokenizer.ggml.bos_token_id", { u32: vocabulary.beginId }],
    ["tokenizer.ggml.eos_token_id", { u32: vocabulary.endOfTurnId }],
    ["tokenizer.ggml.add_bos_token", { flag: true }],
    ["tokenizer.chat_template", { text: CHAT_TEMPLATE }],
  ];
}
