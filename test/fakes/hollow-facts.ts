import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { modelFacts } from "../../src/predict/gguf/model-facts.ts";
import type { ModelFacts } from "../../src/predict/gguf/model-facts.ts";
import { readGguf } from "../../src/predict/gguf/read-gguf.ts";
import type { HollowModel } from "./hollow-gguf.ts";
import { writeHollowGguf } from "./hollow-gguf.ts";

/** What the reader of headers says of a hollow model: written, read, and removed again. */
export function hollowFacts(model: HollowModel): ModelFacts {
  const folder = mkdtempSync(join(tmpdir(), "slipway-hollow-"));
  try {
    return modelFacts(readGguf(writeHollowGguf(join(folder, "model.gguf"), model)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
