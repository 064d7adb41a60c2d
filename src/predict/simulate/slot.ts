/** One slot: the request in it and the prompt that stays in its cache afterwards. */
import type { RequestTimings, SimulatedRequest, SlotView } from "./simulated-request.ts";

export interface Running {
  readonly request: SimulatedRequest;
  readonly submittedNs: number;
  readonly startedNs: number;
  readonly loadNs: number;
  readonly cachedTokens: number;
  /** After the cut to the context. */
  readonly outputTokens: number;
  prefilledTokens: number;
  emittedTokens: number;
  firstTokenNs: number;
}

/** What a slot's last request left in the cache. */
export interface SlotCache {
  /** Cells it holds, answer included. */
  readonly tokens: number;
  readonly ids?: readonly number[];
  readonly conversationId?: number;
}

export const EMPTY_CACHE: SlotCache = { tokens: 0 };

export interface Slot {
  readonly id: number;
  running: Running | undefined;
  /** Empty while a request runs: what it took over is counted as its own. */
  cache: SlotCache;
  /** When the slot was last given out, as a count; the least recently used free slot is taken first. */
  lastUse: number;
}

/**
 * The share of a prompt that must be in a slot's cache for the slot to be preferred; below it the
 * least recently used one is taken, so that another conversation's cache is not thrown away for
 * a common greeting. llama-server's `--slot-prompt-similarity` has the same default.
 */
const LEAST_SIMILARITY = 0.1;

/** The free slot a request gets: the one it names, else the best cached prefix, else the longest unused. */
export function chooseSlot(slots: readonly Slot[], request: SimulatedRequest): Slot | undefined {
  const free = slots.filter((slot) => slot.running === undefined);
  if (request.slotId !== undefined) return free.find((slot) => slot.id === request.slotId);
  let best: Slot | undefined;
  let bestPrefix = LEAST_SIMILARITY * request.promptTokens;
  for (const slot of free) {
    const prefix = sharedTokens(slot.cache, request);
    if (prefix > bestPrefix) {
      best = slot;
      bestPrefix = prefix;
    }
  }
  if (best !== undefined) return best;
  for (const slot of free) if (best === undefined || slot.lastUse < best.lastUse) best = slot;
  return best;
}

/** Prompt tokens that need no work. The last one always does: its logits give the first output token. */
export function reusableTokens(slot: Slot, request: SimulatedRequest): number {
  return Math.min(sharedTokens(slot.cache, request), request.promptTokens - 1);
}

function sharedTokens(cache: SlotCache, request: SimulatedRequest): number {
  if (request.promptIds !== undefined) return commonPrefixTokens(cache.ids ?? [], request.promptIds);
  const { conversation } = request;
  if (conversation === undefined || cache.conversationId !== conversation.id) return 0;
  return Math.min(cache.tokens, conversation.sharedTokens);
}

function commonPrefixTokens(a: readonly number[], b: readonly number[]): number {
  const limit = Math.min(a.length, b.length);
  let length = 0;
  while (length < limit && a[length] === b[length]) length++;
  return length;
}

export function isDecoding(running: Running): boolean {
  return running.prefilledTokens === running.request.promptTokens;
}

/** The last request leaves; what it had computed stays in the cache. */
export function release(slot: Slot): void {
  const running = slot.running;
  if (running === undefined) return;
  const { promptIds, conversation } = running.request;
  slot.cache = {
    tokens: cellsOf(running),
    ...(promptIds === undefined ? {} : { ids: promptIds.slice(0, running.prefilledTokens) }),
    ...(conversation === undefined ? {} : { conversationId: conversation.id }),
  };
  slot.running = undefined;
}

/** Cells of the key-value cache that a request holds. The newest token has none yet: no step has read it. */
export function cellsOf(running: Running): number {
  return running.prefilledTokens + Math.max(0, running.emittedTokens - 1);
}

export function timingsOf(slotId: number, running: Running, latestTokenNs: number): RequestTimings {
  return {
    submittedNs: running.submittedNs,
    startedNs: running.startedNs,
    firstTokenNs: running.firstTokenNs,
    latestTokenNs,
    loadNs: running.loadNs,
    slotId,
    promptTokens: running.request.promptTokens,
    cachedTokens: running.cachedTokens,
    outputTokens: running.emittedTokens,
  };
}

export function viewOf(slot: Slot, contextTokens: number): SlotView {
  const running = slot.running;
  return {
    id: slot.id,
    contextTokens,
    ...(running === undefined ? {} : { requestId: running.request.id }),
    promptTokens: running?.request.promptTokens ?? 0,
    prefilledTokens: running?.prefilledTokens ?? 0,
    emittedTokens: running?.emittedTokens ?? 0,
  };
}
