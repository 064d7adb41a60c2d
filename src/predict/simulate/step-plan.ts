/** What one step computes, decided from the slots alone. */
import type { PrefillChunk, StepWork } from "../step-time.ts";
import { isDecoding } from "./slot.ts";
import type { Running, Slot } from "./slot.ts";

/** A slot's part in a step. The slot may be freed, and even given away, before the step ends. */
export interface Share {
  readonly slot: Slot;
  readonly running: Running;
  /** 0: one token is decoded. */
  readonly prefillTokens: number;
}

/** One token of every decoding slot, and the rest of the batch filled with prompt tokens in slot order. */
export function planBatch(slots: readonly Slot[], batchTokens: number): Share[] {
  const shares: Share[] = [];
  for (const slot of slots)
    if (slot.running !== undefined && isDecoding(slot.running))
      shares.push({ slot, running: slot.running, prefillTokens: 0 });
  let room = batchTokens - shares.length;
  for (const slot of slots) {
    const running = slot.running;
    if (running === undefined || isDecoding(running)) continue;
    const prefillTokens = Math.min(room, missingTokens(running));
    if (prefillTokens === 0) break;
    shares.push({ slot, running, prefillTokens });
    room -= prefillTokens;
  }
  return shares;
}

/** The first busy slot from `turn` on, round the ring, alone. */
export function planTurn(slots: readonly Slot[], turn: number, batchTokens: number): Share[] {
  for (let offset = 0; offset < slots.length; offset++) {
    const slot = slots[(turn + offset) % slots.length];
    if (slot?.running === undefined) continue;
    const prefillTokens = Math.min(missingTokens(slot.running), batchTokens);
    return [{ slot, running: slot.running, prefillTokens }];
  }
  return [];
}

export function workOf(shares: readonly Share[]): StepWork {
  const prefills: PrefillChunk[] = [];
  let decodeSequences = 0;
  let decodeContextTokens = 0;
  for (const { running, prefillTokens } of shares) {
    if (prefillTokens > 0) prefills.push({ newTokens: prefillTokens, depthTokens: running.prefilledTokens });
    else {
      decodeSequences++;
      decodeContextTokens += running.prefilledTokens + running.emittedTokens;
    }
  }
  return { decodeSequences, decodeContextTokens, prefills };
}

function missingTokens(running: Running): number {
  return running.request.promptTokens - running.prefilledTokens;
}
