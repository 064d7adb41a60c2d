import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PAPER_ENGINE } from "../../../test/fakes/paper-device.ts";
import { VirtualClock } from "../../core/clock.ts";
import { PacedEngine } from "./paced-engine.ts";
import { runVirtual } from "./run-virtual.ts";
import type { VirtualClient } from "./run-virtual.ts";
import type { RequestTimings } from "./simulated-request.ts";
import { SlotEngine } from "./slot-engine.ts";
import type { SlotEngineOptions } from "./slot-engine-options.ts";

const MS = 1_000_000;

/** One closed-loop client on a clock; returns the clock's time at each token. */
async function runClient(paced: PacedEngine, clock: VirtualClock, client: VirtualClient): Promise<number[]> {
  const seenNs: number[] = [];
  await clock.sleepUntil(client.startNs);
  for (const [position, request] of client.requests.entries()) {
    if (position > 0 && client.thinkNs > 0) await clock.sleepUntil(clock.nowNs() + client.thinkNs);
    await new Promise<void>((resolve) => {
      paced.submit(
        { ...request, id: `${client.name}/${position}` },
        {
          onToken: (timings, isLast) => {
            expect(clock.nowNs()).toBe(timings.latestTokenNs);
            seenNs.push(clock.nowNs());
            if (isLast) resolve();
          },
        },
      );
    });
  }
  return seenNs;
}

const anyOptions = fc
  .record({
    mode: fc.constantFrom("continuous", "sequential", "time-shared"),
    slots: fc.integer({ min: 1, max: 3 }),
    batchTokens: fc.integer({ min: 4, max: 60 }),
    loadNs: fc.constantFrom(0, 70 * MS),
    jitter: fc.constantFrom(0, 0.1),
  })
  .map((drawn): SlotEngineOptions => ({ ...PAPER_ENGINE, ...drawn }));

/**
 * Starts and think times on a grid of steps, so that arrivals and step ends fall together; some
 * nanoseconds apart from client to client, since the order of two arrivals at one instant is chance.
 */
const anyClients = fc
  .array(
    fc.record({
      startNs: fc.nat(6).map((count) => count * 10 * MS),
      thinkNs: fc.constantFrom(0, 10 * MS),
      requests: fc.array(
        fc.record({
          promptTokens: fc.integer({ min: 1, max: 80 }),
          outputTokens: fc.integer({ min: 1, max: 6 }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((drawn): VirtualClient[] =>
    drawn.map((one, index) => ({
      name: `agent-${index}`,
      // Sums of these are all different: a client thinks at most twice.
      startNs: one.startNs + 1_000 * 4 ** index,
      thinkNs: one.thinkNs + 4 ** index,
      requests: one.requests,
    })),
  );

describe("the engine on a clock", () => {
  it("emits at the very times that virtual time gives", async () => {
    await fc.assert(
      fc.asyncProperty(anyOptions, anyClients, async (options, clients) => {
        const clock = new VirtualClock();
        const paced = new PacedEngine(new SlotEngine(options), clock);
        const onClock = await clock.runUntil(
          Promise.all(clients.map((client) => runClient(paced, clock, client))),
        );
        const { finished } = runVirtual(new SlotEngine(options), clients);
        const inVirtualTime = clients.map(({ name }) =>
          finished.filter((one) => one.client === name).flatMap(({ tokensNs }) => tokensNs),
        );
        expect(onClock).toEqual(inVirtualTime);
      }),
      { numRuns: 100 },
    );
  });

  it("does not drift when its timers fire late: the model's times stay as they are", async () => {
    const clock = new LateClock(7 * MS);
    const paced = new PacedEngine(new SlotEngine(PAPER_ENGINE), clock);
    const modelNs: number[] = [];
    const seenNs: number[] = [];
    const done = new Promise<void>((resolve) => {
      paced.submit(
        { id: "a", promptTokens: 50, outputTokens: 4 },
        {
          onToken: (timings, isLast) => {
            modelNs.push(timings.latestTokenNs);
            seenNs.push(clock.nowNs());
            if (isLast) resolve();
          },
        },
      );
    });
    await clock.runUntil(done);
    expect(modelNs).toEqual([50, 60, 70, 80].map((ms) => ms * MS));
    expect(seenNs).toEqual([57, 67, 77, 87].map((ms) => ms * MS));
  });

  it("keeps what arrives while it is late out of the step that should have begun already", async () => {
    const clock = new LateClock(7 * MS);
    const paced = new PacedEngine(new SlotEngine(PAPER_ENGINE), clock);
    paced.submit({ id: "a", promptTokens: 50, outputTokens: 4 }, { onToken: () => undefined });
    const startedNs = new Promise<number>((resolve) => {
      // Due at 46 and so 7 ms late: between the end of a's prefill at 50 and its being noticed at 57.
      clock.timerAt(46 * MS, () => {
        const onToken = (timings: RequestTimings): void => resolve(timings.startedNs);
        paced.submit({ id: "b", promptTokens: 10, outputTokens: 1 }, { onToken });
      });
    });
    expect(await clock.runUntil(startedNs)).toBe(60 * MS);
  });

  it("calls nobody back after a cancel or a stop", async () => {
    const clock = new VirtualClock();
    const paced = new PacedEngine(new SlotEngine({ ...PAPER_ENGINE, slots: 1 }), clock);
    const seen: string[] = [];
    for (const id of ["a", "b"])
      paced.submit({ id, promptTokens: 10, outputTokens: 3 }, { onToken: () => void seen.push(id) });
    await clock.advanceTo(15 * MS);
    paced.cancel("a");
    await clock.advanceTo(35 * MS);
    paced.stop();
    await clock.advanceTo(500 * MS);
    // a's first token at 10; its slot goes to b at the end of the step at 20, whose first token is at 30.
    expect(seen).toEqual(["a", "b"]);
  });
});

/** Every timer fires this much after it is due. */
class LateClock extends VirtualClock {
  readonly #lateNs: number;

  constructor(lateNs: number) {
    super();
    this.#lateNs = lateNs;
  }

  override timerAt(atNs: number, callback: () => void): ReturnType<VirtualClock["timerAt"]> {
    return super.timerAt(atNs + this.#lateNs, callback);
  }
}
