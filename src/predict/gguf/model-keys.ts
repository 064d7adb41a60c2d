import { malformedGguf, unsupportedGguf } from "./gguf-error.ts";
import type { GgufHeader } from "./gguf-header.ts";
import { metadataNumber, metadataNumbers, metadataText } from "./gguf-header.ts";

/** A projector file (`mmproj`): its tensors are loaded whole, beside a language model. */
function isProjector(header: GgufHeader): boolean {
  return metadataText(header, "general.architecture") === "clip";
}

/** Bytes that a projector file adds to its language model's; undefined when the file is no projector. */
export function projectorBytes(header: GgufHeader): number | undefined {
  if (!isProjector(header)) return undefined;
  return header.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
}

/** Widths, heads, tokens: llama.cpp holds them in 32 bits. */
const LARGEST_COUNT = 2 ** 32;

/** The metadata of a language model, under its architecture's prefix. */
export class ModelKeys {
  readonly header: GgufHeader;
  readonly architecture: string;

  constructor(header: GgufHeader) {
    this.header = header;
    const architecture = metadataText(header, "general.architecture");
    if (architecture === undefined)
      throw malformedGguf(header.path, "it does not name an architecture (general.architecture)");
    if (isProjector(header))
      throw unsupportedGguf(
        header.path,
        "a projector, not a language model",
        "name the language model here, and this file as its mmproj",
        architecture,
      );
    this.architecture = architecture;
  }

  /** All numbers that matter here count something; throws GGUF_INVALID for one that cannot. */
  number(key: string): number | undefined {
    const value = metadataNumber(this.header, `${this.architecture}.${key}`);
    return value === undefined ? undefined : this.#counted(key, value);
  }

  #counted(key: string, value: number): number {
    if (Number.isInteger(value) && value >= 0 && value <= LARGEST_COUNT) return value;
    throw malformedGguf(this.header.path, `${this.architecture}.${key} cannot be ${value}`, value);
  }

  needed(key: string): number {
    const value = this.number(key);
    if (value === undefined)
      throw malformedGguf(this.header.path, `it lacks the number ${this.architecture}.${key}`, value);
    return value;
  }

  numbers(key: string): readonly number[] | undefined {
    return metadataNumbers(this.header, `${this.architecture}.${key}`)?.map((value) =>
      this.#counted(key, value),
    );
  }

  /** One number for all layers, or an array with one for each. */
  perLayer(key: string, layers: number, fallback: number): readonly number[] {
    const listed = this.numbers(key);
    const single = this.number(key) ?? fallback;
    return Array.from({ length: layers }, (_, layer) =>
      listed === undefined ? single : (listed[layer] ?? 0),
    );
  }
}
