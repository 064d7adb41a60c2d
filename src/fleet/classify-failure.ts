/**
 * Why a server ended, read from the last lines of its log and from how it ended. The rules know the
 * words of llama-server, vLLM and Ollama; real logs of each lie in test/fixtures/failure-logs.
 */
import type { ErrorCode } from "../core/error-codes.ts";
import { printable } from "../core/errors.ts";
import type { ServerExit } from "./world.ts";

export type FailureCause =
  | "driver-mismatch"
  | "cuda-out-of-memory"
  | "host-out-of-memory"
  | "permission"
  | "model-not-found"
  | "model-damaged"
  | "model-unsupported"
  | "bad-flag"
  | "port-in-use"
  | "program-unfit"
  | "crashed"
  | "unknown";

export interface ClassifiedFailure {
  readonly cause: FailureCause;
  readonly code: ErrorCode;
  /** One sentence, with the server's own words where there are any. */
  readonly message: string;
  readonly nextStep: string;
}

interface Rule {
  readonly cause: FailureCause;
  readonly code: ErrorCode;
  readonly pattern: RegExp;
  readonly meaning: string;
  readonly nextStep: string;
}

/**
 * The first rule that finds a line wins, so that a cause stands before what follows from it: a
 * driver that does not fit moves the model to the host, whose memory then runs out; a file that may
 * not be read is reported as a model that failed to load.
 */
const RULES: readonly Rule[] = [
  {
    cause: "driver-mismatch",
    code: "DRIVER_MISMATCH",
    // CUDA's error 35 and 803 through ggml, torch's own check, and NVML's.
    pattern:
      /CUDA driver version is insufficient|unsupported display driver \/ cuda driver combination|NVIDIA driver on your system is too old|Driver\/library version mismatch|libcuda(rt)?\.so[.\d]*: cannot open shared object/i,
    meaning: "the GPU driver and the CUDA that the server was built with do not go together",
    nextStep: "update the NVIDIA driver (then reboot), or install a build of the server for this driver",
  },
  {
    cause: "port-in-use",
    code: "PORT_IN_USE",
    // llama-server names no reason when it cannot bind; any other reason is as rare as the address is wrong.
    pattern:
      /address already in use|EADDRINUSE|couldn't bind HTTP server socket|only one usage of each socket address/i,
    meaning: "its port is taken",
    nextStep: "write port: free in the preset, or end what listens there",
  },
  {
    cause: "bad-flag",
    code: "LAUNCH_REFUSED",
    pattern:
      /^error: (invalid argument|unknown argument)|error while handling argument|error: (unrecognized arguments|argument |the following arguments are required|ambiguous option)|unknown (command|shorthand flag|flag)[: ]/i,
    meaning: "it refused its own command line",
    nextStep:
      "correct the preset's field or extraArgs, or update the program; its --help shows what this build takes",
  },
  {
    cause: "cuda-out-of-memory",
    code: "GPU_OUT_OF_MEMORY",
    pattern:
      /larger than the (available KV cache memory|maximum number of tokens that can be stored in KV cache)|No available memory for the cache blocks/i,
    meaning: "the context does not fit beside the weights",
    nextStep: "lower contextTokensPerSlot, or raise gpuMemoryFraction if the card has room",
  },
  {
    cause: "cuda-out-of-memory",
    code: "GPU_OUT_OF_MEMORY",
    pattern: /Free memory on device .* on startup is less than desired GPU memory utilization/i,
    meaning: "the card has less free than gpuMemoryFraction asks for",
    nextStep:
      "lower gpuMemoryFraction, or free the card: vLLM takes its share of all memory, not of what is free",
  },
  {
    cause: "cuda-out-of-memory",
    code: "GPU_OUT_OF_MEMORY",
    pattern:
      /cudaMalloc failed: out of memory|CUDA error: out of memory|CUDA out of memory|torch\.(cuda\.)?OutOfMemoryError|CUBLAS_STATUS_ALLOC_FAILED|failed to allocate CUDA\d* buffer|unable to allocate CUDA\d* buffer|ErrorOutOfDeviceMemory|hipErrorOutOfMemory/i,
    meaning: "the GPU had no memory left for it",
    nextStep:
      "see `slipway mode plan` for what would fit: fewer slots, a smaller context or cache type, fewer GPU layers",
  },
  {
    cause: "host-out-of-memory",
    code: "HOST_OUT_OF_MEMORY",
    pattern:
      /std::bad_alloc|insufficient memory \(attempted to allocate|failed to allocate (CPU |CUDA_Host )?buffer|unable to allocate (CPU|CUDA_Host) buffer|mmap failed: Cannot allocate memory|requires more system memory|Cannot allocate memory|DefaultCPUAllocator: can't allocate|^MemoryError|Out of memory: Killed process|oom-kill/i,
    meaning: "the host had no memory left for it",
    nextStep: "free host memory, or take a smaller context, fewer slots or a smaller model",
  },
  {
    cause: "permission",
    code: "PERMISSION_DENIED",
    pattern: /Permission denied|EACCES|operation not permitted/i,
    meaning: "it may not read or write what it needs",
    nextStep: "mend the permissions of the path in the message, for the user that runs the supervisor",
  },
  {
    cause: "model-damaged",
    code: "MODEL_DAMAGED",
    pattern:
      /not within the file bounds|invalid magic characters|failed to read magic|model is corrupted or incomplete|invalid split file|missing tensor|wrong number of tensors|SafetensorError|header too large|invalid GGUF|gguf_init_from_\w+: failed to read/i,
    meaning: "its model file is cut off, or is no model",
    nextStep: "fetch the file again and compare its size and checksum",
  },
  {
    cause: "model-unsupported",
    code: "MODEL_UNSUPPORTED",
    pattern:
      /unknown model architecture|Model architectures .* (are not supported|failed to be inspected)|does not recognize this architecture|unsupported (model|file) (format|version)|unknown (pre-)?tokenizer/i,
    meaning: "it does not know this kind of model",
    nextStep: "update the server, or take a conversion of the model made for it",
  },
  {
    cause: "model-not-found",
    code: "MODEL_NOT_FOUND",
    pattern:
      /\.gguf'? \(No such file or directory\)|failed to open GGUF file|is not a local folder and is not a valid model identifier|Repository Not Found|Repo id must be in the form|model ["'].+["'] not found|pull model manifest: file does not exist/i,
    meaning: "its model is not there",
    nextStep: "correct the preset's model, or fetch it",
  },
  {
    cause: "program-unfit",
    code: "PROCESS_FAILED",
    pattern:
      /error while loading shared libraries|symbol lookup error|version `\w+_[\d.]+' not found|ModuleNotFoundError|ImportError/i,
    meaning: "the program lacks a library",
    nextStep: "reinstall the program, or set LD_LIBRARY_PATH in the preset's env",
  },
];

/** llama.cpp tries again with less after this line: what failed before it was got over. */
const TRIED_AGAIN = /retrying without pipeline parallelism|fitting without it/;

/** Quoted in a message: enough for a path and a reason, one line on a screen or two. */
const LONGEST_QUOTE_CHARACTERS = 240;

/**
 * `tail`: the last lines of the log. The exit is not one that was asked for. The message names the
 * cause and quotes the line that tells it.
 */
export function classifyFailure(tail: readonly string[], exit: ServerExit): ClassifiedFailure {
  const last = tail.findLastIndex((line) => TRIED_AGAIN.test(line));
  const said = tail.slice(last + 1);
  for (const { pattern, cause, code, meaning, nextStep } of RULES) {
    const line = said.find((candidate) => pattern.test(candidate));
    if (line === undefined) continue;
    const quoted = printable(line.trim()).slice(0, LONGEST_QUOTE_CHARACTERS);
    return { cause, code, message: `${meaning}: ${quoted}`, nextStep };
  }
  return fromExit(exit);
}

/** A shell, and a container's first process, report a signal as 128 and its number. */
const SIGNALS_BY_CODE: Readonly<Record<number, string>> = {
  132: "SIGILL",
  134: "SIGABRT",
  137: "SIGKILL",
  139: "SIGSEGV",
};

function fromExit({ code, signal }: ServerExit): ClassifiedFailure {
  const ended = signal ?? (code === undefined ? undefined : SIGNALS_BY_CODE[code]);
  switch (ended) {
    case "SIGKILL":
      return {
        cause: "host-out-of-memory",
        code: "HOST_OUT_OF_MEMORY",
        message: "it was killed from outside without a word, as the kernel does when memory runs out",
        nextStep:
          'look for its number in `journalctl -k` ("Out of memory: Killed process"); then free host memory',
      };
    case "SIGILL":
      return {
        cause: "program-unfit",
        code: "PROCESS_FAILED",
        message: "it used an instruction that this processor does not have",
        nextStep: "take a build of the server for this processor",
      };
    case "SIGSEGV":
    case "SIGBUS":
    case "SIGABRT":
      return {
        cause: "crashed",
        code: "PROCESS_FAILED",
        message: `it crashed (${ended}) and its last lines name no known cause`,
        nextStep: "read its log with `slipway logs`; if it crashes again, try another version of the server",
      };
    case undefined:
    default:
      return {
        cause: "unknown",
        code: "PROCESS_FAILED",
        message: `it ended ${howEnded(code, signal)} and its last lines name no known cause`,
        nextStep: "read its log with `slipway logs`",
      };
  }
}

function howEnded(code: number | undefined, signal: string | undefined): string {
  if (signal !== undefined) return `by ${signal}`;
  return code === undefined ? "in a way that nobody saw" : `with exit code ${code}`;
}
