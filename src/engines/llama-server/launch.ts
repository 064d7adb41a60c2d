/** How llama-server is started. A test on the real one has it accept every flag that is written here. */
import { urlOf } from "../../preset/address.ts";
import type { ProcessLaunch } from "../../preset/launch.ts";
import type { LlamaServerPreset } from "../../preset/preset.ts";

/**
 * Pinned host memory is off: asking for it can hang the whole machine while the kernel looks for
 * contiguous pages, without an out-of-memory message (study 003's safeguards). A preset may switch
 * it on again.
 */
const SAFE_ENVIRONMENT = { GGML_CUDA_NO_PINNED: "1" };

export function launchLlamaServer(preset: LlamaServerPreset, port: number): ProcessLaunch {
  return {
    kind: "process",
    command: preset.program,
    args: [
      ...["--model", preset.model],
      ...option("--mmproj", preset.mmproj),
      ...draft(preset),
      ...["--host", preset.host, "--port", `${port}`],
      ...["--parallel", `${preset.slots}`],
      ...option("--ctx-size", totalContextTokens(preset)),
      ...unifiedKv(preset.unifiedKv),
      ...option("--cache-type-k", preset.kvTypeK),
      ...option("--cache-type-v", preset.kvTypeV),
      ...option("--flash-attn", preset.flashAttention),
      ...option("--threads", preset.threads),
      ...option("--n-gpu-layers", preset.gpuLayers),
      ...option("--batch-size", preset.batchTokens),
      ...option("--ubatch-size", preset.microBatchTokens),
      ...option("--chat-template-kwargs", jsonOf(preset.chatTemplateArguments)),
      ...(preset.embedding ? ["--embedding"] : []),
      // Busy slots and produced tokens are read from these; older builds have slots off by default.
      ...["--slots", "--metrics"],
      // One page less for a browser to be led to.
      "--no-webui",
      ...preset.extraArgs,
    ],
    env: { ...SAFE_ENVIRONMENT, ...preset.env },
    url: urlOf(preset.host, port),
    healthPath: preset.healthPath ?? "/health",
  };
}

/**
 * Without --spec-type a newer server loads an ordinary draft model and never asks it anything:
 * seen on commit de3ff81, where `draft_n` then is missing from the answer's timings.
 */
function draft({ draftModel, draftKind = "simple" }: LlamaServerPreset): readonly string[] {
  if (draftModel === undefined) return [];
  const kind = draftKind === "inferred" ? [] : ["--spec-type", `draft-${draftKind}`];
  return ["--model-draft", draftModel, ...kind];
}

/** The server shares its context among the slots, so that each gets an equal part. */
function totalContextTokens({ slots, contextTokensPerSlot }: LlamaServerPreset): number | undefined {
  return contextTokensPerSlot === undefined ? undefined : slots * contextTokensPerSlot;
}

function unifiedKv(unified: boolean | undefined): readonly string[] {
  if (unified === undefined) return [];
  return [unified ? "--kv-unified" : "--no-kv-unified"];
}

function jsonOf(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

function option(flag: string, value: string | number | undefined): readonly string[] {
  return value === undefined ? [] : [flag, `${value}`];
}
