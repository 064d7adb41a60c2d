import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AssertionFailure } from "../core/assert.ts";
import type { PresetCondition, PresetEvent } from "./preset-state.ts";
import { INITIAL_CONDITION, admits, transition } from "./preset-state.ts";

const EVENTS: readonly PresetEvent[] = [
  { kind: "start" },
  { kind: "became-ready" },
  { kind: "drain" },
  { kind: "admit" },
  { kind: "fell-asleep" },
  { kind: "stop" },
  { kind: "gone" },
  { kind: "went-down", reason: "three probes failed" },
  { kind: "gave-up", reason: "five restarts" },
];

function after(...kinds: readonly PresetEvent["kind"][]): PresetCondition {
  return kinds.reduce((condition, kind) => {
    const event = EVENTS.find((candidate) => candidate.kind === kind);
    if (event === undefined) throw new Error(kind);
    return transition(condition, event);
  }, INITIAL_CONDITION);
}

/** What cannot happen changes nothing, and is refused as a broken assumption. */
function afterOrSame(condition: PresetCondition, event: PresetEvent): PresetCondition {
  try {
    return transition(condition, event);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(AssertionFailure);
    return condition;
  }
}

describe("the life of a preset", () => {
  it("goes from stopped over ready and draining back to stopped", () => {
    expect(after("start").state).toBe("starting");
    expect(after("start", "became-ready").state).toBe("ready");
    expect(after("start", "became-ready", "drain").state).toBe("draining");
    expect(after("start", "became-ready", "drain", "stop").state).toBe("stopping");
    expect(after("start", "became-ready", "drain", "stop", "gone").state).toBe("stopped");
  });

  it("sleeps after draining and starts again from sleep", () => {
    expect(after("start", "became-ready", "drain", "fell-asleep").state).toBe("asleep");
    expect(after("start", "became-ready", "drain", "fell-asleep", "start").state).toBe("starting");
  });

  it("keeps the reason of a fall until it is ready again", () => {
    expect(after("start", "became-ready", "went-down")).toEqual({
      state: "restarting",
      reason: "three probes failed",
    });
    expect(after("start", "became-ready", "went-down", "became-ready")).toEqual({ state: "ready" });
  });

  it("refuses what cannot happen", () => {
    expect(() => after("became-ready")).toThrow(
      "a preset that is stopped cannot take the event became-ready",
    );
    expect(() => after("start", "drain")).toThrow("starting");
    expect(() => after("start", "became-ready", "start")).toThrow("ready");
  });

  it("admits nobody but when ready, whatever happened, and can always be stopped", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 40 }), (row) => {
        let condition = INITIAL_CONDITION;
        for (const event of row) {
          const before = condition;
          condition = afterOrSame(before, event);
          expect(admits(condition)).toBe(condition.state === "ready");
          // Being let in again takes health or the calling off of a drain, nothing else.
          if (admits(condition) && !admits(before)) expect(["became-ready", "admit"]).toContain(event.kind);
        }
        if (condition.state === "stopped") return;
        if (condition.state !== "stopping") condition = transition(condition, { kind: "stop" });
        expect(transition(condition, { kind: "gone" }).state).toBe("stopped");
      }),
    );
  });
});
