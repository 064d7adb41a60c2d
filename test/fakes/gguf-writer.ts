/**
 * Writes the parts of a GGUF file, version 3, for tests (layout: github.com/ggml-org/ggml,
 * docs/gguf.md).
 */

export type GgufValue =
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly flag: boolean }
  | { readonly text: string }
  | { readonly texts: readonly string[] }
  | { readonly i32s: readonly number[] }
  | { readonly u64: number };

const TYPE_U32 = 4;
const TYPE_I32 = 5;
const TYPE_F32 = 6;
const TYPE_BOOL = 7;
const TYPE_STRING = 8;
const TYPE_ARRAY = 9;
const TYPE_U64 = 10;

/** Appends little-endian values. */
export class GgufWriter {
  readonly #parts: Buffer[] = [];

  ascii(text: string): this {
    this.#parts.push(Buffer.from(text, "latin1"));
    return this;
  }

  u32(value: number): this {
    const part = Buffer.alloc(4);
    part.writeUInt32LE(value);
    this.#parts.push(part);
    return this;
  }

  u64(value: number): this {
    const part = Buffer.alloc(8);
    part.writeBigUInt64LE(BigInt(value));
    this.#parts.push(part);
    return this;
  }

  string(text: string): this {
    const part = Buffer.from(text, "utf8");
    this.u64(part.length);
    this.#parts.push(part);
    return this;
  }

  pair(key: string, value: GgufValue): void {
    this.string(key);
    if ("u32" in value) this.u32(TYPE_U32).u32(value.u32);
    else if ("u64" in value) this.u32(TYPE_U64).u64(value.u64);
    else if ("f32" in value) this.u32(TYPE_F32).#f32(value.f32);
    else if ("flag" in value) this.u32(TYPE_BOOL).#parts.push(Buffer.from([value.flag ? 1 : 0]));
    else if ("text" in value) this.u32(TYPE_STRING).string(value.text);
    else if ("texts" in value) {
      this.u32(TYPE_ARRAY).u32(TYPE_STRING).u64(value.texts.length);
      for (const text of value.texts) this.string(text);
    } else {
      this.u32(TYPE_ARRAY).u32(TYPE_I32).u64(value.i32s.length);
      this.#parts.push(Buffer.from(Int32Array.from(value.i32s).buffer));
    }
  }

  #f32(value: number): void {
    const part = Buffer.alloc(4);
    part.writeFloatLE(value);
    this.#parts.push(part);
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}

const ALIGNMENT_BYTES = 32;

export function paddedLength(length: number): number {
  return Math.ceil(length / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}

export function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(paddedLength(bytes.length));
  whole.set(bytes);
  return whole;
}
