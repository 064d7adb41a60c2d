/** How far a configuration is from what does not fit any more. */
import { formatBytes } from "../core/units.ts";
import type { Configuration } from "./configuration.ts";

/** The memory ledger's total; undefined for a configuration it cannot be made for. */
export type MemoryNeed = (configuration: Configuration) => number | undefined;

export interface CliffStep {
  readonly configuration: Configuration;
  readonly moreBytes: number;
  readonly fits: boolean;
}

export interface Cliff {
  readonly freeBytes: number;
  readonly nextSlot?: CliffStep;
  /** Each slot with the next context of the axis, or twice the context where it is the last. */
  readonly nextContext?: CliffStep;
  /** One sentence for each step: "the next slot needs 1100 MiB, 640 MiB are free". */
  readonly distance: string;
}

/** Undefined where the ledger has no answer for the configuration itself. */
export function cliffOf(
  configuration: Configuration,
  contexts: readonly number[],
  needBytes: MemoryNeed,
  capacityBytes: number,
): Cliff | undefined {
  const usedBytes = needBytes(configuration);
  if (usedBytes === undefined) return undefined;
  const freeBytes = capacityBytes - usedBytes;
  const { slots, contextTokensPerSlot } = configuration;
  const step = (next: Configuration): CliffStep | undefined => {
    const bytes = needBytes(next);
    if (bytes === undefined) return undefined;
    return { configuration: next, moreBytes: bytes - usedBytes, fits: bytes <= capacityBytes };
  };
  const longer = contexts.find((tokens) => tokens > contextTokensPerSlot) ?? 2 * contextTokensPerSlot;
  const nextSlot = step({ ...configuration, slots: slots + 1 });
  const nextContext = step({ ...configuration, contextTokensPerSlot: longer });
  const parts = [
    nextSlot && `the next slot needs ${formatBytes(nextSlot.moreBytes)}`,
    nextContext &&
      `${longer.toLocaleString("en-US")} tokens in each slot need ${formatBytes(nextContext.moreBytes)}`,
    freeBytes < 0 ? `${formatBytes(-freeBytes)} are missing already` : `${formatBytes(freeBytes)} are free`,
  ];
  return {
    freeBytes,
    ...(nextSlot === undefined ? {} : { nextSlot }),
    ...(nextContext === undefined ? {} : { nextContext }),
    distance: parts.filter((part) => part !== undefined).join(", "),
  };
}
