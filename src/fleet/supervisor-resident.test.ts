/** Models in an Ollama that somebody else keeps: nothing of it can be ended, and nothing cut off. */
import { describe, expect, it } from "vitest";
import { paperFleet } from "../../test/fakes/paper-fleet.ts";
import { CODING_CATALOGUE, alive, coding, passSeconds, states } from "../../test/fakes/paper-modes.ts";

/** 2 s of drain, as paper presets have it, and 10 s for the memory to come free. */
const UNLOAD_LIMIT_S = 12;

async function visited(): ReturnType<typeof coding> {
  const fleet = await coding();
  await fleet.run(fleet.supervisor.switchMode("visit"));
  fleet.machine.ollama.busy.add("guest");
  return fleet;
}

describe("a model that is busy when it is to leave", () => {
  it("is waited for, and leaves when its request has ended", async () => {
    const fleet = await visited();
    const report = fleet.supervisor.switchMode("coding");
    await passSeconds(fleet, fleet.machine, UNLOAD_LIMIT_S - 2);
    expect([...fleet.machine.ollama.loaded]).toEqual(["guest"]);
    fleet.machine.ollama.endRequest("guest");
    expect((await fleet.run(report)).outcome).toBe("committed");
    expect([...fleet.machine.ollama.loaded]).toEqual([]);
  });

  it("is ready again after its limit, and the failure says that a request runs", async () => {
    const fleet = await visited();
    const report = await fleet.run(fleet.supervisor.switchMode("coding"));
    expect(report).toMatchObject({
      outcome: "rolled-back",
      mode: "visit",
      failure: {
        step: "stop",
        code: "MODEL_STILL_LOADED",
        message: "guest stays loaded in the server that holds it: a request on it still runs",
      },
    });
    expect(report.notPutBack).toBeUndefined();
    expect(await states(fleet)).toMatchObject({ guest: "ready", embed: "ready", coder: "stopped" });
    fleet.machine.ollama.endRequest("guest");
    expect([...fleet.machine.ollama.loaded]).toEqual(["guest"]);
  });

  it("is asked to leave anew by the next switch", async () => {
    const fleet = await visited();
    await fleet.run(fleet.supervisor.switchMode("coding"));
    fleet.machine.ollama.endRequest("guest");
    expect((await fleet.run(fleet.supervisor.switchMode("coding"))).outcome).toBe("committed");
    expect([...fleet.machine.ollama.loaded]).toEqual([]);
    expect(alive(fleet.machine)).toEqual(["coder", "embed"]);
  });

  it("is not forgotten when the supervisor ends before it has left", async () => {
    const fleet = await visited();
    await fleet.run(fleet.supervisor.shutdown("stop"));
    expect([...fleet.machine.ollama.loaded]).toEqual(["guest"]);
    expect(alive(fleet.machine)).toEqual([]);
    fleet.machine.ollama.endRequest("guest");
    expect([...fleet.machine.ollama.loaded]).toEqual([]);
    const next = paperFleet(fleet.machine, () => CODING_CATALOGUE);
    await next.run(next.supervisor.begin());
    expect((await next.run(next.supervisor.switchMode("coding"))).outcome).toBe("committed");
  });
});
