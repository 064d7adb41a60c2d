import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RestartDecision } from "./restart-policy.ts";
import { NO_CRASHES, afterCrash } from "./restart-policy.ts";

const S = 1_000_000_000;

/** Decisions at crashes at these times, in seconds. */
function crashAt(...seconds: number[]): RestartDecision[] {
  let history = NO_CRASHES;
  return seconds.map((second) => {
    const decision = afterCrash(history, second * S);
    history = decision.history;
    return decision;
  });
}

describe("restarts", () => {
  test("wait twice as long each time, and at most two minutes", () => {
    // Crashes 100 s apart never make five within 180 s.
    const waits = crashAt(0, 100, 200, 300, 400, 500).map((d) => (d.kind === "restart" ? d.waitMs : "no"));
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000]);
    const often = crashAt(...Array.from({ length: 30 }, (_, index) => index * 61));
    expect(Math.max(...often.map((d) => (d.kind === "restart" ? d.waitMs : 0)))).toBe(120_000);
  });

  test("end with the fifth crash in three minutes", () => {
    const decisions = crashAt(0, 10, 30, 70, 180);
    expect(decisions.slice(0, 4).every(({ kind }) => kind === "restart")).toBe(true);
    expect(decisions[4]).toMatchObject({ kind: "give-up", crashes: 5, withinMs: 180_000 });
  });

  test("go on when the fifth crash comes a moment after three minutes", () => {
    expect(crashAt(0, 10, 30, 70, 180.001)[4]?.kind).toBe("restart");
  });

  test("begin anew after a server has run for ten minutes", () => {
    expect(crashAt(0, 1, 2, 602)[3]).toMatchObject({ kind: "restart", waitMs: 1_000 });
  });

  test("never number five within any three minutes, whatever the times", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 60 }), (gaps) => {
        let second = 0;
        const times = gaps.map((gap) => (second += gap));
        const decisions = crashAt(...times);
        times.forEach((time, index) => {
          const inWindow = times.filter((other, at) => at <= index && time - other <= 180).length;
          expect(decisions[index]?.kind).toBe(inWindow >= 5 ? "give-up" : "restart");
        });
      }),
    );
  });
});
