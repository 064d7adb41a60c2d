/** The tensor table of a GGUF header: names, shapes and sizes; never the numbers themselves. */
import type { ByteCursor } from "./byte-cursor.ts";
import type { GgmlType } from "./ggml-type.ts";
import { elementsBytes, ggmlType } from "./ggml-type.ts";
import { malformedGguf, unsupportedGguf } from "./gguf-error.ts";
import type { GgufTensor } from "./gguf-header.ts";
import { readName } from "./read-metadata.ts";

/** The largest mixtures with one tensor per expert have about 46,000; today's experts are merged, and 2,500 is much. */
const MAX_TENSORS = 65_536;

/** ggml keeps 63 bytes of a name and refuses more. */
const MAX_TENSOR_NAME_BYTES = 63;

/** ggml's own limit. */
const MAX_DIMENSIONS = 4;

/** Length of the name (8), number of dimensions (4), type (4), offset (8). */
const SMALLEST_TENSOR_BYTES = 24;

/** Throws GGUF_INVALID for a table that the file cannot hold, GGUF_UNSUPPORTED for unknown tensor types. */
export function readTensorTable(cursor: ByteCursor, count: number, path: string): GgufTensor[] {
  if (count > MAX_TENSORS || count * SMALLEST_TENSOR_BYTES > cursor.remainingBytes)
    throw malformedGguf(path, `it cannot hold ${count} tensors (at most ${MAX_TENSORS})`, count);
  const names = new Set<string>();
  const tensors: GgufTensor[] = [];
  for (let index = 0; index < count; index++) {
    const tensor = readTensor(cursor, path);
    if (names.has(tensor.name)) throw malformedGguf(path, "a tensor stands twice", tensor.name);
    names.add(tensor.name);
    tensors.push(tensor);
  }
  return tensors;
}

function readTensor(cursor: ByteCursor, path: string): GgufTensor {
  const name = readName(cursor, MAX_TENSOR_NAME_BYTES, path);
  const dimensionCount = cursor.u32();
  if (dimensionCount > MAX_DIMENSIONS)
    throw malformedGguf(path, `tensor ${name} has too many dimensions`, dimensionCount);
  const dimensions = Array.from({ length: dimensionCount }, () => cursor.u64());
  const elements = dimensions.reduce((product, dimension) => product * dimension, 1);
  const type = typeOf(cursor.u32(), name, path);
  if (!Number.isSafeInteger(elements) || (dimensions[0] ?? 1) % type.blockElements !== 0)
    throw malformedGguf(path, `tensor ${name} has a shape that ${type.name} cannot have`, dimensions);
  const offsetBytes = cursor.u64();
  return {
    name,
    typeName: type.name,
    dimensions,
    elements,
    bytes: elementsBytes(type, elements),
    offsetBytes,
  };
}

function typeOf(number: number, name: string, path: string): GgmlType {
  const type = ggmlType(number);
  if (type === undefined)
    throw unsupportedGguf(
      path,
      `tensor ${name} has a type that is not known or was taken out of ggml`,
      "quantise the model anew with a current llama.cpp, or update Slipway",
      number,
    );
  return type;
}

/**
 * Holds the table against the file: each tensor begins at a multiple of the alignment, none
 * reaches into another, none beyond the end.
 */
export function checkPlacement(
  tensors: readonly GgufTensor[],
  place: { readonly path: string; readonly dataBytes: number; readonly alignmentBytes: number },
): void {
  const inOrder = tensors.toSorted((left, right) => left.offsetBytes - right.offsetBytes);
  let free = 0;
  for (const tensor of inOrder) {
    if (tensor.offsetBytes % place.alignmentBytes !== 0)
      throw malformedGguf(place.path, `tensor ${tensor.name} is not aligned`, tensor.offsetBytes);
    if (tensor.offsetBytes < free)
      throw malformedGguf(
        place.path,
        `tensor ${tensor.name} overlaps the one before it by ${free - tensor.offsetBytes} bytes`,
        tensor.offsetBytes,
      );
    free = tensor.offsetBytes + tensor.bytes;
  }
  if (free > place.dataBytes)
    throw malformedGguf(
      place.path,
      `its tensors take ${free} bytes, but only ${Math.max(0, place.dataBytes)} follow the header: it was cut short`,
      place.dataBytes,
    );
}
