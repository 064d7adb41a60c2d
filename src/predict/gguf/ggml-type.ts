/**
 * How many bytes ggml needs for numbers of each of its types: whole blocks of so many elements and
 * so many bytes (github.com/ggml-org/ggml, the type traits in src/ggml.c, version 0.25). Sizes by
 * nominal bits per weight are wrong by up to 12 %: a q8_0 block of 32 has 34 bytes, not 32.
 */

export interface GgmlType {
  readonly name: string;
  readonly blockElements: number;
  readonly blockBytes: number;
}

/** By the number that stands in a GGUF file. Numbers that are missing were taken out of the format. */
const GGML_TYPES: ReadonlyMap<number, GgmlType> = new Map(
  (
    [
      [0, "f32", 1, 4],
      [1, "f16", 1, 2],
      [2, "q4_0", 32, 18],
      [3, "q4_1", 32, 20],
      [6, "q5_0", 32, 22],
      [7, "q5_1", 32, 24],
      [8, "q8_0", 32, 34],
      [9, "q8_1", 32, 36],
      [10, "q2_K", 256, 84],
      [11, "q3_K", 256, 110],
      [12, "q4_K", 256, 144],
      [13, "q5_K", 256, 176],
      [14, "q6_K", 256, 210],
      [15, "q8_K", 256, 292],
      [16, "iq2_xxs", 256, 66],
      [17, "iq2_xs", 256, 74],
      [18, "iq3_xxs", 256, 98],
      [19, "iq1_s", 256, 50],
      [20, "iq4_nl", 32, 18],
      [21, "iq3_s", 256, 110],
      [22, "iq2_s", 256, 82],
      [23, "iq4_xs", 256, 136],
      [24, "i8", 1, 1],
      [25, "i16", 1, 2],
      [26, "i32", 1, 4],
      [27, "i64", 1, 8],
      [28, "f64", 1, 8],
      [29, "iq1_m", 256, 56],
      [30, "bf16", 1, 2],
      [34, "tq1_0", 256, 54],
      [35, "tq2_0", 256, 66],
      [39, "mxfp4", 32, 17],
      [40, "nvfp4", 64, 36],
      [41, "q1_0", 128, 18],
      [42, "q2_0", 64, 18],
    ] as const
  ).map(([number, name, blockElements, blockBytes]) => [number, { name, blockElements, blockBytes }]),
);

const TYPES_BY_NAME: ReadonlyMap<string, GgmlType> = new Map(
  [...GGML_TYPES.values()].map((type) => [type.name, type]),
);

export function ggmlType(number: number): GgmlType | undefined {
  return GGML_TYPES.get(number);
}

export function ggmlTypeNamed(name: string): GgmlType | undefined {
  return TYPES_BY_NAME.get(name);
}

/** Bytes of so many elements; a part of a block takes a whole one. */
export function elementsBytes(type: GgmlType, elements: number): number {
  return Math.ceil(elements / type.blockElements) * type.blockBytes;
}
