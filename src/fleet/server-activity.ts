/** What a server says of its own work. What it does not say, or does not answer in time, is absent. */
import { CONTROL_TIMEOUT_MS } from "../core/limits.ts";
import {
  type JsonRecord,
  amountAt,
  asRecord,
  booleanAt,
  listAt,
  parseJson,
  recordAt,
} from "../engines/json-shape.ts";
import { readPrometheus } from "../engines/prometheus.ts";
import type { Preset } from "../preset/preset.ts";
import type { ServerLink } from "./server-link.ts";
import type { ServerActivity } from "./world.ts";

/** False where a server of this engine has no figure of its running requests at all. */
export function tellsItsWork(preset: Preset): boolean {
  const kind = preset.engine === "command" ? preset.api : preset.engine;
  return kind === "llama-server" || kind === "vllm";
}

/** Never rejects. */
export async function readActivity(link: ServerLink): Promise<ServerActivity> {
  switch (link.engine?.kind) {
    case "llama-server":
      return llamaServerActivity(link);
    case "vllm":
      return vllmActivity(link);
    case "openai":
    case "ollama":
    case "tgi":
    case "simulated":
    case undefined:
      return {};
  }
}

/**
 * llama-server adds a request's tokens to its counter only when the request ends (seen in 3.22.1), so
 * those of requests under way are taken from the slots. In this order, a request that ends between
 * the two answers is missed for a moment rather than counted twice. `n_decode_total` counts batches,
 * of prompts too, while they are computed.
 */
async function llamaServerActivity(link: ServerLink): Promise<ServerActivity> {
  const counters = await counterPage(link);
  const { failure, text } = await link.control.ask("GET", "/slots", undefined, CONTROL_TIMEOUT_MS);
  const answer = failure === undefined ? parseJson(text) : undefined;
  const slots = Array.isArray(answer) ? answer.map((entry: unknown) => asRecord(entry)) : undefined;
  const busy = slots?.filter((slot) => booleanAt(slot, "is_processing") === true);
  const finished = counters?.get("llamacpp:tokens_predicted_total");
  const batches = counters?.get("llamacpp:n_decode_total");
  return {
    ...(slots !== undefined && busy !== undefined && { slots: slots.length, busySlots: busy.length }),
    ...(finished !== undefined && { generatedTokens: finished + decodedIn(busy ?? []) }),
    ...(batches !== undefined && { progress: batches }),
  };
}

/** `next_token` is a list with one entry; older builds have the entry alone. */
function decodedIn(slots: readonly (JsonRecord | undefined)[]): number {
  return slots.reduce((sum, slot) => {
    const next = asRecord(listAt(slot, "next_token")[0]) ?? recordAt(slot, "next_token");
    return sum + (amountAt(next, "n_decoded") ?? 0);
  }, 0);
}

/** Who waits in vLLM's queue is as little done as who is computed. Its counters go on while it works. */
async function vllmActivity(link: ServerLink): Promise<ServerActivity> {
  const counters = await counterPage(link);
  const running = counters?.get("vllm:num_requests_running");
  const waiting = counters?.get("vllm:num_requests_waiting") ?? 0;
  const generatedTokens = counters?.get("vllm:generation_tokens_total");
  const promptTokens = counters?.get("vllm:prompt_tokens_total") ?? 0;
  return {
    ...(running !== undefined && { busySlots: running + waiting }),
    ...(generatedTokens !== undefined && { generatedTokens, progress: generatedTokens + promptTokens }),
  };
}

async function counterPage({ control }: ServerLink): Promise<ReadonlyMap<string, number> | undefined> {
  const { failure, text } = await control.ask("GET", "/metrics", undefined, CONTROL_TIMEOUT_MS);
  return failure === undefined ? readPrometheus(text) : undefined;
}
