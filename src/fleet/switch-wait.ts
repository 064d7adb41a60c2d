/** Waiting for something that can only be asked for: quick first polls, then patient ones. */
import type { Clock } from "../core/clock.ts";
import { NS_PER_MS } from "../core/units.ts";

/** A server that is ready at once should not wait for us: the first polls cost next to nothing. */
const FIRST_POLL_MS = 5;
/** Late enough not to disturb a server that loads, early enough that nobody notices. */
const LONGEST_POLL_MS = 250;

export type Waited<T> =
  | { readonly kind: "found"; readonly value: T }
  | { readonly kind: "late" }
  | { readonly kind: "aborted" };

/** Asks until there is an answer, the limit has passed, or the signal is aborted. At least one question is asked. */
export async function pollUntil<T>(
  clock: Clock,
  limitMs: number,
  signal: AbortSignal | undefined,
  ask: () => Promise<T | undefined>,
): Promise<Waited<T>> {
  const untilNs = clock.nowNs() + limitMs * NS_PER_MS;
  for (let pauseMs = FIRST_POLL_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_POLL_MS)) {
    if (signal?.aborted === true) return { kind: "aborted" };
    const value = await ask();
    if (value !== undefined) return { kind: "found", value };
    const nowNs = clock.nowNs();
    if (nowNs >= untilNs) return { kind: "late" };
    await pauseUntil(clock, Math.min(nowNs + pauseMs * NS_PER_MS, untilNs), signal);
  }
}

/** Ends early, without an error, when the signal is aborted. */
export async function pauseUntil(clock: Clock, atNs: number, signal?: AbortSignal): Promise<void> {
  try {
    await clock.sleepUntil(atNs, signal);
  } catch (thrown) {
    if (signal?.aborted !== true) throw thrown;
  }
}

/** A question that is not answered in time gets this answer instead; the late one is not waited for. */
export async function answerWithin<T>(
  clock: Clock,
  limitMs: number,
  question: Promise<T>,
  otherwise: T,
): Promise<T> {
  let timer: { cancel(): void } | undefined;
  const late = new Promise<T>((resolve) => {
    timer = clock.timerAt(clock.nowNs() + limitMs * NS_PER_MS, () => resolve(otherwise));
  });
  try {
    return await Promise.race([question, late]);
  } finally {
    timer?.cancel();
  }
}
