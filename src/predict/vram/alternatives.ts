/** When a launch does not fit: which single change would make it fit. */
import { formatBytes } from "../../core/units.ts";
import type { KvType } from "../../preset/preset.ts";
import type { ModelFacts } from "../gguf/model-facts.ts";
import { count, plural } from "./format.ts";
import type { LaunchMemory } from "./launch-memory.ts";
import { memoryLedger } from "./memory-ledger.ts";
import type { Surroundings } from "./memory-ledger.ts";

export interface Alternative {
  readonly kind: "fewer-slots" | "smaller-context" | "smaller-kv-type" | "fewer-gpu-layers";
  /** As an instruction: "3 slots instead of 5". */
  readonly change: string;
  readonly launch: LaunchMemory;
  readonly deviceBytes: number;
}

/** Below this no agent can work: a system prompt with tools is longer. */
const SMALLEST_CONTEXT_TOKENS = 4_096;
const CONTEXT_STEP_TOKENS = 4_096;

/** From large to small; what lies between costs quality without saving much. */
const KV_LADDER: readonly KvType[] = ["f16", "q8_0", "q4_0"];

/**
 * At most one alternative of each kind, the mildest that fits into `budgetBytes` of device memory;
 * none of a kind that does not help. Empty as well when the launch fits as it is.
 */
export function alternativesThatFit(
  facts: ModelFacts,
  launch: LaunchMemory,
  budgetBytes: number,
  surroundings: Surroundings = {},
): readonly Alternative[] {
  const deviceBytes = (candidate: LaunchMemory): number =>
    memoryLedger(facts, candidate, surroundings).deviceBytes;
  if (deviceBytes(launch) <= budgetBytes) return [];
  const candidates = [
    fewerSlots(launch),
    smallerContexts(launch),
    smallerTypes(launch),
    fewerLayers(facts, launch),
  ];
  return candidates.flatMap((ladder) => {
    for (const candidate of ladder) {
      const bytes = deviceBytes(candidate.launch);
      if (bytes <= budgetBytes)
        return [{ ...candidate, change: `${candidate.change} (${formatBytes(bytes)})`, deviceBytes: bytes }];
    }
    return [];
  });
}

type Candidate = Omit<Alternative, "deviceBytes">;

function* fewerSlots(launch: LaunchMemory): Generator<Candidate> {
  const perSlot = launch.contextTokens / launch.slots;
  for (let slots = launch.slots - 1; slots >= 1; slots--)
    yield {
      kind: "fewer-slots",
      change: `${plural(slots, "slot")} instead of ${launch.slots}`,
      launch: { ...launch, slots, contextTokens: perSlot * slots },
    };
}

function* smallerContexts(launch: LaunchMemory): Generator<Candidate> {
  const perSlot = launch.contextTokens / launch.slots;
  const first = Math.ceil(perSlot / CONTEXT_STEP_TOKENS - 1) * CONTEXT_STEP_TOKENS;
  for (let tokens = first; tokens >= SMALLEST_CONTEXT_TOKENS; tokens -= CONTEXT_STEP_TOKENS)
    yield {
      kind: "smaller-context",
      change: `${count(tokens)} tokens per slot instead of ${count(perSlot)}`,
      launch: { ...launch, contextTokens: tokens * launch.slots },
    };
}

function* smallerTypes(launch: LaunchMemory): Generator<Candidate> {
  // Quantised values need flash attention.
  if (!launch.flashAttention) return;
  const now = KV_LADDER.indexOf(launch.kvTypeK);
  for (const type of KV_LADDER.slice(now + 1))
    yield {
      kind: "smaller-kv-type",
      change: `a ${type} cache instead of ${launch.kvTypeK}`,
      launch: { ...launch, kvTypeK: type, kvTypeV: type },
    };
}

function* fewerLayers(facts: ModelFacts, launch: LaunchMemory): Generator<Candidate> {
  const all = facts.layers.length + 1;
  const now = launch.gpuLayers === "all" ? all : Math.min(launch.gpuLayers, all);
  for (let layers = now - 1; layers >= 0; layers--)
    yield {
      kind: "fewer-gpu-layers",
      change: `${plural(layers, "layer")} of ${all} on the GPU, which costs speed`,
      launch: { ...launch, gpuLayers: layers },
    };
}
