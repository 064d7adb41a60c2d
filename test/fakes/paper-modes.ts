/** A fleet on paper in the mode `coding`, and what tests ask of it. */
import { expect } from "vitest";
import type { PresetState } from "../../src/fleet/control/protocol.ts";
import { NS_PER_S } from "../../src/core/units.ts";
import type { PaperFleet } from "./paper-fleet.ts";
import { paperCatalogue, paperFleet, paperPreset } from "./paper-fleet.ts";
import type { ServerScript } from "./paper-world.ts";
import { PaperMachine } from "./paper-world.ts";

export const CODING_CATALOGUE = paperCatalogue(
  [
    paperPreset("coder", 12),
    paperPreset("reader", 14),
    paperPreset("embed", 2, { priority: 90 }),
    paperPreset("fixed", 3, { port: 8_081, priority: 30 }),
    paperPreset("napper", 8, { sleepLevel: 2 }),
    paperPreset("retriever", 1, { dependsOn: ["embed"] }),
    paperPreset("guest", 4, { engine: "ollama" }),
    paperPreset("mute", 1, {
      engine: "command",
      command: ["mute", "{port}"],
      healthPath: "/health",
      model: undefined,
    }),
  ],
  {
    coding: ["coder", "embed"],
    research: ["reader", "embed"],
    door: ["fixed", "embed"],
    wide: ["reader", "fixed", "embed"],
    nap: ["napper", "embed"],
    visit: ["guest", "embed"],
    chat: ["retriever", "embed"],
    quiet: ["mute", "embed"],
  },
);

/** A fleet in the mode `coding`, on a machine whose next starts go by these scripts. */
export async function coding(
  scripts: Readonly<Record<string, ServerScript>> = {},
): Promise<PaperFleet & { machine: PaperMachine }> {
  const machine = new PaperMachine();
  machine.scriptOf = (preset) => scripts[preset] ?? {};
  const fleet = paperFleet(machine, () => CODING_CATALOGUE);
  await fleet.run(fleet.supervisor.begin());
  const report = await fleet.run(fleet.supervisor.switchMode("coding"));
  expect(report.outcome).toBe("committed");
  return { ...fleet, machine };
}

export async function states({ supervisor, run }: PaperFleet): Promise<Record<string, PresetState>> {
  const { presets } = await run(supervisor.status());
  return Object.fromEntries(presets.map(({ preset, state }) => [preset, state]));
}

export function alive(machine: PaperMachine): string[] {
  return machine.alive.map(({ preset }) => preset.name).toSorted();
}

export async function passSeconds(
  { run }: PaperFleet,
  machine: PaperMachine,
  seconds: number,
): Promise<void> {
  await run(machine.clock.sleepUntil(machine.clock.nowNs() + seconds * NS_PER_S));
}
