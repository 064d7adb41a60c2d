/**
 * A preset: launch settings of one model on one engine. The schema is the single source of field
 * names, defaults and rules; the JSON Schema for editors is derived from it.
 */
import { z } from "zod";
import { MAX_TOKENS } from "../core/limits.ts";
import { isLoopback } from "./address.ts";
import { refuseOwnedSettings } from "./owned-settings.ts";

export const presetNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]*$/,
    "letters, digits, dot, dash and underscore, beginning with a letter or digit",
  )
  .max(60);

const tokens = z.int().min(1).max(MAX_TOKENS);
const mebibytes = z.number().min(0);
const milliseconds = z.number().min(1);
const count = z.int().min(1).max(4096);

/** Cache types that llama.cpp knows; each has an exact size per block of 32 values. */
export const KV_TYPES = ["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"] as const;
export type KvType = (typeof KV_TYPES)[number];
const kvType = z.enum(KV_TYPES);

function isQuantised(type: KvType): boolean {
  return type !== "f32" && type !== "f16" && type !== "bf16";
}

const common = {
  name: presetNameSchema,
  description: z.string().optional(),
  /** A free port is chosen at each start unless a number stands here. */
  port: z
    .union([z.literal("free"), z.int().min(1).max(65_535)], {
      error: "free, or a whole number from 1 to 65535, without quotes",
    })
    .default("free"),
  /** Loopback unless told otherwise: these servers have no authentication of their own. */
  host: z
    .string()
    .regex(/^[A-Za-z0-9.:_-]+$/, "a host name or an address, without port or brackets")
    .default("127.0.0.1"),
  /** What the server takes at its fullest, as its operator knows it; without it preflight cannot vouch for it. */
  memory: z.strictObject({ vramMib: mebibytes.optional(), hostMib: mebibytes.optional() }).default({}),
  /** Added to the environment of the server; nothing else of the supervisor's is inherited but an allow-list. */
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).default({}),
  /** Answers with status 200 once the server can serve; absent: where the engine is known to do so. */
  healthPath: z.string().startsWith("/").optional(),
  /** Longest time from start to healthy. */
  startLimitMs: milliseconds.default(120_000),
  /** Longest time that running requests are waited for before the server is stopped. */
  drainLimitMs: z.number().min(0).default(60_000),
  /** SIGTERM is followed by SIGKILL after this. */
  stopGraceMs: milliseconds.default(10_000),
  /** Under memory pressure the lowest is stopped first. */
  priority: z.int().min(0).max(100).default(50),
  /** Presets of the same mode that must be ready before this one starts. */
  dependsOn: z.array(presetNameSchema).default([]),
  /** Handed to the server after all others. What has a field of its own is refused here, so that the fields stay true. */
  extraArgs: z.array(z.string()).default([]),
} as const;

const llamaServerPreset = z
  .strictObject({
    ...common,
    engine: z.literal("llama-server"),
    /** The program; from the PATH when it has no slash. */
    program: z.string().min(1).default("llama-server"),
    /** A GGUF file; a relative path is relative to the preset's own file. */
    model: z.string().min(1),
    mmproj: z.string().min(1).optional(),
    draftModel: z.string().min(1).optional(),
    /**
     * What the draft model is; absent: an ordinary smaller one. `inferred` says nothing to the
     * server: it reads the kind from the file, which an ordinary model does not tell.
     */
    draftKind: z.enum(["simple", "mtp", "eagle3", "dflash", "dspark", "inferred"]).optional(),
    slots: count.default(1),
    /** llama-server's --ctx-size is this times the slots. */
    contextTokensPerSlot: tokens.optional(),
    kvTypeK: kvType.optional(),
    kvTypeV: kvType.optional(),
    flashAttention: z.enum(["on", "off", "auto"]).optional(),
    /** One cache for all slots instead of an equal share each. */
    unifiedKv: z.boolean().optional(),
    threads: count.optional(),
    gpuLayers: z
      .union([z.literal("all"), z.literal("auto"), z.int().min(0)], {
        error: "all, auto, or a whole number of layers, without quotes",
      })
      .optional(),
    batchTokens: tokens.optional(),
    microBatchTokens: tokens.optional(),
    /** Given as JSON to --chat-template-kwargs. */
    chatTemplateArguments: z.record(z.string(), z.json()).optional(),
    /** Serve embeddings instead of completions. */
    embedding: z.boolean().default(false),
  })
  .refine(
    ({ kvTypeV, flashAttention }) =>
      flashAttention !== "off" || kvTypeV === undefined || !isQuantised(kvTypeV),
    {
      path: ["kvTypeV"],
      message: "a quantised V cache needs flash attention, which flashAttention switches off",
    },
  )
  .refine(
    ({ draftModel, draftKind, extraArgs }) =>
      draftModel === undefined || draftKind === "inferred" || !extraArgs.includes("--spec-type"),
    { path: ["extraArgs"], message: "the field draftKind decides --spec-type, unless it is inferred" },
  )
  .superRefine(refuseOwnedSettings);

const vllmPreset = z
  .strictObject({
    ...common,
    engine: z.literal("vllm"),
    program: z.string().min(1).default("vllm"),
    /** A model's name on its hub, or a folder; a folder begins with a dot, slash or tilde. */
    model: z.string().min(1),
    slots: count.optional(),
    contextTokensPerSlot: tokens.optional(),
    kvType: z.enum(["auto", "fp8", "fp8_e4m3", "fp8_e5m2"]).optional(),
    gpuMemoryFraction: z.number().gt(0).max(1).optional(),
    tensorParallelGpus: count.optional(),
    /** 1 moves the weights to host memory, 2 drops them; absent: the server is stopped instead. */
    sleepLevel: z.union([z.literal(1), z.literal(2)]).optional(),
    embedding: z.boolean().default(false),
  })
  // Sleep comes with vLLM's development endpoints, which let anybody who reaches them run code in the server.
  .refine(({ sleepLevel, host }) => sleepLevel === undefined || isLoopback(host), {
    path: ["host"],
    message: "with sleepLevel the server opens its development endpoints, so it stays on 127.0.0.1",
  })
  .superRefine(refuseOwnedSettings);

/** Where Ollama listens unless it was told otherwise. */
const OLLAMA_PORT = 11_434;

const ollamaPreset = z
  .strictObject({
    ...common,
    engine: z.literal("ollama"),
    program: z.string().min(1).default("ollama"),
    /** A tag as `ollama list` shows it. */
    model: z.string().min(1),
    /** `running`: a server that somebody else keeps, at `port`. `own`: started and stopped with this preset. */
    serve: z.enum(["running", "own"]).default("running"),
    slots: count.optional(),
    contextTokensPerSlot: tokens.optional(),
    gpuLayers: z.int().min(0).optional(),
    /** The types that Ollama knows. Of the server as a whole, so only with `serve: own`. */
    kvType: z.enum(["f16", "q8_0", "q4_0"]).optional(),
    embedding: z.boolean().default(false),
  })
  .refine(({ extraArgs }) => extraArgs.length === 0, {
    path: ["extraArgs"],
    message: "ollama serve takes no arguments; it is set up by variables, in env",
  })
  .superRefine((preset, context) => {
    if (preset.serve === "own") return;
    for (const field of ["env", "kvType"] as const)
      if (Object.keys(preset[field] ?? {}).length > 0)
        context.addIssue({
          code: "custom",
          path: [field],
          input: preset[field],
          message: "belongs to the server, which somebody else keeps; write serve: own, or leave it out",
        });
  })
  .superRefine(refuseOwnedSettings);

const commandPreset = z
  .strictObject({
    ...common,
    engine: z.literal("command"),
    /** Argument array, never a shell line. `{port}` and `{host}` are replaced, in `env` and `extraArgs` too. */
    command: z.array(z.string().min(1)).min(1),
    model: z.string().min(1).optional(),
    healthPath: z.string().startsWith("/").default("/health"),
    /** How a token is asked for; `none`: health is all that can be known. */
    api: z.enum(["openai", "llama-server", "none"]).default("none"),
    slots: count.optional(),
    contextTokensPerSlot: tokens.optional(),
  })
  .refine(
    ({ port, command, extraArgs, env }) =>
      port !== "free" ||
      [...command, ...extraArgs, ...Object.values(env)].some((text) => text.includes("{port}")),
    {
      path: ["command"],
      message: "a free port is chosen at each start, so {port} has to stand in command, extraArgs or env",
    },
  );

export const presetSchema = z.discriminatedUnion(
  "engine",
  [llamaServerPreset, vllmPreset, ollamaPreset, commandPreset],
  // Only when no member's name stands there; what a member finds wrong is told by the member.
  { error: ({ code }) => (code === "invalid_union" ? "llama-server, vllm, ollama or command" : undefined) },
);

export type Preset = z.output<typeof presetSchema>;
export type LlamaServerPreset = z.output<typeof llamaServerPreset>;
export type VllmPreset = z.output<typeof vllmPreset>;
export type OllamaPreset = z.output<typeof ollamaPreset>;
export type CommandPreset = z.output<typeof commandPreset>;

/**
 * The port that is known before a start; undefined where a free one will be chosen. A server that
 * somebody else keeps is at Ollama's own port unless the preset says otherwise.
 */
export function fixedPort(preset: Preset): number | undefined {
  if (preset.port !== "free") return preset.port;
  return listensItself(preset) ? undefined : OLLAMA_PORT;
}

/** False for a model inside an Ollama that somebody else keeps: its port is taken, and should be. */
export function listensItself(preset: Preset): boolean {
  return preset.engine !== "ollama" || preset.serve === "own";
}

/** A mode: presets that run together. */
export const modeSchema = z.strictObject({
  name: presetNameSchema,
  description: z.string().optional(),
  presets: z.array(presetNameSchema).min(1),
});

export type Mode = z.output<typeof modeSchema>;
