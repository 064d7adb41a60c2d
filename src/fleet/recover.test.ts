/** What a supervisor does about what the one before left behind. */
import { describe, expect, it } from "vitest";
import type { PaperFleet } from "../../test/fakes/paper-fleet.ts";
import { paperCatalogue, paperFleet, paperPreset } from "../../test/fakes/paper-fleet.ts";
import type { PaperProcess } from "../../test/fakes/paper-world.ts";
import { PaperMachine } from "../../test/fakes/paper-world.ts";
import { NS_PER_S } from "../core/units.ts";

const CATALOGUE = paperCatalogue(
  [paperPreset("coder", 12), paperPreset("reader", 14), paperPreset("embed", 2)],
  { coding: ["coder", "embed"], research: ["reader", "embed"] },
);

async function begun(machine: PaperMachine): Promise<PaperFleet & { readonly found: readonly string[] }> {
  const fleet = paperFleet(machine, () => CATALOGUE);
  return { ...fleet, found: await fleet.run(fleet.supervisor.begin()) };
}

async function inMode(mode: string): Promise<PaperMachine> {
  const machine = new PaperMachine();
  const fleet = await begun(machine);
  expect((await fleet.run(fleet.supervisor.switchMode(mode))).outcome).toBe("committed");
  fleet.hand.killSupervisor();
  return machine;
}

/** Kills a switch to research as soon as the journal holds this, and says who lived then. */
async function killedOnce(machine: PaperMachine, isInJournal: string): Promise<readonly PaperProcess[]> {
  const fleet = await begun(machine);
  void fleet.supervisor.switchMode("research");
  while (!(machine.files.get("journal.jsonl") ?? "").includes(isInJournal)) {
    machine.clock.fireNext();
    await new Promise((resolve) => setImmediate(resolve));
  }
  fleet.hand.killSupervisor();
  return machine.alive;
}

async function killedDuringRecovery(machine: PaperMachine, isTime: () => boolean): Promise<void> {
  const fleet = paperFleet(machine, () => CATALOGUE);
  void fleet.supervisor.begin();
  while (!isTime()) {
    machine.clock.fireNext();
    await new Promise((resolve) => setImmediate(resolve));
  }
  fleet.hand.killSupervisor();
}

function names(machine: PaperMachine): string[] {
  return machine.alive.map(({ preset }) => preset.name).toSorted();
}

describe("a new supervisor", () => {
  it("takes over what lives, by number, start time and boot, and restarts nothing", async () => {
    const machine = await inMode("coding");
    const before = machine.alive;
    const { supervisor, run, found } = await begun(machine);
    expect(machine.alive).toEqual(before);
    expect(found).toEqual(["coder is taken over (process 101)", "embed is taken over (process 102)"]);
    expect((await run(supervisor.status())).mode).toBe("coding");
  });

  it("takes over a server whose start was never noted, by the id in its environment", async () => {
    const machine = await inMode("coding");
    const before = machine.alive;
    const file = JSON.parse(machine.files.get("fleet.json") ?? "") as { servers: { identity?: unknown }[] };
    for (const server of file.servers) delete server.identity;
    machine.files.set("fleet.json", JSON.stringify(file));
    await begun(machine);
    expect(machine.alive).toEqual(before);
    expect(machine.processes).toHaveLength(before.length);
  });

  it("starts again what died while nobody watched", async () => {
    const machine = await inMode("coding");
    machine.alive.find(({ preset }) => preset.name === "coder")?.end({ signal: "SIGKILL" });
    const { supervisor, run } = await begun(machine);
    expect(names(machine)).toEqual(["coder", "embed"]);
    expect((await run(supervisor.status())).mode).toBe("coding");
  });

  it("brings the mode back after a reboot, and touches nobody who has an old number now", async () => {
    const machine = await inMode("coding");
    machine.reboot();
    const stranger = machine.spawn(paperPreset("stranger", 0), undefined, "not-ours", {});
    const { supervisor, run } = await begun(machine);
    expect(names(machine)).toEqual(["coder", "embed", "stranger"]);
    expect(machine.alive).toContain(stranger);
    expect((await run(supervisor.status())).mode).toBe("coding");
  });

  it("finishes a switch whose servers had all been started", async () => {
    const machine = await inMode("coding");
    const living = await killedOnce(machine, '"kind":"started"');
    const { supervisor, run, found } = await begun(machine);
    expect(found).toContain("a switch to research was cut off with all its servers started: finishing it");
    expect((await run(supervisor.status())).mode).toBe("research");
    expect(machine.alive).toEqual(living);
  });

  it("puts back a switch that had only stopped something", async () => {
    const machine = await inMode("coding");
    await killedOnce(machine, '"kind":"stop"');
    const { supervisor, run, found } = await begun(machine);
    expect(found).toContain("a switch was cut off in the middle: putting back what ran before it");
    expect((await run(supervisor.status())).mode).toBe("coding");
    expect(names(machine)).toEqual(["coder", "embed"]);
    expect(machine.violations).toEqual([]);
  });

  it("ends a server that was started and never noted, when its switch is put back", async () => {
    const machine = await inMode("coding");
    await killedOnce(machine, '"kind":"stop"');
    const seat = /"name":"reader".*?"serverId":"([^"]+)"/.exec(machine.files.get("journal.jsonl") ?? "");
    machine.startServer(paperPreset("reader", 14), 40_900, seat?.[1] ?? "");
    await begun(machine);
    expect(names(machine)).toEqual(["coder", "embed"]);
    expect(machine.heldPorts).not.toContain(40_900);
  });

  it("tolerates a torn last line, and can be killed again after it", async () => {
    const machine = await inMode("coding");
    await killedOnce(machine, '"kind":"stop"');
    await machine.clock.advanceTo(machine.clock.nowNs() + NS_PER_S);
    expect(names(machine)).toEqual(["embed"]);
    machine.files.set("journal.jsonl", `${machine.files.get("journal.jsonl")}{"kind":"sta`);
    await killedDuringRecovery(machine, () => names(machine).includes("coder"));
    expect(machine.files.get("journal.jsonl")).not.toContain('{"kind":"sta{');
    const { supervisor, run } = await begun(machine);
    expect((await run(supervisor.status())).mode).toBe("coding");
    expect(names(machine)).toEqual(["coder", "embed"]);
    expect([...machine.files.keys()].filter((name) => name.includes("damaged"))).toEqual([]);
  });

  it("sets a damaged journal aside and still finds the servers that it named", async () => {
    const machine = await inMode("coding");
    await killedOnce(machine, '"kind":"started"');
    const lines = (machine.files.get("journal.jsonl") ?? "").split("\n");
    machine.files.set("journal.jsonl", ["\u0000\u0000not json", ...lines].join("\n"));
    const { supervisor, run } = await begun(machine);
    const status = await run(supervisor.status());
    expect(status.mode).toBe("coding");
    expect(status.warnings.join()).toContain(
      "journal.jsonl was damaged; a copy is kept as journal.jsonl.damaged-1",
    );
    expect(names(machine)).toEqual(["coder", "embed"]);
  });

  it("sets a damaged fleet.json aside, and stops the servers that it named", async () => {
    const machine = await inMode("coding");
    machine.files.set("fleet.json", (machine.files.get("fleet.json") ?? "").slice(0, -20));
    const { supervisor, run } = await begun(machine);
    const status = await run(supervisor.status());
    expect(status.mode).toBeUndefined();
    expect(status.warnings.join()).toContain("fleet.json was damaged");
    expect(machine.alive).toEqual([]);
    expect((await run(supervisor.switchMode("research"))).outcome).toBe("committed");
  });

  it("begins on a full disk too, and says that what runs is not noted", async () => {
    const machine = await inMode("coding");
    machine.diskFull = true;
    const { supervisor, run } = await begun(machine);
    const status = await run(supervisor.status());
    expect(status.presets.filter(({ state }) => state === "ready")).toHaveLength(2);
    expect(status.warnings[0]).toBe("what runs is not on the disk: fleet.json could not be written");
  });
});
