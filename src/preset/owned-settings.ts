/**
 * What the presets' fields decide about a server's command line and environment. A setting that
 * came in beside its field would make the field untrue, and with it every plan that is computed
 * from it: so such a setting is refused where the preset is read.
 */
import type { z } from "zod";

interface OwnedSetting {
  /** Every spelling the program accepts. */
  readonly flags?: readonly string[];
  readonly variables?: readonly string[];
  /** What to do instead, after "… cannot stand here: ". */
  readonly instead: string;
}

const field = (name: string, flags: readonly string[], variables: readonly string[] = []): OwnedSetting => ({
  flags,
  variables,
  instead: `the field ${name} decides it`,
});

/** Health, slots and the canary token are asked for at fixed paths, in plain HTTP and without a key. */
const WOULD_LOCK_OUT = "Slipway itself could no longer ask the server how it is";

const LLAMA_SERVER: readonly OwnedSetting[] = [
  field("model", ["--model", "-m"], ["LLAMA_ARG_MODEL"]),
  field("model", [
    "--model-url",
    "-mu",
    "--docker-repo",
    "-dr",
    "--hf-repo",
    "-hf",
    "-hfr",
    "--hf-file",
    "-hff",
  ]),
  field("mmproj", ["--mmproj", "-mm", "--mmproj-url", "-mmu"], ["LLAMA_ARG_MMPROJ", "LLAMA_ARG_MMPROJ_URL"]),
  field("draftModel", ["--model-draft", "-md", "--spec-draft-model"], ["LLAMA_ARG_SPEC_DRAFT_MODEL"]),
  field("slots", ["--parallel", "-np"], ["LLAMA_ARG_N_PARALLEL"]),
  field("contextTokensPerSlot", ["--ctx-size", "-c"], ["LLAMA_ARG_CTX_SIZE"]),
  field("kvTypeK", ["--cache-type-k", "-ctk"], ["LLAMA_ARG_CACHE_TYPE_K"]),
  field("kvTypeV", ["--cache-type-v", "-ctv"], ["LLAMA_ARG_CACHE_TYPE_V"]),
  field("flashAttention", ["--flash-attn", "-fa"], ["LLAMA_ARG_FLASH_ATTN"]),
  field("unifiedKv", ["--kv-unified", "-kvu", "--no-kv-unified", "-no-kvu"], ["LLAMA_ARG_KV_UNIFIED"]),
  field("threads", ["--threads", "-t"], ["LLAMA_ARG_THREADS"]),
  field("gpuLayers", ["--n-gpu-layers", "--gpu-layers", "-ngl"], ["LLAMA_ARG_N_GPU_LAYERS"]),
  field("batchTokens", ["--batch-size", "-b"], ["LLAMA_ARG_BATCH"]),
  field("microBatchTokens", ["--ubatch-size", "-ub"], ["LLAMA_ARG_UBATCH"]),
  field("chatTemplateArguments", ["--chat-template-kwargs"], ["LLAMA_ARG_CHAT_TEMPLATE_KWARGS"]),
  field("embedding", ["--embedding", "--embeddings"], ["LLAMA_ARG_EMBEDDINGS"]),
  field("host", ["--host"], ["LLAMA_ARG_HOST"]),
  field("port", ["--port"], ["LLAMA_ARG_PORT"]),
  { flags: ["--no-slots"], instead: WOULD_LOCK_OUT },
  {
    flags: ["--api-key", "--api-key-file", "--ssl-key-file", "--ssl-cert-file", "--api-prefix"],
    variables: ["LLAMA_API_KEY", "LLAMA_ARG_API_KEY_FILE"],
    instead: WOULD_LOCK_OUT,
  },
];

const VLLM: readonly OwnedSetting[] = [
  field("model", ["--model"]),
  field("slots", ["--max-num-seqs"]),
  field("contextTokensPerSlot", ["--max-model-len"]),
  field("kvType", ["--kv-cache-dtype"]),
  field("gpuMemoryFraction", ["--gpu-memory-utilization"]),
  field("tensorParallelGpus", ["--tensor-parallel-size", "-tp"]),
  field("sleepLevel", ["--enable-sleep-mode"], ["VLLM_SERVER_DEV_MODE"]),
  field("embedding", ["--runner", "--task"]),
  field("host", ["--host"]),
  field("port", ["--port"]),
  {
    flags: ["--api-key", "--ssl-keyfile", "--ssl-certfile", "--uds", "--root-path"],
    variables: ["VLLM_API_KEY"],
    instead: WOULD_LOCK_OUT,
  },
];

const OLLAMA: readonly OwnedSetting[] = [
  field("host and port", [], ["OLLAMA_HOST"]),
  field("slots", [], ["OLLAMA_NUM_PARALLEL"]),
  field("contextTokensPerSlot", [], ["OLLAMA_CONTEXT_LENGTH"]),
  field("kvType", [], ["OLLAMA_KV_CACHE_TYPE"]),
];

export const OWNED_SETTINGS = { "llama-server": LLAMA_SERVER, vllm: VLLM, ollama: OLLAMA } as const;

interface Settings {
  readonly engine: keyof typeof OWNED_SETTINGS;
  readonly extraArgs: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A schema's check: complains of every extra argument and variable that a field decides. */
export function refuseOwnedSettings(preset: Settings, context: z.core.$RefinementCtx<Settings>): void {
  const owned: readonly OwnedSetting[] = OWNED_SETTINGS[preset.engine];
  preset.extraArgs.forEach((argument, index) => {
    const flag = spelling(argument);
    const owner = owned.find(({ flags = [] }) => flags.includes(flag));
    if (owner !== undefined)
      complain(["extraArgs", index], argument, `${flag} cannot stand here: ${owner.instead}`);
  });
  for (const [variable, value] of Object.entries(preset.env)) {
    const owner = owned.find(({ variables = [] }) => variables.includes(variable));
    if (owner !== undefined)
      complain(["env", variable], value, `${variable} cannot stand here: ${owner.instead}`);
  }

  function complain(path: (string | number)[], input: string, message: string): void {
    context.addIssue({ code: "custom", path, input, message });
  }
}

/** `--port=1` and, as vLLM reads them, underscores mean the same flag; values keep theirs. */
function spelling(argument: string): string {
  const flag = argument.split("=")[0] as string;
  return flag.startsWith("--") ? flag.replaceAll("_", "-") : flag;
}
