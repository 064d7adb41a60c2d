import { describe, expect, it } from "vitest";
import { paperCatalogue, paperFleet, paperPreset } from "../../test/fakes/paper-fleet.ts";
import { PaperMachine } from "../../test/fakes/paper-world.ts";

const GIB = 2 ** 30;

const catalogue = paperCatalogue(
  [paperPreset("coder", 12), paperPreset("reader", 14), paperPreset("embed", 2)],
  { coding: ["coder", "embed"], research: ["reader", "embed"], both: ["coder", "reader"] },
);

describe("a switch", () => {
  it("starts a mode, keeps what both modes share, and ends where it was asked to", async () => {
    const machine = new PaperMachine();
    const { supervisor, run } = paperFleet(machine, () => catalogue);
    expect(await run(supervisor.begin())).toEqual([]);
    const first = await run(supervisor.switchMode("coding"));
    expect(first).toMatchObject({ outcome: "committed", mode: "coding" });
    const embed = machine.alive.find(({ preset }) => preset.name === "embed");
    const second = await run(supervisor.switchMode("research"));
    expect(second).toMatchObject({ outcome: "committed", mode: "research", runs: ["embed", "reader"] });
    expect(machine.alive.map(({ preset }) => preset.name).toSorted()).toEqual(["embed", "reader"]);
    expect(machine.alive).toContain(embed);
    expect(machine.violations).toEqual([]);
    await run(supervisor.shutdown("stop"));
    expect(machine.alive).toEqual([]);
  });

  it("says what each server holds, and judges the next switch by what the leaving one will give back", async () => {
    const machine = new PaperMachine();
    const { supervisor, run } = paperFleet(machine, () => catalogue);
    await run(supervisor.begin());
    await run(supervisor.switchMode("coding"));
    const { presets } = await run(supervisor.status());
    const held = (name: string): number | undefined =>
      presets.find(({ preset }) => preset === name)?.usedBytes;
    expect([held("coder"), held("embed"), held("reader")]).toEqual([12 * GIB, 2 * GIB, undefined]);
    await run(supervisor.plan("research"));
    const coder = machine.alive.find(({ preset }) => preset.name === "coder");
    expect(machine.lastLeaving).toMatchObject([{ pid: coder?.identity.pid, heldBytes: 12 * GIB }]);
  });
});
