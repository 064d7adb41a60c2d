import type { Clock } from "../core/clock.ts";
import { msToNs } from "../core/units.ts";

/**
 * Waits for a promise, but not longer than a limit. For children that a stuck driver keeps in an
 * uninterruptible sleep: not even SIGKILL ends those, and nobody may wait for them.
 */
export async function within<T>(promise: Promise<T>, limitMs: number, clock: Clock): Promise<T | "late"> {
  const { promise: late, cancel } = lateAfter(limitMs, clock);
  try {
    return await Promise.race([promise, late]);
  } finally {
    cancel();
  }
}

function lateAfter(limitMs: number, clock: Clock): { promise: Promise<"late">; cancel: () => void } {
  let cancel = (): void => undefined;
  const promise = new Promise<"late">((resolve) => {
    const timer = clock.timerAt(clock.nowNs() + msToNs(limitMs), () => resolve("late"));
    cancel = () => timer.cancel();
  });
  return { promise, cancel };
}
