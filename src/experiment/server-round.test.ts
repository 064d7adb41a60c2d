/** One server of a sweep, on a machine on paper. */
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { PaperSweepMachine, paperCell, paperSweep } from "../../test/fakes/paper-sweep.ts";
import { temporaryDirectory } from "../../test/fakes/temporary-directory.ts";
import { writeTinyGguf } from "../../test/fakes/tiny-gguf.ts";
import { BYTES_PER_GIB, BYTES_PER_MIB, NS_PER_S } from "../core/units.ts";
import { presetSchema } from "../preset/preset.ts";
import { clear, configured, startServer } from "./server-round.ts";
import { startRecordSchema } from "./start-record.ts";

let model = "";
beforeEach(() => {
  model = writeTinyGguf(join(temporaryDirectory(), "tiny.gguf"));
});

/** What a llama-server with all layers on a GPU says at verbosity 4. */
const ON_GPU = [
  "load_tensors: offloaded 5/5 layers to GPU",
  "load_tensors:        CUDA0 model buffer size =     7.34 MiB",
  "llama_kv_cache:      CUDA0 KV buffer size =    16.00 MiB",
];

const CELL = paperCell(2, 4096);

describe("a server that starts", () => {
  it("is measured at rest, beside its ledger and its log, and may be worked on", async () => {
    const machine = new PaperSweepMachine();
    machine.scriptOf = () => ({ holdsMib: 340, log: ON_GPU });
    const { sweep, sink, run } = paperSweep(model, machine);
    const { record, url } = await run(startServer(sweep, CELL));
    expect(url).toBe("http://127.0.0.1:1/tiny-2x4096");
    expect(record).toMatchObject({
      cell: "2x4096",
      outcome: { kind: "fits" },
      usedBytes: 340 * BYTES_PER_MIB,
      usedFrom: "processes",
      freeBeforeBytes: 24 * BYTES_PER_GIB,
      freeBytes: 24 * BYTES_PER_GIB - 340 * BYTES_PER_MIB,
      bootMs: 2_000,
      residency: "resident",
    });
    // 4 layers × 4 heads × 32 × 2 bytes, keys and values, for 2 × 4,096 cells: 16 MiB to the byte.
    expect(record.compared.find(({ item }) => item === "cache")).toMatchObject({
      predictedBytes: 16 * BYTES_PER_MIB,
      parsedBytes: 16 * BYTES_PER_MIB,
    });
    expect(startRecordSchema.parse(sink.events[0]?.data)).toEqual(record);
  });

  it("teaches the next ledger what no line predicts", async () => {
    const machine = new PaperSweepMachine();
    machine.scriptOf = () => ({ holdsMib: 340, log: ON_GPU });
    const { sweep, run } = paperSweep(model, machine);
    const first = await run(startServer(sweep, CELL));
    const second = await run(startServer(sweep, CELL));
    expect(first.record.predictedBytes).not.toBe(340 * BYTES_PER_MIB);
    expect(second.record.predictedBytes).toBeCloseTo(340 * BYTES_PER_MIB, 0);
  });

  it("is measured by what came to be missing where the driver does not tell", async () => {
    const machine = new PaperSweepMachine();
    machine.tellsUse = false;
    machine.scriptOf = () => ({ holdsMib: 500, log: ON_GPU });
    const { sweep, run } = paperSweep(model, machine);
    const { record } = await run(startServer(sweep, CELL));
    expect(record).toMatchObject({ usedBytes: 500 * BYTES_PER_MIB, usedFrom: "pool" });
  });

  it("waits until the memory of the one before is back, and then the quiet time", async () => {
    const machine = new PaperSweepMachine();
    machine.scriptOf = () => ({ holdsMib: 2_000, log: ON_GPU, releasesAfterMs: 3_000 });
    const { sweep, run } = paperSweep(model, machine);
    await run(startServer(sweep, CELL));
    const before = machine.clock.nowNs();
    const { record } = await run(startServer(sweep, paperCell(3, 4096)));
    expect(record.freeBeforeBytes).toBe(24 * BYTES_PER_GIB);
    expect((machine.clock.nowNs() - before) / NS_PER_S).toBe(3 + 8);
    expect(machine.asked).toEqual([[], ["tiny-2x4096"], [], ["tiny-3x4096"]]);
  });

  it("keeps what stands beside", async () => {
    const machine = new PaperSweepMachine();
    const beside = [presetSchema.parse({ name: "embed", engine: "llama-server", model })];
    const { sweep, run } = paperSweep(model, machine, { beside, freeAtRestBytes: 23 * BYTES_PER_GIB });
    await run(startServer(sweep, CELL));
    expect(machine.asked).toEqual([["embed"], ["embed", "tiny-2x4096"]]);
  });
});

describe("a server that is no use", () => {
  it.each([
    [
      "whose layers went to host memory",
      { log: ["load_tensors: offloaded 3/5 layers to GPU", ...ON_GPU.slice(1)] },
      { kind: "not-resident", reason: "3 of 5 layers are on the GPU" },
    ],
    [
      "that uses no GPU where there is one",
      { log: ["load_tensors:   CPU_Mapped model buffer size =     7.34 MiB"] },
      { kind: "not-resident", reason: "the server uses no GPU" },
    ],
    [
      "that ended before it was healthy",
      { failure: { code: "GPU_OUT_OF_MEMORY", message: "no memory left for its cache" } },
      { kind: "did-not-start", code: "GPU_OUT_OF_MEMORY", reason: "no memory left for its cache" },
    ],
    [
      "that preflight refused",
      { refusal: "the disk is full" },
      { kind: "refused", reason: "the disk is full" },
    ],
  ])("is one %s", async (_what, script, outcome) => {
    const machine = new PaperSweepMachine();
    machine.scriptOf = () => script;
    const { sweep, sink, run } = paperSweep(model, machine);
    const { record, url } = await run(startServer(sweep, CELL));
    expect(record.outcome).toEqual(outcome);
    expect(url).toBeUndefined();
    expect(sink.events).toHaveLength(1);
  });

  it("leaves less free than the floor: 1.5 GiB where images come", async () => {
    const machine = new PaperSweepMachine();
    machine.scriptOf = () => ({ holdsMib: 23 * 1024, log: ON_GPU });
    const { sweep, run } = paperSweep(model, machine, { floorBytes: 1.5 * BYTES_PER_GIB });
    const { record } = await run(startServer(sweep, CELL));
    expect(record.outcome).toEqual({
      kind: "too-tight",
      reason: "1024 MiB are free with it at rest, 1536 MiB are to stay so",
    });
  });

  it("is not started at all where the ledger excludes it", async () => {
    const machine = new PaperSweepMachine();
    const { sweep, run } = paperSweep(model, machine);
    // 2 KiB of cache for a token: 16 slots of 2^20 tokens are 32 GiB.
    const { record } = await run(startServer(sweep, paperCell(16, 2 ** 20)));
    expect(record.outcome.kind).toBe("excluded");
    expect(machine.asked).toEqual([]);
  });
});

describe("clearing the machine", () => {
  it("gives up where memory does not come back, and says how much is missing", async () => {
    const machine = new PaperSweepMachine();
    const { sweep, run } = paperSweep(model, machine, { freeAtRestBytes: 30 * BYTES_PER_GIB });
    await expect(run(clear(sweep))).rejects.toMatchObject({
      code: "MEMORY_NOT_FREED",
      message: "24.0 GiB are free 120 s after the server ended, 30.0 GiB were before the first",
    });
  });

  it("waits until the watchdog lets clients in again", async () => {
    const machine = new PaperSweepMachine();
    machine.short = true;
    const { sweep, run } = paperSweep(model, machine);
    machine.clock.timerAt(30 * NS_PER_S, () => {
      machine.short = false;
    });
    await run(clear(sweep));
    expect(machine.clock.nowNs() / NS_PER_S).toBeGreaterThanOrEqual(38);
  });
});

describe("a cell's preset", () => {
  it("has the cell's settings, a free port, and a name that tells them, of 60 characters at most", () => {
    const machine = new PaperSweepMachine();
    const { sweep } = paperSweep(model, machine);
    const base = { ...sweep.base, name: "n".repeat(58), port: 8080, mmproj: "p.gguf", dependsOn: ["embed"] };
    const preset = configured(base, { ...CELL, vision: "off" });
    expect(preset).toMatchObject({ slots: 2, contextTokensPerSlot: 4096, port: "free", dependsOn: [] });
    expect(preset).not.toHaveProperty("mmproj");
    expect(preset.name).toBe(`${"n".repeat(53)}-2x4096`);
  });
});
