/** Waiting until memory is really free. A server that starts beside one whose memory is not back takes the box down. */
import { formatBytes } from "../core/units.ts";
import type { Preset } from "../preset/preset.ts";
import { SLEEP_FREES_SHARE } from "./plan-switch.ts";
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
 * Waits until `neededBytes` and the margin are free; where nobody knows the need, until no more
 * comes free. Throws StepFailure MEMORY_NOT_FREED after the limit.
 */
export async function awaitMemory(
  fleet: Fleet,
  neededBytes: number | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const { world } = fleet;
  const wantedBytes = neededBytes === undefined ? undefined : neededBytes + fleet.profile().poolMarginBytes;
  let freeBytes = 0;
  const waited = await pollUntil(world.clock, MEMORY_LIMIT_MS, signal, async () => {
    const beforeBytes = freeBytes;
    ({ freeBytes } = await world.memory());
    const settled = Math.abs(freeBytes - beforeBytes) <= SETTLED_PART * freeBytes;
    return (wantedBytes === undefined ? settled : freeBytes >= wantedBytes) ? true : undefined;
  });
  if (waited.kind === "found") return;
  if (waited.kind === "aborted") throw abortedAt("memory", signal?.reason);
  throw stepFailure("memory", {
    code: "MEMORY_NOT_FREED",
    message:
      `memory did not come free within ${MEMORY_LIMIT_MS / 1000} s: ` +
      `${formatBytes(freeBytes)} free, ${formatBytes(wantedBytes)} needed with the margin`,
    nextStep:
      "see what holds it with `slipway status` or nvidia-smi; nothing is started on memory that is not there",
  });
}

/** As {@link awaitMemory}, for one preset by the best figure there is; a sleeper holds a part already. */
export async function awaitMemoryFor(
  fleet: Fleet,
  preset: Preset,
  how: "start" | "wake",
  signal?: AbortSignal,
): Promise<void> {
  const bytes = fleet.needOf(preset, await fleet.world.memory())?.bytes;
  const share = how === "wake" ? SLEEP_FREES_SHARE : 1;
  await awaitMemory(fleet, bytes === undefined ? undefined : Math.round(bytes * share), signal);
}

/** The sum of those that are known; undefined when none is. */
export function sumOf(needs: readonly (number | undefined)[]): number | undefined {
  const known = needs.filter((bytes) => bytes !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, bytes) => sum + bytes, 0);
}
