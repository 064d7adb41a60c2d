/** What the supervisor does about servers that run: crashes, silence, stalls, and memory that runs short. */
import { describe, expect, it } from "vitest";
import { alive, coding, passSeconds, states } from "../../test/fakes/paper-modes.ts";
import type { ServerScript } from "../../test/fakes/paper-world.ts";

describe("servers that run", () => {
  it("are started again when they crash, on the same port", async () => {
    const fleet = await coding();
    const coder = fleet.machine.alive.find(({ preset }) => preset.name === "coder");
    coder?.end({ signal: "SIGSEGV" });
    await passSeconds(fleet, fleet.machine, 0.5);
    expect((await states(fleet))["coder"]).toBe("restarting");
    await passSeconds(fleet, fleet.machine, 5);
    const again = fleet.machine.alive.find(({ preset }) => preset.name === "coder");
    expect(again?.port).toBe(coder?.port);
    const status = await fleet.run(fleet.supervisor.status());
    expect(status.presets.find(({ preset }) => preset === "coder")).toMatchObject({
      state: "ready",
      restarts: 1,
    });
  });

  it("are given up on after five crashes in three minutes, with the cause from the log", async () => {
    const scripts: Record<string, ServerScript> = {};
    const fleet = await coding(scripts);
    scripts["coder"] = { start: "out-of-memory" };
    fleet.machine.busySlots.set("coder", 1);
    const busy = (await fleet.run(fleet.supervisor.status())).presets;
    expect(busy.find(({ preset }) => preset === "coder")?.busySlots).toBe(1);
    fleet.machine.alive.find(({ preset }) => preset.name === "coder")?.end({ code: 1 });
    await passSeconds(fleet, fleet.machine, 60);
    const { presets, warnings } = await fleet.run(fleet.supervisor.status());
    const coder = presets.find(({ preset }) => preset === "coder");
    expect(coder?.state).toBe("failed");
    for (const ofAServer of ["url", "pid", "busySlots", "tokensPerSecond", "usedBytes"])
      expect(coder).not.toHaveProperty(ofAServer);
    expect(coder?.reason).toMatch(/^5 crashes within 180 s; .*the GPU had no memory left for it/);
    expect(warnings.at(-1)).toContain("is left alone");
    expect(fleet.machine.processes.filter(({ preset }) => preset.name === "coder")).toHaveLength(5);
    scripts["coder"] = {};
    expect((await fleet.run(fleet.supervisor.startPreset("coder"))).outcome).toBe("committed");
  });

  it("are restarted after three health checks in a row without an answer, and not after two", async () => {
    const fleet = await coding();
    const first = fleet.machine.alive.find(({ preset }) => preset.name === "coder");
    fleet.machine.deaf.add("coder");
    await passSeconds(fleet, fleet.machine, 34);
    fleet.machine.deaf.delete("coder");
    await passSeconds(fleet, fleet.machine, 60);
    expect(fleet.machine.alive).toContain(first);
    fleet.machine.deaf.add("coder");
    // Three rounds of at most 18 s; it can hear again when the restart has begun.
    await passSeconds(fleet, fleet.machine, 54);
    expect((await states(fleet))["coder"]).toBe("restarting");
    fleet.machine.deaf.delete("coder");
    await passSeconds(fleet, fleet.machine, 30);
    expect(fleet.machine.alive).not.toContain(first);
    expect((await states(fleet))["coder"]).toBe("ready");
  });

  it("are restarted when they answer health and produce no token for two minutes", async () => {
    const fleet = await coding();
    const first = fleet.machine.alive.find(({ preset }) => preset.name === "coder");
    fleet.machine.busySlots.set("coder", 1);
    fleet.machine.stalled.add("coder");
    await passSeconds(fleet, fleet.machine, 110);
    expect((await states(fleet))["coder"]).toBe("ready");
    await passSeconds(fleet, fleet.machine, 50);
    fleet.machine.stalled.delete("coder");
    await passSeconds(fleet, fleet.machine, 30);
    expect(fleet.machine.alive).not.toContain(first);
    const { warnings } = await fleet.run(fleet.supervisor.status());
    expect(warnings.join()).toMatch(
      /coder is down: it answers health but has produced no token for 2(\.\d)? min/,
    );
  });

  it("give way to a command while they are being restarted", async () => {
    const scripts: Record<string, ServerScript> = {};
    const fleet = await coding(scripts);
    scripts["coder"] = { loadMs: 2_500 };
    fleet.machine.alive.find(({ preset }) => preset.name === "coder")?.end({ signal: "SIGSEGV" });
    await passSeconds(fleet, fleet.machine, 2);
    expect((await fleet.run(fleet.supervisor.switchMode("door"))).outcome).toBe("committed");
    expect(alive(fleet.machine)).toEqual(["embed", "fixed"]);
    await passSeconds(fleet, fleet.machine, 60);
    expect(alive(fleet.machine)).toEqual(["embed", "fixed"]);
  });

  it("are stopped by priority, and then all, when memory runs short", async () => {
    const fleet = await coding();
    fleet.machine.hostAvailableBytes = 1.5 * 1024 ** 3;
    await passSeconds(fleet, fleet.machine, 22);
    expect(() => fleet.supervisor.lease("coder")).toThrow("memory is short");
    await passSeconds(fleet, fleet.machine, 10);
    expect(alive(fleet.machine)).toEqual(["embed"]);
    await passSeconds(fleet, fleet.machine, 15);
    expect(alive(fleet.machine)).toEqual([]);
    const { presets, mode, modePresets } = await fleet.run(fleet.supervisor.status());
    expect({ mode, modePresets }).toEqual({ mode: "coding", modePresets: ["coder", "embed"] });
    expect(presets.find(({ preset }) => preset === "coder")).toMatchObject({
      state: "stopped",
      reason: "stopped because memory ran short",
    });
  });
});
