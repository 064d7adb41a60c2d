/**
 * One cache for all slots (llama-server's unified cache): whoever needs cells takes them. When none
 * are left the caches of idle slots are given up in slot order; when that is not enough the server
 * ends everything that runs. Read in llama.cpp's server of July 2026 (`try_clear_idle_slots`, and
 * "Context size has been exceeded." after it).
 */
import { EMPTY_CACHE, cellsOf } from "./slot.ts";
import type { Slot } from "./slot.ts";

/** Free cells after as many idle caches were given up as `wantedTokens` need. May be fewer than wanted. */
export function makeRoom(slots: readonly Slot[], poolTokens: number, wantedTokens: number): number {
  let freeTokens = poolTokens;
  for (const { running, cache } of slots)
    freeTokens -= running === undefined ? cache.tokens : cellsOf(running);
  for (const slot of slots) {
    if (freeTokens >= wantedTokens) break;
    if (slot.running !== undefined) continue;
    freeTokens += slot.cache.tokens;
    slot.cache = EMPTY_CACHE;
  }
  return freeTokens;
}
