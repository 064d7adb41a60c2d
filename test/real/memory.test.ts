/** A real llama-server's memory, as it logs it, beside the ledger that was made before it was started. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { BYTES_PER_MIB } from "../../src/core/units.ts";
import { modelFacts } from "../../src/predict/gguf/model-facts.ts";
import { readGguf } from "../../src/predict/gguf/read-gguf.ts";
import { llamaServerMemory } from "../../src/predict/vram/launch-memory.ts";
import type { ServerMemoryLog } from "../../src/predict/vram/llama-log.ts";
import { parseLlamaLog } from "../../src/predict/vram/llama-log.ts";
import { memoryLedger } from "../../src/predict/vram/memory-ledger.ts";
import { residencyOf, setBeside } from "../../src/predict/vram/set-beside.ts";
import { writeHollowGguf } from "../fakes/hollow-gguf.ts";
import type { MemoryCase } from "../fakes/memory-cases.ts";
import { MEMORY_CASES } from "../fakes/memory-cases.ts";
import { describeOn, findLlamaServer, startPreset } from "./servers.ts";

/** Two decimals are printed, of one line for each kind of layer. */
const PRINTED_MIB = 0.0102;

async function logOf(program: string, model: string, known: MemoryCase): Promise<ServerMemoryLog> {
  const folder = mkdtempSync(join(tmpdir(), "slipway-memory-"));
  const log = join(folder, "server.log");
  const server = await startPreset(
    (port) => ({
      kind: "process",
      command: program,
      args: [
        ...["--model", model, "--host", "127.0.0.1", "--port", `${port}`, "--threads", "1"],
        // --device none: the ledger below is that of a machine without GPU, wherever this runs.
        ...["--device", "none", "--no-warmup", "--verbosity", "4", "--log-file", log, ...known.args],
      ],
      env: {},
      url: `http://127.0.0.1:${port}`,
      healthPath: "/health",
    }),
    folder,
  );
  try {
    return parseLlamaLog(readFileSync(log, "utf8").split("\n"));
  } finally {
    await server.stop();
  }
}

describeOn(findLlamaServer(), "a real llama-server's memory", (program) => {
  const small = MEMORY_CASES.filter((known) => known.size === "small");
  it.each(small)("is what the ledger says: $name", async (known) => {
    const folder = mkdtempSync(join(tmpdir(), "slipway-hollow-"));
    try {
      const model = writeHollowGguf(join(folder, "model.gguf"), known.model());
      const facts = modelFacts(readGguf(model));
      const launch = { ...llamaServerMemory(known.settings, facts), ...known.changes, gpuLayers: 0 };
      const log = await logOf(program, model, known);
      const rows = setBeside(memoryLedger(facts, launch), log);
      expect(rows.map((row) => row.item)).toEqual(expect.arrayContaining(["weights", "compute", "output"]));
      for (const row of rows) {
        const share = -row.differenceBytes / row.parsedBytes;
        if (row.item === "compute") {
          expect(share).toBeGreaterThan(known.computeWithin[0]);
          expect(share).toBeLessThan(known.computeWithin[1]);
        } else expect(Math.abs(row.differenceBytes) / BYTES_PER_MIB, row.item).toBeLessThan(PRINTED_MIB);
      }
      expect(residencyOf(log, facts)).toEqual({ kind: "host-only" });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
