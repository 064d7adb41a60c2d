import { describe, expect, it } from "vitest";
import { realClock, VirtualClock } from "./clock.ts";

describe("VirtualClock", () => {
  it("fires timers in order of time, then of creation, and stands at each one's time", async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    clock.timerAt(20, () => fired.push(`late@${clock.nowNs()}`));
    clock.timerAt(10, () => fired.push(`first@${clock.nowNs()}`));
    clock.timerAt(10, () => fired.push(`second@${clock.nowNs()}`));
    await clock.advanceTo(15);
    expect(fired).toEqual(["first@10", "second@10"]);
    expect(clock.nowNs()).toBe(15);
    await clock.advanceTo(30);
    expect(fired).toHaveLength(3);
  });

  it("never fires a cancelled timer", async () => {
    const clock = new VirtualClock();
    let fired = false;
    clock.timerAt(5, () => (fired = true)).cancel();
    await clock.advanceTo(10);
    expect(fired).toBe(false);
  });

  it("runs a whole program of sleeps in no real time", async () => {
    const clock = new VirtualClock();
    const program = async (): Promise<number> => {
      for (let hour = 1; hour <= 3; hour++) await clock.sleepUntil(hour * 3_600e9);
      return clock.nowNs();
    };
    expect(await clock.runUntil(program())).toBe(3 * 3_600e9);
  });

  it("rejects a sleep with the reason it was aborted for", async () => {
    const clock = new VirtualClock();
    const abort = new AbortController();
    const sleep = clock.sleepUntil(1e9, abort.signal);
    abort.abort(new Error("Ctrl-C"));
    await expect(sleep).rejects.toThrow("Ctrl-C");
    expect(clock.fireNext()).toBe(false);
  });
});

describe("realClock", () => {
  it("counts whole nanoseconds, never backwards", () => {
    let last = realClock.nowNs();
    for (let index = 0; index < 1000; index++) {
      const now = realClock.nowNs();
      expect(Number.isInteger(now)).toBe(true);
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  });

  it("shares its zero with other processes of the host: it is CLOCK_MONOTONIC", () => {
    const monotonicNs = Number(process.hrtime.bigint());
    expect(Math.abs(realClock.nowNs() - monotonicNs)).toBeLessThan(1e9);
  });

  it("never calls back before the time", async () => {
    const atNs = realClock.nowNs() + 3e6;
    await realClock.sleepUntil(atNs);
    expect(realClock.nowNs()).toBeGreaterThanOrEqual(atNs);
  });
});
