/** What a process that runs for months and does little may hold of the machine whose memory it looks after. */
import { setFlagsFromString } from "node:v8";

/**
 * V8 doubles the heap's young generation, up to 16 MiB for each half, whenever much of it is alive,
 * which loading the program is enough for, and hardly gives it back.
 */
const YOUNG_STAYS_SMALL = "--semi-space-growth-factor=1";

/** Collects the old generation earlier, and keeps less code that was made faster. */
const SIZE_BEFORE_SPEED = "--optimize-for-size";

/**
 * Measured once, at rest over eight presets on Node 20.20: 74 MB resident instead of 90, of which 45
 * are program text shared with every other Node. Switches add some 10 MB, mostly garbage that V8 sees
 * no reason to collect. To be called before the program is loaded; a V8 that does not know a flag
 * says so, and goes on as ever.
 */
export function keepHeapSmall(): void {
  for (const flag of [YOUNG_STAYS_SMALL, SIZE_BEFORE_SPEED]) setFlagsFromString(flag);
}
