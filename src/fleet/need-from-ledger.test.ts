/** What presets take by the ledger of a real header. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../test/fakes/temporary-directory.ts";
import { writeTinyGguf } from "../../test/fakes/tiny-gguf.ts";
import { BYTES_PER_GIB, BYTES_PER_MIB } from "../core/units.ts";
import { presetSchema } from "../preset/preset.ts";
import type { Preset } from "../preset/preset.ts";
import type { MemoryReading } from "./memory.ts";
import { writeMemoryBook } from "./memory-book.ts";
import type { LedgerNeeds } from "./need-from-ledger.ts";
import { ledgerNeeds, proposeFromLedger } from "./need-from-ledger.ts";

let model = "";
let needs: LedgerNeeds;

beforeEach(() => {
  const folder = temporaryDirectory();
  model = writeTinyGguf(join(folder, "tiny.gguf"));
  needs = ledgerNeeds(folder);
});

const reading = (kind: "gpu" | "host"): MemoryReading => ({
  kind,
  totalBytes: 24 * BYTES_PER_GIB,
  freeBytes: 24 * BYTES_PER_GIB,
  hostAvailableBytes: 24 * BYTES_PER_GIB,
});

const preset = (fields: Record<string, unknown> = {}): Preset =>
  presetSchema.parse({
    name: "tiny",
    engine: "llama-server",
    model,
    slots: 2,
    contextTokensPerSlot: 4096,
    ...fields,
  });

/** 4 layers, 4 heads of 32 keys and as many values of 2 bytes: what a token of each slot takes. */
const TOKEN_BYTES = 4 * 4 * 32 * 2 * 2;

describe("a preset that declares nothing", () => {
  it("takes what the ledger says: another slot is another 4,096 tokens of cache", () => {
    const two = needs.needOf(preset(), reading("host"));
    const three = needs.needOf(preset({ slots: 3 }), reading("host"));
    expect(two?.source).toBe("parsed");
    const more = (three?.bytes ?? 0) - (two?.bytes ?? 0);
    expect(more).toBeGreaterThanOrEqual(4096 * TOKEN_BYTES);
    expect(more).toBeLessThan(4096 * TOKEN_BYTES + 3 * BYTES_PER_MIB);
  });

  it("is unknown where the server makes itself fit", () => {
    expect(needs.needOf(preset(), reading("gpu"))).toBeUndefined();
    expect(needs.needOf(preset({ gpuLayers: "all" }), reading("gpu"))?.bytes).toBeGreaterThan(
      8192 * TOKEN_BYTES,
    );
    expect(needs.needOf(preset({ contextTokensPerSlot: undefined }), reading("host"))).toBeUndefined();
  });

  it("is unknown where the header cannot be read", () => {
    expect(needs.needOf(preset({ model: `${model}.absent` }), reading("host"))).toBeUndefined();
    const broken = join(temporaryDirectory(), "broken.gguf");
    writeFileSync(broken, "GGUF, and no more of it");
    expect(needs.needOf(preset({ model: broken }), reading("host"))).toBeUndefined();
  });

  it("takes more on a machine whose starts have taken more than their ledgers", () => {
    const folder = temporaryDirectory();
    const before = ledgerNeeds(folder).needOf(preset(), reading("host"))?.bytes ?? 0;
    writeMemoryBook(folder, "host", [
      { predictedBytes: 100, measuredBytes: 1_100 },
      { predictedBytes: 100, measuredBytes: 3_100 },
    ]);
    expect(ledgerNeeds(folder).needOf(preset(), reading("host"))?.bytes).toBe(before + 2_000);
    expect(ledgerNeeds(folder).needOf(preset({ gpuLayers: "all" }), reading("gpu"))?.bytes).toBe(
      needs.needOf(preset({ gpuLayers: "all" }), reading("gpu"))?.bytes,
    );
  });
});

describe("a preset that declares its memory", () => {
  it("takes what its operator says", () => {
    const declared = preset({ memory: { hostMib: 77 } });
    expect(needs.needOf(declared, reading("host"))).toEqual({
      bytes: 77 * BYTES_PER_MIB,
      source: "declared",
    });
  });

  it("is proposed with fewer slots by its ledger, and by its declaration where there is no header", () => {
    const propose = proposeFromLedger(needs, () => (changed) => (changed.slots ?? 1) * 10 * BYTES_PER_MIB);
    const slotsSaved = (of: Preset) =>
      propose({ presets: [of], missingBytes: 1, kind: "host" }).find(({ kind }) => kind === "fewer-slots")
        ?.savesBytes;
    expect(slotsSaved(preset())).toBeGreaterThanOrEqual(4096 * TOKEN_BYTES);
    expect(slotsSaved(preset({ model: `${model}.absent` }))).toBe(10 * BYTES_PER_MIB);
  });
});
