import { describe, expect, it } from "vitest";
import { VirtualClock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import { WINDOW_ENDED } from "../record/request-record.ts";
import { TrialWindow, windowSentence } from "./trial-window.ts";

const MS = 1_000_000;
const BARRIER_NS = 3 * MS;

function opened(stop?: { readonly halfWidthPct: number; readonly subWindowMs?: number }) {
  const clock = new VirtualClock(BARRIER_NS);
  const window = new TrialWindow(clock, 1000, stop);
  window.open(BARRIER_NS);
  return { clock, window };
}

describe("the set time of a trial", () => {
  it("is over when it is over, and says so to whatever is under way", async () => {
    const { clock, window } = opened();
    await clock.advanceTo(BARRIER_NS + 999 * MS);
    expect(window.signal.aborted).toBe(false);
    await clock.advanceTo(BARRIER_NS + 1000 * MS);
    expect(window.signal.aborted).toBe(true);
    expect(messageOf(window.signal.reason)).toBe(WINDOW_ENDED);
    expect(window.settle()).toEqual({ windowNs: 1000 * MS, end: { kind: "over" } });
  });

  it("lets nothing begin that is due at its end", () => {
    const { window } = opened();
    expect(window.isOpenAt(BARRIER_NS + 1000 * MS - 1)).toBe(true);
    expect(window.isOpenAt(BARRIER_NS + 1000 * MS)).toBe(false);
  });

  it("lasts as long as there were agents, when none is left", async () => {
    const { clock, window } = opened();
    await clock.advanceTo(BARRIER_NS + 400 * MS);
    const settled = window.settle();
    expect(settled).toEqual({ windowNs: 400 * MS, end: { kind: "no-agent-left" } });
    expect(windowSentence(settled)).toBe("no agent went on after 0.4 s");
  });

  it("ends at the eleventh part when the ten after the first are known closely enough", async () => {
    const { clock, window } = opened({ halfWidthPct: 5 });
    for (let part = 1; part <= 20; part++) {
      window.count(part === 1 ? 3 : 100 + (part % 2));
      await clock.advanceTo(BARRIER_NS + part * 50 * MS);
    }
    const settled = window.settle();
    expect(settled).toMatchObject({ windowNs: 550 * MS, end: { kind: "narrow-enough" } });
    expect(windowSentence(settled)).toBe("stopped after 0.6 s: the aggregate throughput is known to ±0.4 %");
  });

  it("goes on to its end when the throughput never settles", async () => {
    const { clock, window } = opened({ halfWidthPct: 1, subWindowMs: 20 });
    for (let part = 1; part <= 50; part++) {
      window.count(part % 3 === 0 ? 500 : 10);
      await clock.advanceTo(BARRIER_NS + part * 20 * MS);
    }
    expect(window.settle()).toEqual({ windowNs: 1000 * MS, end: { kind: "over" } });
  });
});
