/** What stands at the beginning of a GGUF file: facts about the model, and a table of its tensors. */

export type GgufValue =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "flag"; readonly value: boolean }
  | { readonly kind: "text"; readonly value: string }
  /** A short array of numbers or flags (flags as 0 and 1), such as heads per layer. */
  | { readonly kind: "numbers"; readonly values: readonly number[] }
  /** Read over and not kept: vocabularies, merges, templates. */
  | { readonly kind: "skipped"; readonly what: "text" | "array"; readonly length: number };

export interface GgufTensor {
  readonly name: string;
  readonly typeName: string;
  /** Fastest-moving dimension first, as the file has it. */
  readonly dimensions: readonly number[];
  readonly elements: number;
  readonly bytes: number;
  /** In its file, from the end of the header. */
  readonly offsetBytes: number;
}

export interface GgufHeader {
  /** Of the first file, where a model is split. */
  readonly path: string;
  readonly version: 2 | 3;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  /** Sum over the files of a split model. */
  readonly fileBytes: number;
  readonly files: number;
}

/** The number under a key; undefined when it is absent or is something else. */
export function metadataNumber(header: GgufHeader, key: string): number | undefined {
  const value = header.metadata.get(key);
  if (value?.kind === "number") return value.value;
  return value?.kind === "flag" ? Number(value.value) : undefined;
}

export function metadataText(header: GgufHeader, key: string): string | undefined {
  const value = header.metadata.get(key);
  return value?.kind === "text" ? value.value : undefined;
}

/** Short numeric arrays as they are; a single number is not an array. */
export function metadataNumbers(header: GgufHeader, key: string): readonly number[] | undefined {
  const value = header.metadata.get(key);
  return value?.kind === "numbers" ? value.values : undefined;
}

/** Length of an array whether it was kept or read over. */
export function metadataLength(header: GgufHeader, key: string): number | undefined {
  const value = header.metadata.get(key);
  if (value?.kind === "numbers") return value.values.length;
  return value?.kind === "skipped" && value.what === "array" ? value.length : undefined;
}
