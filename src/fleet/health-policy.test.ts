import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomStream } from "../core/random.ts";
import type { HealthRecord, HealthState } from "./health-policy.ts";
import { HEALTHY, afterCanary, afterHealth, nextHealthWaitMs } from "./health-policy.ts";
import type { Health, ServerActivity } from "./world.ts";

const S = 1_000_000_000;
const ok: Health = { kind: "healthy" };
const bad: Health = { kind: "down", reason: "connection refused" };
const loading: Health = { kind: "loading" };

/** One letter per round: h healthy, d down, l loading. */
function states(rounds: string): HealthState[] {
  let record = HEALTHY;
  return rounds.split("").map((letter, index) => {
    const health = letter === "h" ? ok : letter === "d" ? bad : loading;
    record = afterHealth(record, { health, nowNs: index * 15 * S }).record;
    return record.state;
  });
}

const last = (rounds: string): HealthState | undefined => states(rounds).at(-1);

describe("up and down", () => {
  test.each<[rounds: string, state: HealthState]>([
    ["dd", "up"],
    ["ddd", "down"],
    ["ddhdd", "up"],
    ["dld", "down"],
    ["dddh", "down"],
    ["dddhh", "up"],
    ["dddhdh", "down"],
    ["dddhhdd", "up"],
  ])("after %s it is %s", (rounds, state) => {
    expect(last(rounds)).toBe(state);
  });

  test("a server that is down says why", () => {
    let record = HEALTHY;
    for (let round = 0; round < 3; round++)
      record = afterHealth(record, { health: bad, nowNs: round * S }).record;
    expect(record.reason).toBe("connection refused");
  });

  test("the state follows from counting runs of answers, for any row of answers", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("h", "d", "l")), (letters) => {
        let expected: HealthState = "up";
        const rows = letters.map((_, index) => letters.slice(0, index + 1).join(""));
        for (const row of rows) {
          if (expected === "up" && /[dl]{3}$/.test(row)) expected = "down";
          else if (expected === "down" && row.endsWith("hh")) expected = "up";
        }
        expect(letters.length === 0 ? "up" : last(letters.join(""))).toBe(expected);
      }),
    );
  });
});

describe("progress", () => {
  const round = (record: HealthRecord, second: number, activity: ServerActivity) =>
    afterHealth(record, { health: ok, activity, nowNs: second * S });
  const half = { slots: 4, busySlots: 2 };

  test("a server with busy slots and no new token is asked for one after two minutes", () => {
    const first = round(HEALTHY, 0, { ...half, generatedTokens: 100 });
    expect(round(first.record, 119, { ...half, generatedTokens: 100 }).askCanary).toBe(false);
    expect(round(first.record, 120, { ...half, generatedTokens: 100 }).askCanary).toBe(true);
    expect(round(first.record, 120, { ...half, generatedTokens: 101 }).askCanary).toBe(false);
  });

  test("with all slots busy, or an unknown number of them, it has ten minutes: its prompts may be long", () => {
    for (const slots of [{ slots: 2 }, {}]) {
      const activity = { ...slots, busySlots: 2, generatedTokens: 5 };
      const first = round(HEALTHY, 0, activity);
      expect(round(first.record, 599, activity).askCanary).toBe(false);
      expect(round(first.record, 600, activity).askCanary).toBe(true);
    }
  });

  test("an idle server, or one that gives no figures, is never suspected", () => {
    for (const activity of [{ slots: 2, busySlots: 0, generatedTokens: 5 }, { busySlots: 2 }, {}]) {
      const first = round(HEALTHY, 0, activity);
      expect(round(first.record, 9_999, activity).askCanary).toBe(false);
    }
  });

  const suspected = round(round(HEALTHY, 0, { ...half, generatedTokens: 7 }).record, 130, {
    ...half,
    generatedTokens: 7,
  }).record;

  test("a token on request begins a new measure", () => {
    const asked = afterCanary(suspected, { kind: "token", tookMs: 5 }, 130 * S);
    expect(asked.state).toBe("up");
    expect(round(asked, 240, { ...half, generatedTokens: 7 }).askCanary).toBe(false);
    expect(round(asked, 250, { ...half, generatedTokens: 7 }).askCanary).toBe(true);
  });

  test("silence on request is a stall, which answering health does not end, but a token does", () => {
    const stalled = afterCanary(suspected, { kind: "silent", reason: "no byte in 30 s" }, 160 * S);
    expect(stalled).toMatchObject({ state: "stalled", reason: expect.stringContaining("2 min 40 s") });
    const later = round(stalled, 175, { ...half, generatedTokens: 7 }).record;
    expect(later.state).toBe("stalled");
    // Saying nothing of its work is no proof of any.
    expect(round(stalled, 175, {}).record.state).toBe("stalled");
    expect(round(later, 190, { slots: 4, busySlots: 0 }).record.state).toBe("up");
    expect(round(later, 190, { ...half, generatedTokens: 8 }).record.state).toBe("up");
  });

  test("a stalled server that then stops answering is down after three failures", () => {
    let record = afterCanary(suspected, { kind: "silent", reason: "x" }, 160 * S);
    for (let second = 175; second < 220; second += 15)
      record = afterHealth(record, { health: bad, nowNs: second * S }).record;
    expect(record.state).toBe("down");
  });

  test("a server whose tokens cannot be asked for is left alone", () => {
    expect(afterCanary(suspected, { kind: "not-askable" }, 160 * S).state).toBe("up");
  });
});

test("the wait between rounds lies within a fifth of fifteen seconds, on either side", () => {
  const random = randomStream(7, "health");
  const waits = Array.from({ length: 1_000 }, () => nextHealthWaitMs(random));
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(12_000);
  expect(Math.max(...waits)).toBeLessThanOrEqual(18_000);
  expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(5_000);
});
