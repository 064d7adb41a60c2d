import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { BYTES_PER_MIB } from "../../core/units.ts";
import { hollowFacts } from "../../../test/fakes/hollow-facts.ts";
import type { MemoryCase } from "../../../test/fakes/memory-cases.ts";
import { MEMORY_CASES } from "../../../test/fakes/memory-cases.ts";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { writeTinyGguf } from "../../../test/fakes/tiny-gguf.ts";
import { modelFacts } from "../gguf/model-facts.ts";
import { readGguf } from "../gguf/read-gguf.ts";
import { llamaServerMemory, ollamaMemory } from "./launch-memory.ts";
import type { MemoryLedger } from "./ledger.ts";
import type { ServerMemoryLog } from "./llama-log.ts";
import { parseLlamaLog } from "./llama-log.ts";
import { memoryLedger } from "./memory-ledger.ts";
import { setBeside } from "./set-beside.ts";

/** Logs print two decimals of a MiB. */
const PRINTED_MIB = 0.0051;

function ledgerOfCase(known: MemoryCase): MemoryLedger {
  const facts = hollowFacts(known.model());
  // The logs are of a machine without GPU.
  return memoryLedger(facts, { ...llamaServerMemory(known.settings, facts), ...known.changes, gpuLayers: 0 });
}

const logOf = (known: MemoryCase): ServerMemoryLog => logNamed(known.name);

function logNamed(name: string): ServerMemoryLog {
  const path = fileURLToPath(new URL(`../../../test/fixtures/vram/${name}.log`, import.meta.url));
  return parseLlamaLog(readFileSync(path, "utf8").split("\n"));
}

const bytesOf = (ledger: MemoryLedger, item: string): number =>
  ledger.lines.reduce((sum, line) => (line.item === item ? sum + line.bytes : sum), 0);

describe.each(MEMORY_CASES)("the ledger of $name beside the log of a real llama-server", (known) => {
  it("has its cache, state, output and weights to the printed digit, and its compute buffer within the stated share", () => {
    const ledger = ledgerOfCase(known);
    const log = logOf(known);
    const logged = log.caches.reduce((sum, cache) => sum + cache.keyBytes + cache.valueBytes, 0);
    const cacheMib = bytesOf(ledger, "cache") / BYTES_PER_MIB;
    // Keys and values of each cache are printed apart, so that their roundings add up.
    expect(Math.abs(cacheMib - logged / BYTES_PER_MIB)).toBeLessThan(
      2 * log.caches.length * PRINTED_MIB + 1e-9,
    );
    for (const row of setBeside(ledger, log)) {
      const differenceMib = row.differenceBytes / BYTES_PER_MIB;
      if (row.item === "compute") {
        const share = (row.predictedBytes - row.parsedBytes) / row.parsedBytes;
        expect(share).toBeGreaterThan(known.computeWithin[0]);
        expect(share).toBeLessThan(known.computeWithin[1]);
      } else if (known.size === "small" || row.item === "state" || row.item === "output")
        expect.soft(Math.abs(differenceMib), `${row.item} ${differenceMib}`).toBeLessThan(2 * PRINTED_MIB);
    }
  });
});

describe("figures that public logs and a real llama-server print for large models", () => {
  const ledgerNamed = (name: string): MemoryLedger => {
    const known = MEMORY_CASES.find((one) => one.name === name);
    if (known === undefined) throw new Error(`no case ${name}`);
    return ledgerOfCase(known);
  };

  it("a hybrid of 64 layers with 262,144 cells in 16 of them: 16,384.00 MiB, and 598.50 MiB of state for 4 slots", () => {
    const ledger = ledgerNamed("qwen-hybrid-27b");
    expect(bytesOf(ledger, "cache") / BYTES_PER_MIB).toBe(16_384);
    expect(bytesOf(ledger, "state") / BYTES_PER_MIB).toBe(598.5);
  });

  it("32 layers of q8_0 keys for ten slots, 4,096 tokens asked and 5,120 cells given: 680.00 MiB", () => {
    const ledger = ledgerNamed("many-heads-q8");
    expect(bytesOf(ledger, "cache") / 2 / BYTES_PER_MIB).toBe(680);
    expect(ledger.lines.find((line) => line.item === "cache")?.formula).toContain(
      "32 layers × 512 cells × 10 streams",
    );
  });

  it("granite's 655,360 cells: 51,200 MiB", () => {
    expect(bytesOf(ledgerNamed("granite-3.3-2b"), "cache") / BYTES_PER_MIB).toBe(51_200);
  });
});

describe("the ledger beside the log of a real Ollama 0.17.4", () => {
  it("has num_ctx × parallel rounded up per slot: three slots of 1,000 tokens are 3 × 1,024 cells", () => {
    const path = writeTinyGguf(join(temporaryDirectory(), "tiny.gguf"));
    const facts = modelFacts(readGguf(path));
    const launch = { ...ollamaMemory({ slots: 3, contextTokensPerSlot: 1000 }, facts), gpuLayers: 0 };
    const rows = setBeside(memoryLedger(facts, launch), logNamed("ollama-three-slots"));
    const differenceMib = (item: string): number =>
      (rows.find((row) => row.item === item)?.differenceBytes ?? Infinity) / BYTES_PER_MIB;
    expect(differenceMib("cache")).toBe(0);
    expect(Math.abs(differenceMib("weights"))).toBeLessThan(PRINTED_MIB);
    expect(Math.abs(differenceMib("output"))).toBeLessThan(PRINTED_MIB);
    // 6.17 MiB logged: its older llama.cpp uses the mask's room again for the logits, which is not counted on.
    expect(differenceMib("compute")).toBeGreaterThan(-1.1);
    expect(differenceMib("compute")).toBeLessThan(0);
  });
});
