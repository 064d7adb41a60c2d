/** The key-value part of a GGUF header. What nobody asks for (vocabularies, templates) is read over. */
import type { ByteCursor } from "./byte-cursor.ts";
import { malformedGguf, unsupportedGguf } from "./gguf-error.ts";
import type { GgufValue } from "./gguf-header.ts";

/** Models have between 20 and 100 keys; adapters and merges a few more. */
const MAX_METADATA_PAIRS = 2_048;

/** llama.cpp's longest key has 55 bytes; the format allows 65,535. */
const MAX_KEY_BYTES = 1_024;

/** Architectures, names and labels; chat templates and licences are longer and nobody here reads them. */
const MAX_KEPT_TEXT_BYTES = 2_048;

/** Per-layer arrays: llama.cpp has at most 512 layers. */
const MAX_KEPT_ARRAY_ELEMENTS = 512;

/** No array of a file has more elements than this; the largest vocabularies have about 300,000 tokens. */
const MAX_ARRAY_ELEMENTS = 64 * 1024 * 1024;

const TYPE_STRING = 8;
const TYPE_ARRAY = 9;
const TYPE_BOOL = 7;

interface Scalar {
  readonly bytes: number;
  read(cursor: ByteCursor): number;
}

/** By the number of the type (docs/gguf.md of ggml). */
const SCALARS: ReadonlyMap<number, Scalar> = new Map<number, Scalar>([
  [0, { bytes: 1, read: (cursor) => cursor.u8() }],
  [1, { bytes: 1, read: (cursor) => cursor.i8() }],
  [2, { bytes: 2, read: (cursor) => cursor.u16() }],
  [3, { bytes: 2, read: (cursor) => cursor.i16() }],
  [4, { bytes: 4, read: (cursor) => cursor.u32() }],
  [5, { bytes: 4, read: (cursor) => cursor.i32() }],
  [6, { bytes: 4, read: (cursor) => cursor.f32() }],
  [TYPE_BOOL, { bytes: 1, read: (cursor) => cursor.u8() }],
  [10, { bytes: 8, read: (cursor) => cursor.u64() }],
  [11, { bytes: 8, read: (cursor) => cursor.i64() }],
  [12, { bytes: 8, read: (cursor) => cursor.f64() }],
]);

/** A key needs its length (8 bytes), a type (4) and a value of at least one byte. */
const SMALLEST_PAIR_BYTES = 13;

/** Throws GGUF_INVALID for counts and lengths that the file cannot hold, GGUF_UNSUPPORTED for unknown types. */
export function readMetadata(cursor: ByteCursor, pairs: number, path: string): Map<string, GgufValue> {
  if (pairs > MAX_METADATA_PAIRS || pairs * SMALLEST_PAIR_BYTES > cursor.remainingBytes)
    throw malformedGguf(path, `it cannot hold ${pairs} metadata keys (at most ${MAX_METADATA_PAIRS})`, pairs);
  const metadata = new Map<string, GgufValue>();
  for (let index = 0; index < pairs; index++) {
    const key = readName(cursor, MAX_KEY_BYTES, path);
    if (metadata.has(key)) throw malformedGguf(path, "a metadata key stands twice", key);
    metadata.set(key, readValue(cursor, key, path));
  }
  return metadata;
}

/** A string that must be short: a key, or the name of a tensor. */
export function readName(cursor: ByteCursor, maxBytes: number, path: string): string {
  const bytes = cursor.u64();
  if (bytes > maxBytes)
    throw malformedGguf(path, `a name of ${bytes} bytes before byte ${cursor.position}`, bytes);
  return cursor.text(bytes);
}

function readValue(cursor: ByteCursor, key: string, path: string): GgufValue {
  const type = cursor.u32();
  if (type === TYPE_STRING) return readText(cursor);
  if (type === TYPE_ARRAY) return readArray(cursor, key, path);
  const scalar = scalarOf(type, key, path);
  const value = scalar.read(cursor);
  return type === TYPE_BOOL ? { kind: "flag", value: value !== 0 } : { kind: "number", value };
}

function readText(cursor: ByteCursor): GgufValue {
  const bytes = cursor.u64();
  if (bytes <= MAX_KEPT_TEXT_BYTES) return { kind: "text", value: cursor.text(bytes) };
  cursor.skip(bytes);
  return { kind: "skipped", what: "text", length: bytes };
}

function readArray(cursor: ByteCursor, key: string, path: string): GgufValue {
  const type = cursor.u32();
  const length = cursor.u64();
  if (type === TYPE_ARRAY)
    throw unsupportedGguf(
      path,
      `the metadata key ${key} holds arrays of arrays`,
      "convert the model with a current llama.cpp, which does not write them",
    );
  const elementBytes = type === TYPE_STRING ? 8 : scalarOf(type, key, path).bytes;
  if (length > MAX_ARRAY_ELEMENTS || length * elementBytes > cursor.remainingBytes)
    throw malformedGguf(path, `it cannot hold the ${length} elements of ${key}`, length);
  if (type === TYPE_STRING) cursor.skipStrings(length);
  else if (length > MAX_KEPT_ARRAY_ELEMENTS) cursor.skip(length * elementBytes);
  else {
    const scalar = scalarOf(type, key, path);
    return { kind: "numbers", values: Array.from({ length }, () => scalar.read(cursor)) };
  }
  return { kind: "skipped", what: "array", length };
}

function scalarOf(type: number, key: string, path: string): Scalar {
  const scalar = SCALARS.get(type);
  if (scalar === undefined)
    throw unsupportedGguf(
      path,
      `the metadata key ${key} has a value of an unknown type`,
      "check that the file is whole; if it is, update Slipway",
      type,
    );
  return scalar;
}
