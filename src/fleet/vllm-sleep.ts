/**
 * vLLM's sleep mode, by its documentation: `/sleep`, `/wake_up` and `/is_sleeping`, which are there
 * in development mode only. Level 1 keeps the weights in host memory. Level 2 drops them, so that
 * after waking they must be read again, before the cache takes the memory: a server that is only
 * woken answers nonsense.
 */
import { CONTROL_TIMEOUT_MS } from "../core/limits.ts";
import type { ControlClient } from "../engines/control.ts";
import { asRecord, booleanAt, parseJson } from "../engines/json-shape.ts";
import type { Preset } from "../preset/preset.ts";

/** Level 1 first has the host find pinned memory for all weights, which takes a minute for tens of GiB. */
const SLEEP_LIMIT_MS = 120_000;

/** Undefined once the server says that it sleeps, else the reason. */
export async function sleepVllm(control: ControlClient, level: 1 | 2): Promise<string | undefined> {
  return (await post(control, `/sleep?level=${level}`, SLEEP_LIMIT_MS)) ?? (await unless(control, true));
}

/** Undefined once the server says that it is awake, else the reason. */
export async function wakeVllm(control: ControlClient, preset: Preset): Promise<string | undefined> {
  const dropped = preset.engine === "vllm" && preset.sleepLevel === 2;
  const failed = dropped
    ? ((await post(control, "/wake_up?tags=weights", SLEEP_LIMIT_MS)) ??
      (await post(control, "/collective_rpc", preset.startLimitMs, { method: "reload_weights" })) ??
      (await post(control, "/wake_up?tags=kv_cache", SLEEP_LIMIT_MS)))
    : await post(control, "/wake_up", SLEEP_LIMIT_MS);
  return failed ?? (await unless(control, false));
}

async function post(
  control: ControlClient,
  path: string,
  limitMs: number,
  body?: Readonly<Record<string, unknown>>,
): Promise<string | undefined> {
  const { failure } = await control.ask("POST", path, body, limitMs);
  return failure === undefined ? undefined : `${path}: ${failure.message}`;
}

async function unless(control: ControlClient, sleeping: boolean): Promise<string | undefined> {
  const { failure, text } = await control.ask("GET", "/is_sleeping", undefined, CONTROL_TIMEOUT_MS);
  if (failure !== undefined) return `/is_sleeping: ${failure.message}`;
  const said = booleanAt(asRecord(parseJson(text)), "is_sleeping");
  if (said === sleeping) return undefined;
  return `after ${sleeping ? "/sleep" : "/wake_up"} it says is_sleeping: ${said ?? "nothing"}`;
}
