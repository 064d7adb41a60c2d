/** What one step computes, decided from the slots alone. */
import { windowedLayersTokens } from "../model-shape.ts";
import type { ModelShape } from "../model-shape.ts";
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

/**
 * One token of every decoding slot, and the rest of the batch filled with prompt tokens in slot order.
 * At least one token per decoding slot must fit.
 */
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

/** What a step computes; `aheadTokens` more than now have come out of each decoding sequence. */
export function workOf(shares: readonly Share[], model: ModelShape, aheadTokens = 0): StepWork {
  const windowTokens = windowedLayersTokens(model);
  const prefills: PrefillChunk[] = [];
  let decodeSequences = 0;
  let decodeContextTokens = 0;
  let decodeWindowTokens = 0;
  for (const { running, prefillTokens } of shares) {
    if (prefillTokens > 0) prefills.push({ newTokens: prefillTokens, depthTokens: running.prefilledTokens });
    else {
      const contextTokens = running.prefilledTokens + running.emittedTokens + aheadTokens;
      decodeSequences++;
      decodeContextTokens += contextTokens;
      decodeWindowTokens += Math.min(contextTokens, windowTokens);
    }
  }
  return { decodeSequences, decodeContextTokens, decodeWindowTokens, prefills };
}

function missingTokens(running: Running): number {
  return running.request.promptTokens - running.prefilledTokens;
}
