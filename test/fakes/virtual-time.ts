/** Virtual time beside real sockets, for tests of limits that nobody wants to wait for. */
import type { VirtualClock } from "../../src/core/clock.ts";

/**
 * A loopback answer of a server in this same process takes a handful of turns of the event loop,
 * however busy the machine is; after this many, whatever is still open waits for the clock.
 */
const IDLE_TURNS = 2000;

/** Waits for `done`, moving the clock to its next timer whenever the sockets have nothing left to do. */
export async function whileAdvancing<T>(clock: VirtualClock, done: Promise<T>): Promise<T> {
  let finished = false;
  const watched = done.finally(() => {
    finished = true;
  });
  // The caller hears of a rejection below; until then it is not unhandled.
  watched.catch(() => undefined);
  for (let turn = 1; !finished; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (turn % IDLE_TURNS === 0) clock.fireNext();
  }
  return watched;
}
