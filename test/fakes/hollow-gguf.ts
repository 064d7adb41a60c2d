/**
 * Models of which only the header is written: the weights are a hole in the file, so that a model
 * of any size costs a few hundred kilobytes. A real llama-server loads one (its weights read as
 * zero) and logs how much memory it takes; nothing it says is worth reading.
 */
import { closeSync, ftruncateSync, openSync } from "node:fs";
import { writeFully } from "../../src/core/file.ts";
import type { GgufValue } from "./gguf-writer.ts";
import { GgufWriter, padded, paddedLength } from "./gguf-writer.ts";

export interface HollowTensor {
  readonly name: string;
  /** Fastest-moving dimension first, as GGUF has it. */
  readonly dimensions: readonly number[];
  readonly type: HollowType;
}

export interface HollowModel {
  readonly architecture: string;
  /** Without the architecture's prefix where a key begins with a dot. */
  readonly metadata: Readonly<Record<string, GgufValue>>;
  readonly tensors: readonly HollowTensor[];
}

/** Number, elements per block and bytes per block, as ggml has them. */
const HOLLOW_TYPES = {
  f32: [0, 1, 4],
  f16: [1, 1, 2],
  q8_0: [8, 32, 34],
  q4_K: [12, 256, 144],
  q6_K: [14, 256, 210],
} as const;

export type HollowType = keyof typeof HOLLOW_TYPES;

export interface HollowPart {
  readonly number: number;
  readonly count: number;
}

/** Writes header and hole; returns the path. With `part`, the file is one of a split model, `tensors` its share. */
export function writeHollowGguf(path: string, model: HollowModel, part?: HollowPart): string {
  const header = hollowHeader(model, part);
  const dataBytes = model.tensors.reduce((sum, tensor) => sum + paddedLength(tensorBytes(tensor)), 0);
  const descriptor = openSync(path, "w");
  try {
    writeFully(descriptor, header);
    ftruncateSync(descriptor, header.length + dataBytes);
  } finally {
    closeSync(descriptor);
  }
  return path;
}

export function hollowHeader(model: HollowModel, part?: HollowPart): Uint8Array {
  const pairs: (readonly [string, GgufValue])[] = [
    ["general.architecture", { text: model.architecture }],
    ...Object.entries(model.metadata).map(
      ([key, value]) => [key.startsWith(".") ? model.architecture + key : key, value] as const,
    ),
  ];
  if (part !== undefined)
    pairs.push(["split.no", { u32: part.number }], ["split.count", { u32: part.count }]);
  const writer = new GgufWriter();
  writer.ascii("GGUF").u32(3).u64(model.tensors.length).u64(pairs.length);
  for (const [key, value] of pairs) writer.pair(key, value);
  let offset = 0;
  for (const tensor of model.tensors) {
    writer.string(tensor.name).u32(tensor.dimensions.length);
    for (const dimension of tensor.dimensions) writer.u64(dimension);
    writer.u32(HOLLOW_TYPES[tensor.type][0]).u64(offset);
    offset += paddedLength(tensorBytes(tensor));
  }
  return padded(writer.bytes());
}

function tensorBytes(tensor: HollowTensor): number {
  const [, blockElements, blockBytes] = HOLLOW_TYPES[tensor.type];
  return (
    (tensor.dimensions.reduce((product, dimension) => product * dimension, 1) / blockElements) * blockBytes
  );
}
