import { describe, expect, test } from "vitest";
import { VirtualClock, realClock } from "../core/clock.ts";
import type { Clock, Timer } from "../core/clock.ts";
import { msToNs } from "../core/units.ts";
import type { ProcessMeter } from "./client-health.ts";
import { startClientHealth } from "./client-health.ts";

/** A clock whose timers come as late as they are told to, like an event loop that is held. */
class HeldClock implements Clock {
  #nowNs = 0;
  #pending: { readonly atNs: number; readonly callback: () => void } | undefined;

  nowNs(): number {
    return this.#nowNs;
  }
  wallIso(): string {
    return "";
  }
  timerAt(atNs: number, callback: () => void): Timer {
    this.#pending = { atNs, callback };
    return { cancel: () => (this.#pending = undefined) };
  }
  sleepUntil(): Promise<void> {
    return Promise.reject(new Error("not used here"));
  }
  /** Lets the loop run on time until `untilMs`. */
  runTo(untilMs: number): void {
    while (this.#pending !== undefined && this.#pending.atNs <= msToNs(untilMs))
      this.#fire(this.#pending.atNs);
    this.#nowNs = msToNs(untilMs);
  }
  /** Time passes and nothing fires, as when the end of the trial itself runs late. */
  passTo(untilMs: number): void {
    this.#nowNs = msToNs(untilMs);
  }
  /** Holds the loop until `untilMs`: what was due meanwhile fires once, then. */
  holdTo(untilMs: number): void {
    this.#fire(msToNs(untilMs));
  }
  #fire(atNs: number): void {
    const due = this.#pending;
    this.#pending = undefined;
    this.#nowNs = atNs;
    due?.callback();
  }
}

const meter = (cpuMs: () => number, gcMs = 0): ProcessMeter => ({ cpuMs, startGc: () => () => gcMs });
const still = meter(() => 0);

describe("loop lag", () => {
  test("a loop that is never held shows no lag", () => {
    const clock = new HeldClock();
    const watch = startClientHealth(clock, still);
    clock.runTo(1000);
    expect(watch.stop().loopLagMsMax).toBeLessThan(0.001);
  });

  test("one stall of 100 ms in a second counts for a tenth of the time, not for one probe of 91", () => {
    const clock = new HeldClock();
    const watch = startClientHealth(clock, still);
    clock.runTo(900);
    clock.holdTo(1000);
    const health = watch.stop();
    // Due at 910, 920 … 1000: lags of 90, 80 … 0 ms, 10 of 100 moments, and one above the 99th percentile.
    expect(health.loopLagMsMax).toBeCloseTo(90, 0);
    expect(health.loopLagMsP99).toBeGreaterThan(79);
    expect(health.loopLagMsP99).toBeLessThan(81);
  });

  test("a stall that lasts to the very end is not forgotten", () => {
    const clock = new HeldClock();
    const watch = startClientHealth(clock, still);
    clock.runTo(100);
    clock.passTo(150);
    // Due at 110, seen at 150.
    expect(watch.stop().loopLagMsMax).toBeCloseTo(40, 0);
  });

  test("a trial shorter than one probe has no lag figure rather than 0", () => {
    const clock = new HeldClock();
    const watch = startClientHealth(clock, still);
    clock.runTo(2);
    expect(watch.stop()).not.toHaveProperty("loopLagMsP99");
  });
});

describe("CPU and garbage collection", () => {
  test("CPU time is put against wall time, in percent of one core", async () => {
    const clock = new VirtualClock();
    let cpuMs = 1000;
    const watch = startClientHealth(
      clock,
      meter(() => cpuMs, 12.5),
    );
    await clock.advanceTo(msToNs(2000));
    cpuMs += 500;
    expect(watch.stop()).toMatchObject({ cpuPct: 25, gcMs: 12.5 });
  });

  test("the real meter counts this process and lets go of its observer", () => {
    const watch = startClientHealth(realClock);
    let text = "";
    for (let index = 0; index < 200_000; index++) text += index.toString(16);
    const health = watch.stop();
    expect(text.length).toBeGreaterThan(0);
    expect(health.cpuPct).toBeGreaterThan(0);
    expect(health.gcMs).toBeGreaterThanOrEqual(0);
  });
});
