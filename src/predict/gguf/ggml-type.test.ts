import { describe, expect, it } from "vitest";
import { elementsBytes, ggmlType, ggmlTypeNamed } from "./ggml-type.ts";

describe("ggml types", () => {
  it("have the block sizes that ggml 0.25 answers for each number", () => {
    // Printed by a program that called ggml_blck_size and ggml_type_size of the built library.
    const asked: readonly (readonly [number, string, number, number])[] = [
      [0, "f32", 1, 4],
      [1, "f16", 1, 2],
      [2, "q4_0", 32, 18],
      [8, "q8_0", 32, 34],
      [12, "q4_K", 256, 144],
      [14, "q6_K", 256, 210],
      [20, "iq4_nl", 32, 18],
      [29, "iq1_m", 256, 56],
      [34, "tq1_0", 256, 54],
      [39, "mxfp4", 32, 17],
      [40, "nvfp4", 64, 36],
      [41, "q1_0", 128, 18],
    ];
    for (const [number, name, blockElements, blockBytes] of asked)
      expect(ggmlType(number)).toEqual({ name, blockElements, blockBytes });
  });

  it("leave out the numbers that were taken out of the format", () => {
    for (const number of [4, 5, 31, 32, 33, 36, 37, 38, 43]) expect(ggmlType(number)).toBeUndefined();
  });

  it("count whole blocks", () => {
    const q8 = ggmlTypeNamed("q8_0");
    if (q8 === undefined) throw new Error("q8_0 is missing");
    expect(elementsBytes(q8, 64)).toBe(68);
    expect(elementsBytes(q8, 65)).toBe(102);
  });
});
