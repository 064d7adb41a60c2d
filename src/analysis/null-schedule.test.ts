import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AgentWork } from "./null-schedule.ts";
import { onOneAtATimeDevice, onSharedDevice } from "./null-schedule.ts";

function agent(
  name: string,
  worksMs: readonly number[],
  extra: { pauseMs?: number; everyMs?: number } = {},
): AgentWork {
  return {
    agent: name,
    requests: worksMs.map((workMs, index) => ({ workMs, pauseMs: index === 0 ? 0 : (extra.pauseMs ?? 0) })),
    ...(extra.everyMs === undefined ? {} : { everyMs: extra.everyMs }),
  };
}

const kept = (run: { agents: readonly { retention: number | undefined }[] }) =>
  run.agents.map((one) => one.retention);

describe("an ideal device that divides itself evenly", () => {
  it("leaves two equal continuous agents half their speed each", () => {
    const run = onSharedDevice([agent("a", [10, 10, 10]), agent("b", [10, 10, 10])]);
    expect(run).toEqual({
      wallMs: 60,
      agents: [
        { agent: "a", retention: 0.5 },
        { agent: "b", retention: 0.5 },
      ],
    });
  });

  it("gives the long request the whole device once the short one is done", () => {
    // Both at half speed until the short one has its 10 at 20; the long one has 20 left and ends at 40.
    const run = onSharedDevice([agent("short", [10]), agent("long", [30])]);
    expect(run.wallMs).toBe(40);
    expect(kept(run)).toEqual([10 / 20, 30 / 40]);
  });

  it("shares only while requests overlap when one arrives later", () => {
    const late: AgentWork = { agent: "late", requests: [{ workMs: 10, pauseMs: 5 }] };
    // 0–5 first alone (5 left), 5–15 both (first done), late then has 5 left and ends at 20.
    const run = onSharedDevice([agent("first", [10]), late]);
    expect(run.wallMs).toBe(20);
    expect(kept(run)).toEqual([10 / 15, 10 / 15]);
  });

  it("idles through a gap in which nobody asks", () => {
    const sparse: AgentWork = {
      agent: "sparse",
      requests: [
        { workMs: 2, pauseMs: 3 },
        { workMs: 2, pauseMs: 10 },
      ],
    };
    expect(onSharedDevice([sparse])).toEqual({ wallMs: 17, agents: [{ agent: "sparse", retention: 1 }] });
  });
});

describe("an ideal device that serves one request at a time", () => {
  it("makes two equal continuous agents take strict turns, and half is what both tend to", () => {
    const works = Array.from({ length: 100 }, () => 10);
    const run = onOneAtATimeDevice([agent("a", works), agent("b", works)]);
    expect(run.wallMs).toBe(2000);
    // a waits for nobody at first: 10 + 99 × 20; b always waits: 100 × 20.
    expect(kept(run)).toEqual([1000 / 1990, 0.5]);
  });

  it("serves in order of arrival: a short request behind a long one waits for all of it", () => {
    const run = onOneAtATimeDevice([agent("long", [30]), agent("short", [10])]);
    expect(kept(run)).toEqual([1, 10 / 40]);
  });

  it("costs nothing when thinking keeps the agents apart", () => {
    const later: AgentWork = {
      agent: "b",
      requests: [
        { workMs: 10, pauseMs: 10 },
        { workMs: 10, pauseMs: 10 },
      ],
    };
    // a runs 0–10 and 20–30, b 10–20 and 30–40.
    const run = onOneAtATimeDevice([agent("a", [10, 10], { pauseMs: 10 }), later]);
    expect(run.wallMs).toBe(40);
    expect(kept(run)).toEqual([1, 1]);
  });
});

describe("a cadence from start to start", () => {
  it("holds while requests are shorter than it, and gives way to a late end", () => {
    // a: due 0, 15, 30. b occupies 10–40 with one request of 30, due at 0 behind a.
    // a's second, due at 15, is served 40–50; its third is due at max(15 + 15, 50) = 50, ends at 60.
    const run = onOneAtATimeDevice([agent("a", [10, 10, 10], { everyMs: 15 }), agent("b", [30])]);
    expect(run.wallMs).toBe(60);
    expect(kept(run)).toEqual([30 / (10 + 35 + 10), 30 / 40]);
  });

  it("is not thinking time: alone, three requests of 10 every 15 end at 40, with thinking of 15 at 60", () => {
    expect(onSharedDevice([agent("a", [10, 10, 10], { everyMs: 15 })]).wallMs).toBe(40);
    expect(onSharedDevice([agent("a", [10, 10, 10], { pauseMs: 15 })]).wallMs).toBe(60);
  });
});

describe("both ideal devices", () => {
  const works = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 });

  it("lose nothing: continuous agents keep them busy until all work is done", () => {
    fc.assert(
      fc.property(fc.array(works, { minLength: 1, maxLength: 5 }), (lists) => {
        const agents = lists.map((list, index) => agent(`agent-${index}`, list));
        const total = lists.flat().reduce((sum, work) => sum + work, 0);
        expect(onOneAtATimeDevice(agents).wallMs).toBeCloseTo(total, 6);
        expect(onSharedDevice(agents).wallMs).toBeCloseTo(total, 6);
      }),
    );
  });

  it("leave an agent at least 1/N when shared, and all of its speed when alone", () => {
    fc.assert(
      fc.property(fc.array(works, { minLength: 1, maxLength: 5 }), (lists) => {
        const agents = lists.map((list, index) => agent(`agent-${index}`, list));
        for (const one of onSharedDevice(agents).agents)
          expect(one.retention).toBeGreaterThanOrEqual(1 / agents.length - 1e-9);
        for (const one of agents) expect(onSharedDevice([one]).agents[0]?.retention).toBeCloseTo(1, 9);
      }),
    );
  });
});
