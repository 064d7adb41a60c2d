/** What a process that runs for months and does little may hold of the machine whose memory it looks after. */
import { setFlagsFromString } from "node:v8";

/**
 * Keeps the heap's young generation at the size it starts with. V8 doubles it, up to 16 MiB for each
 * half, whenever much of it is alive, which loading the program is enough for, and hardly gives it back.
 * Measured with eight presets on Node 20.20: 72 MiB resident instead of 88. To be called before the
 * program is loaded; a V8 that does not know the flag says so, and goes on as ever.
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
