import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { STUDY_003_PROFILE } from "./safety-profile.ts";
import type { WatchdogAction, WatchdogState, WatchedServer } from "./watchdog.ts";
import { WATCHING, watchdogStep } from "./watchdog.ts";

const S = 1_000_000_000;
const MIB = 1_048_576;
const GIB = 1024 * MIB;
const LIMITS = STUDY_003_PROFILE.watchdog;

const SERVERS: readonly WatchedServer[] = [
  { preset: "chat", priority: 80, heldBytes: 12 * GIB },
  { preset: "embedder", priority: 20, heldBytes: 2 * GIB },
  { preset: "reranker", priority: 20, heldBytes: 3 * GIB },
];

interface Poll {
  readonly atS: number;
  readonly hostGib?: number;
  readonly freeMib?: number;
  readonly unread?: true;
}

/** The acts, "<second> <what>", of polls; what is not given is plenty. A stopped server is gone at the next poll. */
function acts(polls: readonly Poll[], servers = SERVERS): string[] {
  let state: WatchdogState = WATCHING;
  let running = servers;
  return polls.flatMap(({ atS, hostGib = 20, freeMib = 1_000, unread }) => {
    const reading = unread ? undefined : { hostAvailableBytes: hostGib * GIB, freeBytes: freeMib * MIB };
    const step = watchdogStep(state, reading, atS * S, LIMITS, running);
    state = step.state;
    for (const action of step.actions) {
      if (action.do === "stop-preset") running = running.filter(({ preset }) => preset !== action.preset);
      if (action.do === "stop-all") running = [];
    }
    return step.actions.filter((action) => action.do !== "record").map((action) => `${atS} ${named(action)}`);
  });
}

const named = (action: WatchdogAction): string =>
  action.do === "stop-preset" ? `stop ${action.preset}` : action.do;

const every5s = (from: number, to: number, figures: Omit<Poll, "atS">): Poll[] =>
  Array.from({ length: (to - from) / 5 + 1 }, (_, index) => ({ atS: from + 5 * index, ...figures }));

describe("the ladder", () => {
  test.each<[what: string, figures: Omit<Poll, "atS">]>([
    ["host memory", { hostGib: 7.9 }],
    ["GPU memory", { freeMib: 199 }],
  ])(
    "with %s short for good: stop admitting at 15 s, the lowest priority at 25 s, all at 35 s",
    (_, figures) => {
      expect(acts(every5s(0, 100, figures))).toEqual([
        "15 stop-admitting",
        "25 stop reranker",
        "35 stop-all",
      ]);
    },
  );

  test("memory at the limit, and not below it, is enough", () => {
    expect(acts(every5s(0, 100, { hostGib: 8, freeMib: 200 }))).toEqual([]);
  });

  test("the last server is all of them", () => {
    expect(acts(every5s(0, 100, { freeMib: 150 }), SERVERS.slice(0, 1))).toEqual([
      "15 stop-admitting",
      "25 stop-all",
    ]);
  });

  test("of equal priorities the larger goes; it goes no further when that was enough", () => {
    const polls = [...every5s(0, 25, { freeMib: 150 }), ...every5s(30, 200, { freeMib: 3_000 })];
    expect(acts(polls)).toEqual(["15 stop-admitting", "25 stop reranker", "60 admit"]);
  });

  test("below half a limit each poll takes a rung", () => {
    expect(acts(every5s(0, 30, { freeMib: 99 }))).toEqual([
      "0 stop-admitting",
      "5 stop reranker",
      "10 stop-all",
    ]);
  });

  test("every act is recorded with its numbers", () => {
    const reading = { hostAvailableBytes: 7 * GIB, freeBytes: 900 * MIB };
    const low = watchdogStep(WATCHING, reading, 0, LIMITS, SERVERS).state;
    const polled = watchdogStep(low, reading, 10 * S, LIMITS, SERVERS).state;
    expect(watchdogStep(polled, reading, 15 * S, LIMITS, SERVERS).actions.at(-1)).toEqual({
      do: "record",
      message: "host memory available 7168 MiB, limit 8192 MiB for 15.0 s: no new clients are admitted",
    });
  });
});

test("what is acted upon at its first reading is not said to have lasted", () => {
  const reading = { hostAvailableBytes: GIB, freeBytes: 900 * MIB };
  expect(watchdogStep(WATCHING, reading, 7 * S, LIMITS, SERVERS).actions.at(-1)).toEqual({
    do: "record",
    message: "host memory available 1024 MiB, limit 8192 MiB: no new clients are admitted",
  });
});

describe("patience", () => {
  test("a single good reading begins the wait anew", () => {
    const polls = [
      ...every5s(0, 10, { freeMib: 150 }),
      ...every5s(15, 15, {}),
      ...every5s(20, 30, { freeMib: 150 }),
    ];
    expect(acts(polls)).toEqual([]);
  });

  test("clients are admitted only after 30 s with a quarter more than the limit", () => {
    const pressed = every5s(0, 15, { freeMib: 150 });
    expect(acts([...pressed, ...every5s(20, 300, { freeMib: 249 })])).toEqual(["15 stop-admitting"]);
    expect(acts([...pressed, ...every5s(20, 300, { freeMib: 250 })])).toEqual([
      "15 stop-admitting",
      "50 admit",
    ]);
  });

  test("a driver that does not answer is no pressure, and the time it was silent is not held against memory", () => {
    const silent = every5s(5, 60, { unread: true });
    expect(acts([{ atS: 0, freeMib: 150 }, ...silent, { atS: 65, freeMib: 150 }])).toEqual([]);
  });

  test("nothing is done before pressure has lasted, and stops are never undone by itself", () => {
    const figures = fc.record({
      hostGib: fc.constantFrom(5, 7, 9, 20),
      freeMib: fc.constantFrom(120, 180, 220, 900),
    });
    fc.assert(
      fc.property(fc.array(figures, { maxLength: 60 }), (rows) => {
        const polls = rows.map((row, index) => ({ atS: 5 * index, ...row }));
        const done = acts(polls);
        const isLow = (poll: Poll | undefined): boolean =>
          poll !== undefined && ((poll.hostGib ?? 20) < 8 || (poll.freeMib ?? 1_000) < 200);
        for (const act of done) {
          const index = Number(act.split(" ")[0]) / 5;
          if (act.endsWith("admit")) expect(polls.slice(index - 6, index + 1).some(isLow)).toBe(false);
          else if (act.endsWith("admitting"))
            expect(polls.slice(index - 3, index + 1).filter(isLow)).toHaveLength(4);
          else expect(isLow(polls[index])).toBe(true);
        }
        const order = done.map((act) => act.replace(/^\d+ /, "").replace(/^stop [er].*/, "stop-one"));
        // Between two admissions each rung at most once, from the first on.
        for (const stretch of order.join(",").split("admit,"))
          expect("stop-admitting,stop-one,stop-all,admit").toContain(stretch.replace(/,?admit$/, ""));
      }),
    );
  });
});
