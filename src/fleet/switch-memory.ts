/** Waiting until memory is really free. A server that starts beside one whose memory is not back takes the box down. */
import { formatBytes } from "../core/units.ts";
import type { Preset } from "../preset/preset.ts";
import type { Fleet } from "./supervisor-state.ts";
import { abortedAt, stepFailure } from "./switch-failure.ts";
import { pollUntil } from "./switch-wait.ts";

/**
 * Drivers give memory back in 0.5 to 1.5 s as a rule, and have been seen to take much longer. After
 * this it does not come, and a start would meet what is still there: the predecessor's first version
 * went on with a warning, and the host froze.
 */
const MEMORY_LIMIT_MS = 120_000;

/** Where nobody declared a figure: two readings in a row within this part of each other count as settled. */
const SETTLED_PART = 0.01;

/**
 * Waits until what these presets take together, and the margin, is free. Presets whose need is not
 * known are not counted; if none is known, until no more comes free. Throws StepFailure
 * MEMORY_NOT_FREED after the limit.
 */
export async function awaitMemory(
  fleet: Fleet,
  incoming: readonly Preset[],
  signal?: AbortSignal,
): Promise<void> {
  if (incoming.length === 0) return;
  const { world } = fleet;
  let neededBytes: number | undefined;
  let freeBytes = 0;
  const waited = await pollUntil(world.clock, MEMORY_LIMIT_MS, signal, async () => {
    const reading = await world.memory();
    const beforeBytes = freeBytes;
    freeBytes = reading.freeBytes;
    const needs = incoming.flatMap((preset) => fleet.needOf(preset, reading)?.bytes ?? []);
    if (needs.length === 0)
      return Math.abs(freeBytes - beforeBytes) <= SETTLED_PART * freeBytes ? true : undefined;
    neededBytes = needs.reduce((sum, bytes) => sum + bytes, fleet.profile().poolMarginBytes);
    return freeBytes >= neededBytes ? true : undefined;
  });
  if (waited.kind === "found") return;
  if (waited.kind === "aborted") throw abortedAt("memory", signal?.reason);
  throw stepFailure("memory", {
    code: "MEMORY_NOT_FREED",
    message:
      `memory did not come free within ${MEMORY_LIMIT_MS / 1000} s: ` +
      `${formatBytes(freeBytes)} free, ${formatBytes(neededBytes)} needed with the margin`,
    nextStep:
      "see what holds it with `slipway status` or nvidia-smi; nothing is started on memory that is not there",
  });
}
