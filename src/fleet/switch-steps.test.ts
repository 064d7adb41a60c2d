import fc from "fast-check";
import { expect, it } from "vitest";
import { VirtualClock } from "../core/clock.ts";
import { NS_PER_MS } from "../core/units.ts";
import type { Journal } from "./journal.ts";
import { StepRecorder } from "./switch-steps.ts";

/** Moves in the middle of work, which nobody else waits for. */
class HandClock extends VirtualClock {
  #elapsedNs = 0;

  override nowNs(): number {
    return this.#elapsedNs;
  }

  take(ms: number): void {
    this.#elapsedNs += ms * NS_PER_MS;
  }
}

/** A switch on a clock that moves only where a part of it takes time. */
function recorded(): {
  readonly steps: StepRecorder;
  readonly journal: Journal;
  readonly take: (ms: number) => void;
  noteMs: number;
} {
  const clock = new HandClock();
  const take = (ms: number): void => clock.take(ms);
  const steps = new StepRecorder(clock, () => undefined);
  const journal = steps.timed({ append: () => take(made.noteMs), rewrite: () => undefined });
  const made = { steps, journal, take, noteMs: 0 };
  return made;
}

const NOTE = { kind: "put-back", step: "start", reason: "it fell" } as const;

it("a switch's own time is its steps, the time between them and its notes, each once", async () => {
  const made = recorded();
  made.noteMs = 3;
  await made.steps.own({ step: "begin", message: "" }, () => {
    made.take(10);
    made.journal.append(NOTE);
  });
  made.take(7);
  await made.steps.engines({ step: "start", message: "" }, async () => {
    made.journal.append(NOTE);
    made.take(200);
  });
  expect(made.steps.times).toEqual({ tookMs: 10 + 3 + 7 + 3 + 200, overheadMs: 10 + 3 + 7 + 3 });
});

it("a switch's own time is never more than the whole, whatever its steps do", async () => {
  const part = fc.record({
    waits: fc.boolean(),
    beforeMs: fc.nat(50),
    noteMs: fc.nat(50),
    workMs: fc.nat(50),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(part), async (parts) => {
      const made = recorded();
      let ownMs = 0;
      for (const { waits, beforeMs, noteMs, workMs } of parts) {
        made.take(beforeMs);
        made.noteMs = noteMs;
        const work = async (): Promise<void> => {
          made.journal.append(NOTE);
          made.take(workMs);
        };
        await made.steps[waits ? "engines" : "own"]({ step: "any", message: "" }, work);
        ownMs += beforeMs + noteMs + (waits ? 0 : workMs);
      }
      const { tookMs, overheadMs } = made.steps.times;
      expect(overheadMs).toBeCloseTo(ownMs, 6);
      expect(overheadMs).toBeLessThanOrEqual(tookMs);
    }),
  );
});
