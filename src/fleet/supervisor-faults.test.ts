/** What a server can do to a switch, one fault at a time: the outcome, and what a person is told. */
import { describe, expect, it } from "vitest";
import { paperFleet } from "../../test/fakes/paper-fleet.ts";
import { CODING_CATALOGUE, alive, coding, passSeconds, states } from "../../test/fakes/paper-modes.ts";
import type { ServerScript } from "../../test/fakes/paper-world.ts";

describe("a switch that fails puts back what ran, and says why", () => {
  it.each<[string, ServerScript, { step: string; code: string; message: RegExp }]>([
    [
      "crashes at its start",
      { start: "crashes" },
      {
        step: "health",
        code: "PROCESS_FAILED",
        message: /reader ended before it could serve: it crashed \(SIGSEGV\)/,
      },
    ],
    [
      "prints that the GPU is out of memory",
      { start: "out-of-memory" },
      {
        step: "health",
        code: "GPU_OUT_OF_MEMORY",
        message: /the GPU had no memory left for it: ggml_cuda: cudaMalloc failed/,
      },
    ],
    [
      "refuses its flags",
      { start: "bad-flag" },
      {
        step: "health",
        code: "LAUNCH_REFUSED",
        message: /it refused its own command line: error: invalid argument/,
      },
    ],
    [
      "never becomes healthy",
      { start: "never-healthy" },
      {
        step: "health",
        code: "START_TIMEOUT",
        message: /reader was not healthy within 3000 ms \(it was still loading\)/,
      },
    ],
    [
      "answers health but stalls",
      { start: "stalls" },
      { step: "canary", code: "SERVER_STALLED", message: /reader is healthy but produces no token/ },
    ],
  ])("when the incoming server %s", async (_what, script, { step, code, message }) => {
    const fleet = await coding({ reader: script });
    const report = await fleet.run(fleet.supervisor.switchMode("research"));
    expect(report).toMatchObject({
      outcome: "rolled-back",
      mode: "coding",
      failure: { step, preset: "reader", code },
    });
    expect(report.failure?.message).toMatch(message);
    expect(report.failure?.nextStep).not.toBe("");
    expect(report.notPutBack).toBeUndefined();
    expect(report.runs.toSorted()).toEqual(["coder", "embed"]);
    expect(alive(fleet.machine)).toEqual(["coder", "embed"]);
    expect(fleet.machine.violations).toEqual([]);
  });

  it("when an incoming server falls while another starts", async () => {
    const fleet = await coding({ reader: { loadMs: 100, crashesAfterMs: 250 } });
    const report = await fleet.run(fleet.supervisor.switchMode("wide"));
    expect(report).toMatchObject({
      outcome: "rolled-back",
      failure: { preset: "reader", code: "PROCESS_FAILED", step: "canary" },
    });
    expect(alive(fleet.machine)).toEqual(["coder", "embed"]);
  });

  it("carries the last twenty lines of the log", async () => {
    const fleet = await coding({ reader: { start: "out-of-memory" } });
    for (let line = 1; line <= 30; line++) fleet.machine.log("reader", `line ${line}`);
    const report = await fleet.run(fleet.supervisor.switchMode("research"));
    expect(report.failure?.logTail).toHaveLength(20);
    expect(report.failure?.logTail.at(0)).toBe("line 12");
    expect(report.failure?.logTail.at(-1)).toBe("ggml_cuda: cudaMalloc failed: out of memory");
  });

  it("when memory of the outgoing server never comes free, and then cannot start that one either", async () => {
    const fleet = await coding({ coder: { releasesAfterMs: "never" } });
    const report = await fleet.run(fleet.supervisor.switchMode("research"));
    expect(report.failure).toMatchObject({ step: "memory", code: "MEMORY_NOT_FREED" });
    expect(report.failure?.message).toBe(
      "memory did not come free within 120 s: 10.0 GiB free, 14.5 GiB needed with the margin",
    );
    expect(report.notPutBack).toMatchObject([{ preset: "coder", code: "MEMORY_NOT_FREED" }]);
    expect(report.runs).toEqual(["embed"]);
    expect(await states(fleet)).toMatchObject({ coder: "failed", embed: "ready", reader: "stopped" });
    expect(fleet.machine.violations).toEqual([]);
  });

  it("when not even SIGKILL ends the outgoing server: it is failed, and everything else is back", async () => {
    const fleet = await coding({ coder: { stop: "stuck" } });
    const report = await fleet.run(fleet.supervisor.switchMode("research"));
    expect(report).toMatchObject({
      outcome: "rolled-back",
      failure: { step: "stop", preset: "coder", code: "SERVER_STUCK" },
    });
    expect(report.notPutBack).toMatchObject([{ preset: "coder", code: "SERVER_STUCK" }]);
    expect(await states(fleet)).toMatchObject({ coder: "failed", embed: "ready", reader: "stopped" });
  });

  it("when a port that the preset names is taken", async () => {
    const fleet = await coding();
    fleet.machine.holdPort(8_081, {});
    const report = await fleet.run(fleet.supervisor.switchMode("door"));
    expect(report.failure).toMatchObject({
      step: "start",
      preset: "fixed",
      code: "PORT_IN_USE",
      message: "port 8081 is taken",
    });
    expect(alive(fleet.machine)).toEqual(["coder", "embed"]);
  });

  it("when the disk fills up in the middle, with nothing lost of what ran", async () => {
    const fleet = await coding({ coder: { stopMs: 500 } });
    fleet.machine.after(300, () => {
      fleet.machine.diskFull = true;
    });
    const report = await fleet.run(fleet.supervisor.switchMode("research"));
    expect(report).toMatchObject({ outcome: "rolled-back", mode: "coding", failure: { code: "DISK_FULL" } });
    expect(alive(fleet.machine)).toEqual(["coder", "embed"]);
    const status = await fleet.run(fleet.supervisor.status());
    expect(status.warnings[0]).toBe("what runs is not on the disk: fleet.json could not be written");
    await expect(fleet.run(fleet.supervisor.switchMode("research"))).rejects.toMatchObject({
      code: "DISK_FULL",
    });
    fleet.machine.diskFull = false;
    expect((await fleet.run(fleet.supervisor.switchMode("research"))).outcome).toBe("committed");
  });

  it("when its caller calls it off while it is planned: nothing was touched, and that is what it says", async () => {
    const fleet = await coding();
    const before = alive(fleet.machine);
    const caller = new AbortController();
    caller.abort();
    const called = fleet.run(fleet.supervisor.switchMode("research", undefined, caller.signal));
    await expect(called).rejects.toMatchObject({
      code: "SWITCH_ABORTED",
      message: expect.stringContaining("before anything was touched"),
      nextStep: "what ran goes on running; ask again at any time",
    });
    expect(alive(fleet.machine)).toEqual(before);
  });

  it("when its caller calls it off", async () => {
    const fleet = await coding({ reader: { loadMs: 2_000 } });
    const caller = new AbortController();
    fleet.machine.after(1_000, () => caller.abort());
    const report = await fleet.run(fleet.supervisor.switchMode("research", undefined, caller.signal));
    expect(report).toMatchObject({
      outcome: "rolled-back",
      mode: "coding",
      failure: { step: "health", code: "SWITCH_ABORTED" },
    });
    expect(alive(fleet.machine)).toEqual(["coder", "embed"]);
  });
});

describe("a switch that goes on all the same", () => {
  it("when a server ignores SIGTERM: after its grace it is killed", async () => {
    const fleet = await coding({ coder: { stop: "ignores-sigterm" } });
    const report = await fleet.run(fleet.supervisor.switchMode("research"));
    expect(report).toMatchObject({ outcome: "committed", mode: "research" });
    expect(report.steps.find(({ step }) => step === "stop")?.tookMs).toBe(1_000);
  });

  it("when memory comes late: nothing is started before it is there", async () => {
    const fleet = await coding({ coder: { releasesAfterMs: 4_000 } });
    const report = await fleet.run(fleet.supervisor.switchMode("research"));
    expect(report.outcome).toBe("committed");
    expect(report.steps.find(({ step }) => step === "memory")?.tookMs).toBeGreaterThanOrEqual(4_000);
    expect(fleet.machine.violations).toEqual([]);
  });

  it("when a port that the preset names is let go late", async () => {
    const fleet = await coding({ fixed: { holdsPortMs: 3_000 } });
    await fleet.run(fleet.supervisor.switchMode("door"));
    await fleet.run(fleet.supervisor.stopPreset("fixed"));
    const report = await fleet.run(fleet.supervisor.startPreset("fixed"));
    expect(report.outcome).toBe("committed");
    expect(report.steps.find(({ step }) => step === "start")?.tookMs).toBeGreaterThanOrEqual(3_000);
  });

  it("when a grandchild outlives its server: it is ended too", async () => {
    const fleet = await coding({ coder: { stray: true } });
    expect((await fleet.run(fleet.supervisor.switchMode("research"))).outcome).toBe("committed");
    expect(alive(fleet.machine)).toEqual(["embed", "reader"]);
  });

  it("when requests run longer than the drain limit: they are cut off, and a warning says so", async () => {
    const fleet = await coding();
    fleet.machine.busySlots.set("coder", 1);
    const report = await fleet.run(fleet.supervisor.switchMode("research"));
    expect(report.steps.find(({ step }) => step === "drain")?.tookMs).toBe(2_000);
    const { warnings } = await fleet.run(fleet.supervisor.status());
    expect(warnings).toContain("coder was not idle within 2000 ms: 0 leases and 1 slots were cut off");
  });

  it("and costs no time of its own beside the engines", async () => {
    const fleet = await coding();
    const report = await fleet.run(fleet.supervisor.switchMode("research"));
    expect(report.overheadMs).toBe(0);
    expect(report.steps.map(({ step }) => step)).toEqual([
      "plan",
      "begin",
      "drain",
      "stop",
      "memory",
      "start",
      "canary",
      "after-boot",
      "commit",
    ]);
  });

  it("loads a model into a server that somebody else keeps, and takes out no more than that", async () => {
    const fleet = await coding();
    expect((await fleet.run(fleet.supervisor.switchMode("visit"))).outcome).toBe("committed");
    expect([...fleet.machine.ollama.loaded]).toEqual(["guest"]);
    expect(alive(fleet.machine)).toEqual(["embed"]);
    fleet.hand.killSupervisor();
    const next = paperFleet(fleet.machine, () => CODING_CATALOGUE);
    await next.run(next.supervisor.begin());
    expect((await states(next))["guest"]).toBe("ready");
    expect((await next.run(next.supervisor.switchMode("coding"))).outcome).toBe("committed");
    expect([...fleet.machine.ollama.loaded]).toEqual([]);
  });

  it("puts a server to sleep that can, and wakes it again in the same process", async () => {
    const fleet = await coding();
    await fleet.run(fleet.supervisor.switchMode("nap"));
    const napper = fleet.machine.alive.find(({ preset }) => preset.name === "napper");
    const away = await fleet.run(fleet.supervisor.switchMode("coding"));
    expect(away.outcome).toBe("committed");
    expect((await states(fleet))["napper"]).toBe("asleep");
    const back = await fleet.run(fleet.supervisor.switchMode("nap"));
    expect(back.outcome).toBe("committed");
    expect(fleet.machine.alive).toContain(napper);
    expect(fleet.machine.violations).toEqual([]);
  });
});

describe("commands", () => {
  it("are taken one at a time: a second switch is refused with the step of the first", async () => {
    const fleet = await coding({ reader: { loadMs: 1_000 } });
    const first = fleet.supervisor.switchMode("research");
    await passSeconds(fleet, fleet.machine, 0.5);
    await expect(fleet.supervisor.switchMode("door")).rejects.toMatchObject({
      code: "SWITCH_UNDER_WAY",
      message: "switch to research is under way, at the step start",
    });
    expect((await fleet.run(fleet.supervisor.status())).switching).toEqual({ to: "research", step: "start" });
    expect((await fleet.run(first)).outcome).toBe("committed");
  });

  it("find in the status who answers, where, and nothing of our own machinery", async () => {
    const fleet = await coding();
    const status = await fleet.run(fleet.supervisor.status());
    expect(Object.keys(status).toSorted()).toEqual([
      "memory",
      "mode",
      "modePresets",
      "presets",
      "stateDirectory",
      "supervisorPid",
      "warnings",
    ]);
    expect(status.presets.find(({ preset }) => preset === "coder")).toMatchObject({
      state: "ready",
      pid: 102,
      url: "http://127.0.0.1:40001",
      slots: 2,
      busySlots: 0,
      declaredBytes: 12 * 1024 ** 3,
    });
  });

  it("say that there is nothing to do", async () => {
    const fleet = await coding();
    expect(await fleet.run(fleet.supervisor.switchMode("coding"))).toMatchObject({
      outcome: "already-there",
      mode: "coding",
    });
  });

  it("are refused with every check that stands against them, and nothing is touched", async () => {
    const fleet = await coding();
    fleet.machine.checks = [
      {
        id: "model-file",
        preset: "reader",
        passed: false,
        severity: "error",
        message: "reader.gguf is not there",
        remedy: "fetch it",
      },
      {
        id: "disk",
        passed: false,
        severity: "warning",
        message: "the disk is nearly full",
        remedy: "free some",
      },
    ];
    await expect(fleet.run(fleet.supervisor.switchMode("research"))).rejects.toMatchObject({
      code: "PREFLIGHT_FAILED",
      message: "reader.gguf is not there",
      nextStep: "fetch it",
    });
    expect(alive(fleet.machine)).toEqual(["coder", "embed"]);
  });

  it("start and stop single presets beside the mode", async () => {
    const fleet = await coding();
    expect(await fleet.run(fleet.supervisor.startPreset("fixed"))).toMatchObject({
      outcome: "committed",
      mode: "coding",
    });
    expect(alive(fleet.machine)).toEqual(["coder", "embed", "fixed"]);
    await fleet.run(fleet.supervisor.stopPreset("coder"));
    expect(alive(fleet.machine)).toEqual(["embed", "fixed"]);
    await expect(fleet.run(fleet.supervisor.startPreset("nobody"))).rejects.toMatchObject({
      code: "PRESET_UNKNOWN",
    });
  });

  it("refuse to stop a preset that others which run depend on, and name them", async () => {
    const fleet = await coding();
    await fleet.run(fleet.supervisor.switchMode("chat"));
    await expect(fleet.run(fleet.supervisor.stopPreset("embed"))).rejects.toMatchObject({
      code: "PRESET_NEEDED",
      message: "embed is needed by what runs: retriever",
    });
    expect(alive(fleet.machine)).toEqual(["embed", "retriever"]);
    await fleet.run(fleet.supervisor.stopPreset("retriever"));
    expect((await fleet.run(fleet.supervisor.stopPreset("embed"))).outcome).toBe("committed");
    expect(alive(fleet.machine)).toEqual([]);
  });

  it("shut down in the middle of a switch: everything ends, and nothing is started for it", async () => {
    const fleet = await coding({ reader: { loadMs: 2_000 } });
    const cut = fleet.supervisor.switchMode("research");
    await passSeconds(fleet, fleet.machine, 1);
    const starts = fleet.machine.processes.length;
    await fleet.run(fleet.supervisor.shutdown("stop"));
    expect((await cut).outcome).toBe("rolled-back");
    expect(alive(fleet.machine)).toEqual([]);
    expect(fleet.machine.processes).toHaveLength(starts);
    await fleet.supervisor.ended;
    await expect(fleet.supervisor.switchMode("coding")).rejects.toMatchObject({ code: "SWITCH_UNDER_WAY" });
  });

  it("leave the servers to the next supervisor where they are to be kept", async () => {
    const fleet = await coding();
    const before = fleet.machine.alive;
    await fleet.run(fleet.supervisor.shutdown("keep"));
    const next = paperFleet(fleet.machine, () => CODING_CATALOGUE);
    await next.run(next.supervisor.begin());
    expect(fleet.machine.alive).toEqual(before);
    expect((await next.run(next.supervisor.status())).mode).toBe("coding");
  });
});

describe("leases", () => {
  it("are given at a ready preset, waited for when it drains, and refused meanwhile", async () => {
    const fleet = await coding();
    const lease = fleet.supervisor.lease("coder");
    const report = fleet.supervisor.switchMode("research");
    await passSeconds(fleet, fleet.machine, 1);
    expect(() => fleet.supervisor.lease("coder")).toThrow("coder is draining");
    lease.release();
    expect((await fleet.run(report)).steps.find(({ step }) => step === "drain")?.tookMs).toBeLessThan(1_300);
    expect(() => fleet.supervisor.lease("coder")).toThrow("coder is stopped");
    expect(() => fleet.supervisor.lease("nobody")).toThrow("no preset has this name");
  });
});
