import { describe, expect, test } from "vitest";
import { realClock } from "../../core/clock.ts";
import { runSelftest } from "./selftest.ts";
import type { SelftestProgress } from "./selftest.ts";

const SMALL = {
  name: "custom" as const,
  cells: [
    { streams: 3, tokensPerS: 100, pattern: "spread" as const, seconds: 0.4 },
    { streams: 20, tokensPerS: 50, pattern: "lockstep" as const, seconds: 0.1 },
  ],
};

describe("a self-test against the emitter's real process", () => {
  test("receives every event, after it was written, and splits them into start and steady part", async () => {
    const progress: SelftestProgress[] = [];
    const certificate = await runSelftest({
      clock: realClock,
      grid: SMALL,
      onProgress: (step) => progress.push(step),
    });
    const [spread, lockstep] = certificate.cells;
    expect([spread?.events, spread?.firstEvents.events, spread?.brokenStreams]).toEqual([120, 3, 0]);
    expect([lockstep?.events, lockstep?.firstEvents.events, lockstep?.brokenStreams]).toEqual([100, 20, 0]);
    for (const { all, startBurst, steady, events, emitterLag } of certificate.cells) {
      // Both processes read one clock, so that nothing is received before it was written.
      expect(all.biasMs).toBeGreaterThan(0);
      expect(startBurst.events + steady.events).toBe(events);
      expect(emitterLag.events).toBe(events);
    }
    expect(spread?.steady.events).toBeGreaterThan(0);
    expect(progress.map(({ done, total }) => [done, total])).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect(certificate.grid).toBe("custom");
    expect(certificate.machine.nodeVersion).toBe(process.version);
  });

  test("ends at once when it is interrupted, with the reason", async () => {
    const abort = new AbortController();
    const running = runSelftest({
      clock: realClock,
      signal: abort.signal,
      grid: { name: "custom", cells: [{ streams: 2, tokensPerS: 10, pattern: "spread", seconds: 3600 }] },
    });
    setImmediate(() => abort.abort(new Error("interrupted")));
    await expect(running).rejects.toThrow("interrupted");
  });
});
