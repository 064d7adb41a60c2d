/** What the pool will have when servers have gone, and when others have come. */
import type { Preset } from "../preset/preset.ts";
import type { MemoryReading } from "./memory.ts";
import type { MemoryNeedOf } from "./memory-need.ts";

/** A server and what it holds; of one that leaves, what it will give back. */
export interface OutgoingServer {
  readonly preset: Preset;
  /** What its processes hold, where that is known; else what its preset is known to need is taken. */
  readonly heldBytes?: number;
  /** All its processes, for telling its port and its memory from a stranger's. */
  readonly pids?: ReadonlySet<number>;
}

export interface PoolForecast {
  readonly givenBackBytes: number;
  /** While the old are gone and the new not yet there. */
  readonly freeDuringBytes: number;
  /** Of it, what those that stay will take as they work. */
  readonly promisedBytes: number;
  /** What the incoming need together, as far as it is known. */
  readonly neededBytes: number;
  /** Incoming presets whose need nobody knows. */
  readonly unknown: readonly string[];
  /** Absent while one need is unknown. */
  readonly freeAfterBytes?: number;
}

/** No more can come free than there is, or than the budget allows. */
export function forecastPool(
  reading: MemoryReading,
  incoming: readonly Preset[],
  outgoing: readonly OutgoingServer[],
  needOf: MemoryNeedOf,
): PoolForecast {
  const givenBackBytes = outgoing.reduce((sum, server) => sum + givenBack(server, needOf), 0);
  const limitBytes = Math.min(reading.totalBytes, reading.budgetBytes ?? reading.totalBytes);
  const freeDuringBytes = Math.min(limitBytes, reading.freeBytes + givenBackBytes);
  const promisedBytes = reading.promisedBytes ?? 0;
  const needs = incoming.map((preset) => needOf(preset)?.bytes);
  const neededBytes = needs.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0);
  const unknown = incoming.filter((_, index) => needs[index] === undefined).map(({ name }) => name);
  return {
    givenBackBytes,
    freeDuringBytes,
    promisedBytes,
    neededBytes,
    unknown,
    ...(unknown.length > 0 ? {} : { freeAfterBytes: freeDuringBytes - promisedBytes - neededBytes }),
  };
}

/**
 * What servers are known to need beyond what they hold: a cache that fills, weights that are paged
 * in. Nothing where nobody tells what they hold, since that may be all of it.
 */
export function promisedBytesOf(staying: readonly OutgoingServer[], needOf: MemoryNeedOf): number {
  return staying.reduce((sum, { preset, heldBytes }) => {
    const needBytes = heldBytes === undefined ? undefined : needOf(preset)?.bytes;
    return sum + Math.max(0, (needBytes ?? 0) - (heldBytes ?? 0));
  }, 0);
}

/** What was measured counts; a figure that nobody knows gives nothing back. */
function givenBack({ heldBytes, preset }: OutgoingServer, needOf: MemoryNeedOf): number {
  return heldBytes ?? needOf(preset)?.bytes ?? 0;
}
