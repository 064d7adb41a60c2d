import { describe, expect, it } from "vitest";
import type { AgentTime } from "../record/trial-record.ts";
import { scenarioSchema } from "../workload/scenario.ts";
import { pausesOf } from "./pauses.ts";

const time = (totalMs: number, requestMs: number, extra: Partial<AgentTime> = {}): AgentTime => ({
  agent: "a",
  totalMs,
  requestMs,
  fileMs: 0,
  waitMs: 0,
  queueMs: 0,
  otherMs: 0,
  requests: 1,
  failures: 0,
  ...extra,
});

describe("pauses", () => {
  it("are the agents' time outside requests", () => {
    expect(pausesOf([time(1_000, 400), time(1_000, 1_000)], [], [])).toEqual({
      present: true,
      idleShare: 0.3,
    });
    expect(pausesOf([time(1_000, 960)], [], [])).toMatchObject({ present: false });
  });

  it("are not the wait for a place under the client's own in-flight limit, nor overlapping requests", () => {
    expect(pausesOf([time(1_000, 400, { queueMs: 600 })], [], [])).toEqual({ present: false, idleShare: 0 });
    expect(pausesOf([time(1_000, 1_900)], [], [])).toEqual({ present: false, idleShare: 0 });
  });

  it("count when they show only alone: together the requests may have filled them", () => {
    expect(pausesOf([time(1_000, 1_000)], [time(1_000, 500)], [])).toEqual({ present: true, idleShare: 0 });
  });

  it("are there by plan, whatever was left of them", () => {
    const [agent] = scenarioSchema.parse({
      name: "paced",
      endpoints: { a: { url: "http://127.0.0.1:1" } },
      agents: [{ name: "a", program: "synthetic", endpoint: "a", cadence: { thinkMs: 50 } }],
    }).agents;
    expect(pausesOf([], [], [agent])).toEqual({ present: true, idleShare: undefined });
    expect(pausesOf([], [], [undefined])).toEqual({ present: false, idleShare: undefined });
  });
});
