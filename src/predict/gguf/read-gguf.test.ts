import { mkdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OperatorError } from "../../core/errors.ts";
import type { HollowModel } from "../../../test/fakes/hollow-gguf.ts";
import { hollowHeader, writeHollowGguf } from "../../../test/fakes/hollow-gguf.ts";
import { LLAMA_3_8B, hollowLlama } from "../../../test/fakes/hollow-models.ts";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { writeTinyGguf } from "../../../test/fakes/tiny-gguf.ts";
import { metadataLength, metadataNumber, metadataText } from "./gguf-header.ts";
import { readGguf } from "./read-gguf.ts";

const SMALL: HollowModel = {
  architecture: "llama",
  metadata: { ".block_count": { u32: 1 }, "tokenizer.ggml.tokens": { texts: ["a", "bc", "d"] } },
  tensors: [
    { name: "token_embd.weight", dimensions: [64, 3], type: "q8_0" },
    { name: "output_norm.weight", dimensions: [64], type: "f32" },
  ],
};

function folder(): string {
  return temporaryDirectory();
}

function refusal(path: string): OperatorError {
  try {
    readGguf(path);
  } catch (thrown) {
    if (thrown instanceof OperatorError) return thrown;
    throw thrown;
  }
  throw new Error("it was read");
}

function written(bytes: Uint8Array): string {
  const path = join(folder(), "model.gguf");
  writeFileSync(path, bytes);
  return path;
}

/** What is still reachable: collected first, so that the figure does not depend on when the collector last ran. */
function heldBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe("a GGUF header", () => {
  it("says what a real server's model is, and what its tensors weigh", () => {
    const path = writeTinyGguf(join(folder(), "tiny.gguf"));
    const header = readGguf(path);
    expect(metadataText(header, "general.architecture")).toBe("llama");
    expect(metadataNumber(header, "llama.block_count")).toBe(4);
    // 256 bytes, 2 × 120 open and 2,400 closed syllables, 5 control tokens.
    expect(metadataLength(header, "tokenizer.ggml.tokens")).toBe(2901);
    expect(header.tensors).toHaveLength(39);
    // "model buffer size = 7.34 MiB" in llama-server's log of this file.
    const bytes = header.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
    expect((bytes / 2 ** 20).toFixed(2)).toBe("7.34");
    expect(header.fileBytes).toBe(statSync(path).size);
  });

  it("of a model of 8 GB is read without its weights", () => {
    const path = writeHollowGguf(join(folder(), "large.gguf"), hollowLlama(LLAMA_3_8B));
    const header = readGguf(path);
    const elements = header.tensors.reduce((sum, tensor) => sum + tensor.elements, 0);
    expect(elements).toBe(8_030_261_248);
    expect(header.fileBytes).toBeGreaterThan(8.5e9);
  });

  it("of a split model is put together from its parts, whichever is named", () => {
    const parts = folder();
    const [first, second] = [1, 2].map((number) => join(parts, `m-0000${number}-of-00002.gguf`)) as [
      string,
      string,
    ];
    writeHollowGguf(first, { ...SMALL, tensors: SMALL.tensors.slice(0, 1) }, { number: 0, count: 2 });
    writeHollowGguf(
      second,
      { ...SMALL, metadata: {}, tensors: SMALL.tensors.slice(1) },
      { number: 1, count: 2 },
    );
    const header = readGguf(second);
    expect(header.files).toBe(2);
    expect(header.tensors.map((tensor) => tensor.bytes)).toEqual([2 * 3 * 34, 256]);
    expect(metadataNumber(header, "llama.block_count")).toBe(1);
    expect(header.fileBytes).toBe(statSync(first).size + statSync(second).size);
  });

  it("of a split model needs every part, and each in its place", () => {
    const parts = folder();
    const first = join(parts, "m-00001-of-00002.gguf");
    writeHollowGguf(first, SMALL, { number: 0, count: 2 });
    expect(refusal(first)).toMatchObject({
      code: "FILE_NOT_FOUND",
      message: expect.stringContaining("00002"),
    });
    writeHollowGguf(join(parts, "m-00002-of-00002.gguf"), { ...SMALL, tensors: [] }, { number: 0, count: 2 });
    expect(refusal(first)).toMatchObject({
      code: "GGUF_INVALID",
      message: expect.stringContaining("its name says part 2"),
    });
  });

  it("is refused for a part alone that was given another name", () => {
    const path = join(folder(), "renamed.gguf");
    writeHollowGguf(path, SMALL, { number: 0, count: 3 });
    expect(refusal(path).message).toContain("part 1 of 3");
  });
});

describe("a file that is no sound GGUF is refused with what is wrong", () => {
  const sound = Buffer.concat([hollowHeader(SMALL), Buffer.alloc(512)]);
  const changed = (edit: (bytes: Buffer) => void): string => {
    const bytes = Buffer.from(sound);
    edit(bytes);
    return written(bytes);
  };

  it("bad magic", () => {
    expect(refusal(changed((bytes) => bytes.write("GGML"))).message).toContain("letters GGUF");
  });

  it("nothing, a folder, a missing file", () => {
    expect(refusal(written(Buffer.alloc(0))).code).toBe("GGUF_INVALID");
    const path = join(folder(), "folder.gguf");
    mkdirSync(path);
    expect(refusal(path).message).toContain("not a regular file");
    expect(refusal(join(folder(), "missing.gguf")).code).toBe("FILE_NOT_FOUND");
  });

  it.each([
    [1, "version 1"],
    [4, "version 4"],
    [0x03000000, "big-endian"],
  ])("version %i", (version, said) => {
    const error = refusal(changed((bytes) => bytes.writeUInt32LE(version, 4)));
    expect(error.code).toBe("GGUF_UNSUPPORTED");
    expect(error.message).toContain(said);
    expect(error.received).toBe(version);
  });

  it("counts that the file cannot hold, before anything is allocated for them", () => {
    const manyTensors = refusal(changed((bytes) => bytes.writeBigUInt64LE(2n ** 60n, 8)));
    expect(manyTensors.message).toContain("tensors");
    const manyKeys = refusal(changed((bytes) => bytes.writeBigUInt64LE(2000n, 16)));
    expect(manyKeys.message).toContain("metadata keys");
    const at = sound.indexOf("tokenizer.ggml.tokens") + "tokenizer.ggml.tokens".length + 8;
    const manyTokens = refusal(changed((bytes) => bytes.writeBigUInt64LE(2n ** 40n, at)));
    expect(manyTokens.message).toContain("elements of tokenizer.ggml.tokens");
  });

  it("an unknown or removed tensor type", () => {
    // Name, number of dimensions, two dimensions: the type stands 20 bytes after the name.
    const at = sound.indexOf("token_embd.weight") + "token_embd.weight".length + 20;
    const error = refusal(changed((bytes) => bytes.writeUInt32LE(31, at)));
    expect(error).toMatchObject({ code: "GGUF_UNSUPPORTED", received: 31 });
  });

  it("tensors that overlap, are not aligned, or have impossible shapes", () => {
    const name = sound.indexOf("output_norm.weight") + "output_norm.weight".length;
    expect(refusal(changed((bytes) => bytes.writeBigUInt64LE(32n, name + 16))).message).toContain("overlaps");
    expect(refusal(changed((bytes) => bytes.writeBigUInt64LE(225n, name + 16))).message).toContain("aligned");
    const embedding = sound.indexOf("token_embd.weight") + "token_embd.weight".length;
    expect(refusal(changed((bytes) => bytes.writeBigUInt64LE(63n, embedding + 4))).message).toContain(
      "shape",
    );
    expect(refusal(changed((bytes) => bytes.writeBigUInt64LE(2n ** 58n, embedding + 4))).message).toContain(
      "shape",
    );
  });

  it("a download that was cut short, in the header or in the weights", () => {
    const path = writeTinyGguf(join(folder(), "tiny.gguf"));
    truncateSync(path, 1_000_000);
    expect(refusal(path).message).toContain("cut short");
    truncateSync(path, 30_000);
    expect(refusal(path).message).toContain("within its header");
  });

  it("a key that stands twice", () => {
    const twice = { ...SMALL, metadata: { ".block_count": { u32: 1 }, "llama.block_count": { u32: 2 } } };
    expect(refusal(written(hollowHeader(twice))).message).toContain("twice");
  });
});

describe("whatever the bytes", () => {
  it("a header is read or refused as an operator error, never more", () => {
    const sound = Buffer.concat([hollowHeader(SMALL), Buffer.alloc(512)]);
    const path = join(folder(), "mutant.gguf");
    const mutation = fc.record({ at: fc.nat(sound.length - 1), value: fc.nat(255) });
    fc.assert(
      fc.property(
        fc.array(mutation, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 0, max: sound.length }),
        (mutations, length) => {
          const bytes = Buffer.from(sound);
          for (const { at, value } of mutations) bytes[at] = value;
          writeFileSync(path, bytes.subarray(0, length));
          try {
            const header = readGguf(path);
            expect(header.tensors.every((tensor) => tensor.bytes <= header.fileBytes)).toBe(true);
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(OperatorError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("a file that claims as much as it may takes less than 50 MB", () => {
    const path = writeHollowGguf(join(folder(), "claims.gguf"), {
      architecture: "llama",
      metadata: Object.fromEntries(
        Array.from({ length: 2000 }, (_, index) => [
          `${"k".repeat(900)}${index}`,
          index % 2 === 0 ? { text: "t".repeat(2048) } : { i32s: Array.from({ length: 512 }, () => 1) },
        ]),
      ),
      tensors: Array.from({ length: 60_000 }, (_, index) => ({
        name: `${"t".repeat(50)}${index}`,
        dimensions: [32, 1, 1, 1],
        type: "q8_0" as const,
      })),
    });
    const before = heldBytes();
    const header = readGguf(path);
    const after = heldBytes();
    expect(header.tensors).toHaveLength(60_000);
    expect(after - before).toBeLessThan(50 * 2 ** 20);
  });

  it("strings across the edges of the reading window are whole", () => {
    const texts = Array.from({ length: 90_000 }, (_, index) => `word${index}`);
    const path = writeHollowGguf(join(folder(), "long.gguf"), {
      ...SMALL,
      metadata: {
        "tokenizer.ggml.tokens": { texts },
        ".block_count": { u32: 77 },
        "general.name": { text: "after" },
      },
    });
    const header = readGguf(path);
    expect(metadataLength(header, "tokenizer.ggml.tokens")).toBe(90_000);
    expect(metadataNumber(header, "llama.block_count")).toBe(77);
    expect(metadataText(header, "general.name")).toBe("after");
  });
});
