import { describe, expect, it } from "vitest";
import { alive, coding, passSeconds } from "../../test/fakes/paper-modes.ts";
import type { ControlProgress } from "./control/protocol.ts";

/** Presets of paper stop waiting for requests after 2 s. */
const DRAIN_LIMIT_S = 2;

type Fleet = Awaited<ReturnType<typeof coding>>;

async function warnings({ supervisor, run }: Fleet): Promise<readonly string[]> {
  return (await run(supervisor.status())).warnings;
}

/** Virtual seconds that something took. */
async function seconds({ machine, run }: Fleet, work: Promise<unknown>): Promise<number> {
  const startNs = machine.clock.nowNs();
  await run(work);
  return (machine.clock.nowNs() - startNs) / 1e9;
}

describe("the end of the supervisor", () => {
  it("waits for running requests before it stops their server", async () => {
    const fleet = await coding();
    fleet.machine.busySlots.set("coder", 1);
    const end = fleet.supervisor.shutdown("stop");
    await passSeconds(fleet, fleet.machine, 1);
    expect(alive(fleet.machine)).toEqual(["coder", "embed"]);
    fleet.machine.busySlots.set("coder", 0);
    await fleet.run(end);
    expect(alive(fleet.machine)).toEqual([]);
    expect(await warnings(fleet)).toEqual([]);
  });

  it("waits no longer than the presets say, and says what it cut off", async () => {
    const fleet = await coding();
    fleet.machine.busySlots.set("coder", 1);
    expect(await seconds(fleet, fleet.supervisor.shutdown("stop"))).toBeGreaterThanOrEqual(DRAIN_LIMIT_S);
    expect(await warnings(fleet)).toEqual([
      "coder was not idle within 2000 ms: 0 leases and 1 slots were cut off",
    ]);
  });

  it("waits for nobody where that is asked for", async () => {
    const fleet = await coding();
    fleet.machine.busySlots.set("coder", 1);
    expect(await seconds(fleet, fleet.supervisor.shutdown("stop", undefined, "now"))).toBeLessThan(0.5);
    expect(await warnings(fleet)).toEqual([
      expect.stringMatching(/^coder was not waited for, as was asked: 0 leases and .* were cut off$/),
      expect.stringMatching(/^embed was not waited for/),
    ]);
  });

  it("stops waiting when a second one asks for that", async () => {
    const fleet = await coding();
    fleet.machine.busySlots.set("coder", 1);
    const first = fleet.supervisor.shutdown("stop");
    await passSeconds(fleet, fleet.machine, 1);
    expect(await seconds(fleet, fleet.supervisor.shutdown("stop", undefined, "now"))).toBeLessThan(0.5);
    await fleet.run(first);
    expect(alive(fleet.machine)).toEqual([]);
    expect(await warnings(fleet)).toEqual([
      "coder was not waited for, as was asked: 0 leases and 1 slots were cut off",
    ]);
  });
});

describe("a server that does not say what it computes", () => {
  it("is waited for while clients are connected to it", async () => {
    const fleet = await coding();
    fleet.machine.reticent.add("coder");
    fleet.machine.clients.set("coder", 1);
    const report = fleet.supervisor.switchMode("research");
    await passSeconds(fleet, fleet.machine, 1);
    expect(alive(fleet.machine)).toEqual(["coder", "embed"]);
    fleet.machine.clients.set("coder", 0);
    expect((await fleet.run(report)).outcome).toBe("committed");
    expect(await warnings(fleet)).toEqual([]);
  });

  it("is stopped after its limit all the same, and a warning counts the connections", async () => {
    const fleet = await coding();
    fleet.machine.reticent.add("coder");
    fleet.machine.clients.set("coder", 2);
    const report = await fleet.run(fleet.supervisor.switchMode("research"));
    expect(report.steps.find(({ step }) => step === "drain")?.tookMs).toBe(2_000);
    expect(await warnings(fleet)).toContain(
      "coder was not idle within 2000 ms: 0 leases and 2 connections were cut off",
    );
  });

  it("is given a fixed time where its connections cannot be seen either, and a warning says so", async () => {
    const fleet = await coding();
    fleet.machine.reticent.add("coder");
    fleet.machine.clients.set("coder", undefined);
    const report = await fleet.run(fleet.supervisor.switchMode("research"));
    expect(report.steps.find(({ step }) => step === "drain")?.tookMs).toBe(2_000);
    expect(await warnings(fleet)).toContain("coder does not show its requests: what still ran was cut off");
  });

  it("is named in the step that waits for it, where its engine can never say", async () => {
    const fleet = await coding();
    const said: ControlProgress[] = [];
    await fleet.run(fleet.supervisor.switchMode("quiet"));
    await fleet.run(fleet.supervisor.switchMode("coding", (progress) => void said.push(progress)));
    expect(said.find(({ step }) => step === "drain")?.message).toBe(
      "switch to coding: letting running requests end, and open connections to mute, which cannot say what it computes",
    );
  });
});
