import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { BYTES_PER_MIB } from "../../core/units.ts";
import { hollowFacts } from "../../../test/fakes/hollow-facts.ts";
import { LLAMA_3_8B, hollowLlama } from "../../../test/fakes/hollow-models.ts";
import { llamaServerMemory } from "./launch-memory.ts";
import type { LoggedItem, ServerMemoryLog } from "./llama-log.ts";
import { parseLlamaLog } from "./llama-log.ts";
import { memoryLedger } from "./memory-ledger.ts";
import { observationOf } from "./residual.ts";
import { residencyOf, setBeside, withMeasured, withParsed } from "./set-beside.ts";

const parse = (text: string): ServerMemoryLog => parseLlamaLog(text.split("\n"));

const LLAMA = hollowFacts(hollowLlama(LLAMA_3_8B));

const mib = (log: ServerMemoryLog, item: LoggedItem, device: string): number =>
  log.buffers
    .filter((buffer) => buffer.item === item && buffer.device === device)
    .reduce((sum, buffer) => sum + buffer.bytes, 0) / BYTES_PER_MIB;

/** Put together from the forms of public logs of a machine with a GPU; the figures are made up. */
const ON_A_GPU = `
0.00.100.000 I llama_model_loader: loaded meta data with 30 key-value pairs and 291 tensors from models/m.gguf (version GGUF V3 (latest))
0.00.200.000 I load_tensors: offloading 32 repeating layers to GPU
0.00.200.001 I load_tensors: offloaded 33/33 layers to GPU
0.00.200.002 I load_tensors:   CPU_Mapped model buffer size =   532.31 MiB
0.00.200.003 I load_tensors:        CUDA0 model buffer size =  7605.33 MiB
0.00.300.000 I llama_context: constructing llama_context
0.00.300.001 I llama_context:  CUDA_Host  output buffer size =     0.49 MiB
0.00.300.002 I llama_kv_cache:      CUDA0 KV buffer size =  1024.00 MiB
0.00.300.003 I llama_kv_cache: size = 1024.00 MiB (  8192 cells,  32 layers,  1/1 seqs), K (f16):  512.00 MiB, V (f16):  512.00 MiB
0.00.300.004 I sched_reserve:      CUDA0 compute buffer size =   124.00 MiB
0.00.300.005 I sched_reserve:  CUDA_Host compute buffer size =    16.01 MiB
9.00.000.000 I common_memory_breakdown_print: | memory breakdown [MiB] | total   free    self   model   context   compute    unaccounted |
9.00.000.001 I common_memory_breakdown_print: |   - CUDA0 (RTX 4090)   | 24080 = 14816 + (8753 =  7605 +    1024 +     124) +         511 |
`;

describe("a llama-server log", () => {
  it("gives each buffer with its device, host memory apart from the GPU's", () => {
    const log = parse(ON_A_GPU);
    expect(mib(log, "weights", "CUDA0")).toBeCloseTo(7605.33, 6);
    expect(mib(log, "weights", "CPU_Mapped")).toBeCloseTo(532.31, 6);
    expect(mib(log, "cache", "CUDA0")).toBe(1024);
    expect(mib(log, "compute", "CUDA0")).toBe(124);
    expect(log.buffers.filter((buffer) => buffer.place === "host").map((buffer) => buffer.device)).toEqual([
      "CPU_Mapped",
      "CUDA_Host",
      "CUDA_Host",
    ]);
    expect(log.offloaded).toEqual({ layers: 33, of: 33 });
    expect(log.caches).toEqual([
      {
        cells: 8192,
        layers: 32,
        slots: 1,
        streams: 1,
        keyType: "f16",
        keyBytes: 512 * BYTES_PER_MIB,
        valueType: "f16",
        valueBytes: 512 * BYTES_PER_MIB,
      },
    ]);
  });

  it("gives what no buffer accounts for, where the server prints its table", () => {
    const [device] = parse(ON_A_GPU).devices;
    expect(device).toMatchObject({ name: "CUDA0 (RTX 4090)", unaccountedBytes: 511 * BYTES_PER_MIB });
    expect(device?.ownBytes).toBe(8753 * BYTES_PER_MIB);
  });

  it("takes the last construction of a model, not the sum of the attempts before it", () => {
    const path = fileURLToPath(new URL("../../../test/fixtures/vram/dense-probed.log", import.meta.url));
    const log = parse(readFileSync(path, "utf8"));
    expect(mib(log, "cache", "CPU")).toBe(8);
    expect(mib(log, "weights", "CPU_Mapped")).toBe(7.34);
    expect(mib(log, "weights", "CPU")).toBe(0);
    expect(log.caches).toHaveLength(1);
  });

  it("adds what belongs to different models: a draft beside the model it drafts for", () => {
    const draft = ON_A_GPU.replaceAll("models/m.gguf", "models/draft.gguf").replace("33/33", "9/17");
    const log = parse(ON_A_GPU + draft);
    expect(mib(log, "cache", "CUDA0")).toBe(2048);
    expect(log.offloaded).toEqual({ layers: 33, of: 33 });
  });

  it("reads the words of servers of 2024", () => {
    const log = parse(`
llm_load_tensors: offloaded 41/41 layers to GPU
llm_load_tensors:        CPU buffer size =  1640.62 MiB
llm_load_tensors:      CUDA0 buffer size =  5434.38 MiB
llm_load_tensors:      CUDA1 buffer size = 13989.53 MiB
llama_kv_cache_init:      CUDA0 KV buffer size =  1536.00 MiB
llama_new_context_with_model:  CUDA_Host  output buffer size =     1.95 MiB
llama_new_context_with_model:      CUDA0 compute buffer size =   672.01 MiB`);
    expect(mib(log, "weights", "CUDA1")).toBeCloseTo(13_989.53, 6);
    expect(mib(log, "cache", "CUDA0")).toBe(1536);
    expect(mib(log, "compute", "CUDA0")).toBeCloseTo(672.01, 6);
  });

  it("without such lines is empty, and whether the model is resident is unknown", () => {
    const log = parse("srv  llama_server: listening on http://127.0.0.1:8080");
    expect(log.buffers).toEqual([]);
    expect(residencyOf(log)).toMatchObject({
      kind: "unknown",
      reason: expect.stringContaining("--verbosity 4"),
    });
  });
});

describe("whether a model lies whole on the GPU", () => {
  it("is so when all layers do and only the input embedding is on the host", () => {
    expect(residencyOf(parse(ON_A_GPU), LLAMA)).toEqual({ kind: "resident" });
  });

  it("is not so when layers were left on the host", () => {
    expect(residencyOf(parse(ON_A_GPU.replace("33/33", "28/33")))).toEqual({
      kind: "not-resident",
      reason: "28 of 33 layers are on the GPU",
      hostBytes: 532.31 * BYTES_PER_MIB,
    });
  });

  it("is not so when the cache lies on the host", () => {
    const log = parse(ON_A_GPU.replace("CUDA0 KV buffer", "CPU KV buffer"));
    expect(residencyOf(log)).toMatchObject({ kind: "not-resident", reason: "the cache lies in host memory" });
  });

  it("is not so when experts were sent to the host, whether the log says it or only the sizes do", () => {
    const line = "tensor blk.3.ffn_up_exps.weight (26 MiB q8_0) buffer type overridden to CPU\n";
    expect(residencyOf(parse(ON_A_GPU + line))).toMatchObject({
      kind: "not-resident",
      reason: "1 tensors were sent to host memory",
    });
    const heavy = parse(ON_A_GPU.replace("532.31", "1532.31"));
    expect(residencyOf(heavy, LLAMA)).toMatchObject({ kind: "not-resident" });
  });

  it("is no question on a machine without GPU", () => {
    const path = fileURLToPath(new URL("../../../test/fixtures/vram/hybrid.log", import.meta.url));
    expect(residencyOf(parse(readFileSync(path, "utf8")))).toEqual({ kind: "host-only" });
  });
});

describe("a ledger beside a log", () => {
  const launch = llamaServerMemory({ slots: 1, contextTokensPerSlot: 8192 }, LLAMA);
  const ledger = memoryLedger(LLAMA, launch, { marginBytes: 2 ** 30 });
  const log = parse(ON_A_GPU);

  it("shows the difference per item and place", () => {
    const rows = setBeside(ledger, log);
    const row = (item: string, place: string) => rows.find((one) => one.item === item && one.place === place);
    expect(row("cache", "device")?.differenceBytes).toBe(0);
    // 128,256 × 4,096 elements of q8_0 are 532.31 MiB.
    expect((row("weights", "host")?.differenceBytes ?? 1e9) / BYTES_PER_MIB).toBeCloseTo(0, 1);
    expect(row("compute", "device")?.differenceBytes).toBe(0);
  });

  it("with the log's lines keeps only what the log does not speak of", () => {
    const parsed = withParsed(ledger, log);
    const provenances = new Set(
      parsed.lines.filter((line) => line.item === "cache").map((line) => line.provenance),
    );
    expect([...provenances]).toEqual(["parsed"]);
    expect(parsed.lines.filter((line) => line.provenance === "declared").map((line) => line.item)).toEqual([
      "overhead",
      "margin",
    ]);
  });

  it("with a measured figure comes to that figure, and what is left over is an observation for next time", () => {
    const measuredBytes = 9000 * BYTES_PER_MIB;
    const measured = withMeasured(withParsed(ledger, log), measuredBytes);
    expect(measured.deviceBytes).toBeCloseTo(measuredBytes, 0);
    const seen = observationOf(withParsed(ledger, log), measuredBytes);
    // 9,000 less weights, cache and compute buffer of the log.
    expect((seen.measuredBytes - seen.predictedBytes) / BYTES_PER_MIB).toBeCloseTo(
      9000 - 7605.33 - 1024 - 124,
      6,
    );
  });
});
