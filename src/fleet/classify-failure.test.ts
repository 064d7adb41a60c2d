import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FailureCause } from "./classify-failure.ts";
import { classifyFailure } from "./classify-failure.ts";

const FOLDER = new URL("../../test/fixtures/failure-logs/", import.meta.url);
const linesOf = (name: string): string[] => readFileSync(new URL(`${name}.txt`, FOLDER), "utf8").split("\n");

describe("what real servers said before they ended", () => {
  test.each<[log: string, cause: FailureCause, quoted: string]>([
    ["llama-server-missing-model", "model-not-found", "nothere.gguf"],
    ["llama-server-missing-draft", "model-not-found", "nothere.gguf"],
    ["llama-server-unknown-flag", "bad-flag", "--no-such-flag"],
    ["llama-server-flag-value", "bad-flag", "--ctx-size"],
    ["llama-server-cache-type", "bad-flag", "q9_9"],
    ["llama-server-truncated-model", "model-damaged", "output.weight"],
    ["llama-server-not-gguf", "model-damaged", "invalid magic"],
    ["llama-server-bad-mmproj", "model-damaged", "invalid magic"],
    ["llama-server-unknown-architecture", "model-unsupported", "xlama"],
    ["llama-server-port-in-use", "port-in-use", "18098"],
    ["llama-server-no-permission", "permission", "noperm.gguf"],
    ["llama-server-host-out-of-memory", "host-out-of-memory", "7812.50 MB"],
    ["llama-server-mmap-failed", "host-out-of-memory", "mmap failed"],
    ["ollama-port-in-use", "port-in-use", "127.0.0.1:18433"],
  ])("%s: %s", (log, cause, quoted) => {
    const failure = classifyFailure(linesOf(log), { code: 1 });
    expect(failure.cause).toBe(cause);
    expect(failure.message).toContain(quoted);
    expect(failure.nextStep).not.toBe("");
  });
});

describe("what servers with GPUs say, from reports in their public trackers", () => {
  test.each<[line: string, cause: FailureCause]>([
    [
      "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 144817.04 MiB on device 0: cudaMalloc failed: out of memory",
      "cuda-out-of-memory",
    ],
    ["llama_model_load: error loading model: unable to allocate CUDA0 buffer", "cuda-out-of-memory"],
    ["Error: llama runner process has terminated: CUDA error: out of memory", "cuda-out-of-memory"],
    [
      "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 350.00 MiB. GPU 0 has a total capacity of 23.68 GiB",
      "cuda-out-of-memory",
    ],
    [
      "ERROR [core.py:515] ValueError: Free memory on device (31.44/47.38 GiB) on startup is less than desired GPU memory utilization (0.95, 45.01 GiB).",
      "cuda-out-of-memory",
    ],
    [
      "ValueError: To serve at least one request with the model's max seq len (40960), (5.62 GiB KV cache is needed, which is larger than the available KV cache memory (2.40 GiB).",
      "cuda-out-of-memory",
    ],
    ["ValueError: No available memory for the cache blocks.", "cuda-out-of-memory"],
    [
      "ggml_cuda_init: failed to initialize CUDA: CUDA driver version is insufficient for CUDA runtime version",
      "driver-mismatch",
    ],
    [
      "ggml_cuda_init: failed to initialize CUDA: system has unsupported display driver / cuda driver combination",
      "driver-mismatch",
    ],
    ["RuntimeError: The NVIDIA driver on your system is too old (found version 12080).", "driver-mismatch"],
    [
      '{"error":"model requires more system memory (5.3 GiB) than is available (3.3 GiB)"}',
      "host-out-of-memory",
    ],
    ["terminate called after throwing an instance of 'std::bad_alloc'", "host-out-of-memory"],
    ["OSError: [Errno 98] Address already in use", "port-in-use"],
    ["vllm: error: unrecognized arguments: --disable-log-requests", "bad-flag"],
    [
      "OSError: no/model is not a local folder and is not a valid model identifier listed on the hub",
      "model-not-found",
    ],
    ['{"error":"model \'nothere\' not found"}', "model-not-found"],
    [
      "ValueError: Model architectures ['DbrxForCausalLM'] are not supported for now. Supported architectures: ['AquilaModel']",
      "model-unsupported",
    ],
    ["llama-server: error while loading shared libraries: libgomp.so.1: cannot open", "program-unfit"],
  ])("%s", (line, cause) => {
    const log = ["INFO starting", line, "srv  llama_server: exiting due to model loading error"];
    expect(classifyFailure(log, { code: 1 }).cause).toBe(cause);
  });

  test("a driver that does not fit is the cause also when the host's memory then runs out", () => {
    const log = [
      "ggml_cuda_init: failed to initialize CUDA: CUDA driver version is insufficient for CUDA runtime version",
      "ggml_aligned_malloc: insufficient memory (attempted to allocate 7812.50 MB)",
    ];
    expect(classifyFailure(log, { code: 1 }).cause).toBe("driver-mismatch");
  });

  test("a failure that the server got over is not the cause of its end", () => {
    const log = [
      "E ggml_backend_cuda_buffer_type_alloc_buffer: allocating 51748.72 MiB on device 1: cudaMalloc failed: out of memory",
      "W sched_reserve: compute buffer allocation failed, retrying without pipeline parallelism",
      "I srv    load_model: initializing, n_slots = 1",
    ];
    expect(classifyFailure(log, { signal: "SIGSEGV" }).cause).toBe("crashed");
  });
});

describe("servers that end without a word", () => {
  test.each<[exit: { code?: number; signal?: string }, cause: FailureCause]>([
    [{ signal: "SIGKILL" }, "host-out-of-memory"],
    [{ code: 137 }, "host-out-of-memory"],
    [{ signal: "SIGILL" }, "program-unfit"],
    [{ code: 139 }, "crashed"],
    [{ code: 3 }, "unknown"],
    [{}, "unknown"],
  ])("%j is %s", (exit, cause) => {
    expect(classifyFailure(["all slots are idle"], exit).cause).toBe(cause);
  });
});

test("whatever a log holds, the answer is one printable line with a next step", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" })), fc.integer(), (tail, code) => {
      const { message, nextStep } = classifyFailure([...tail, "\u001b[31mCUDA error: out of memory\n"], {
        code,
      });
      expect(message).not.toMatch(/\p{Cc}/u);
      expect(nextStep.length).toBeGreaterThan(0);
    }),
  );
});
