/** A supervisor on a machine on paper, and presets for it. */
import type { PresetCatalogue } from "../../src/preset/catalogue.ts";
import { presetHash } from "../../src/preset/preset-hash.ts";
import type { Preset } from "../../src/preset/preset.ts";
import { presetSchema } from "../../src/preset/preset.ts";
import { BYTES_PER_GIB, BYTES_PER_MIB, NS_PER_S } from "../../src/core/units.ts";
import type { SafetyProfile } from "../../src/fleet/safety-profile.ts";
import type { Supervisor } from "../../src/fleet/supervisor.ts";
import { createSupervisor } from "../../src/fleet/supervisor.ts";
import type { Cut, PaperMachine } from "./paper-world.ts";
import { PaperHand } from "./paper-world.ts";

export const PAPER_PROFILE: SafetyProfile = {
  name: "derived",
  hostFloor: { kind: "fixed", bytes: 0 },
  poolMarginBytes: 512 * BYTES_PER_MIB,
  poolAfterBootBytes: 100 * BYTES_PER_MIB,
  watchdog: {
    hostAvailableBytes: 2 * BYTES_PER_GIB,
    poolFreeBytes: 50 * BYTES_PER_MIB,
    sustainedMs: 15_000,
    pollMs: 5_000,
  },
};

/** A preset of so many GiB. Limits are short, so that virtual time is. */
export function paperPreset(name: string, gib: number, more: Record<string, unknown> = {}): Preset {
  const engine = more["sleepLevel"] === undefined ? "llama-server" : "vllm";
  return presetSchema.parse({
    name,
    engine,
    model: `${name}.gguf`,
    memory: { vramMib: gib * 1024 },
    startLimitMs: 3_000,
    drainLimitMs: 2_000,
    stopGraceMs: 1_000,
    ...more,
  });
}

export function paperCatalogue(
  presets: readonly Preset[],
  modes: Readonly<Record<string, readonly string[]>>,
): PresetCatalogue {
  return {
    presets: new Map(
      presets.map((preset) => [
        preset.name,
        { preset, hash: presetHash(preset), path: `${preset.name}.yaml` },
      ]),
    ),
    modes: new Map(
      Object.entries(modes).map(([name, names]) => [
        name,
        { mode: { name, presets: [...names] }, path: `modes/${name}.yaml` },
      ]),
    ),
  };
}

export interface PaperFleet {
  readonly hand: PaperHand;
  readonly supervisor: Supervisor;
  /** Lets time pass until this is done; a promise that a kill left open ends with the kill. */
  readonly run: <T>(done: Promise<T>) => Promise<T>;
}

/** Longest virtual time of one command: beyond it something waits for ever. */
const COMMAND_LIMIT_NS = 4 * 3600 * NS_PER_S;

let hands = 0;

export function paperFleet(machine: PaperMachine, catalogue: () => PresetCatalogue, cut?: Cut): PaperFleet {
  const hand = new PaperHand(machine, ++hands, cut);
  const supervisor = createSupervisor({
    world: hand.world,
    disk: hand.disk,
    stateDirectory: "paper",
    catalogue,
    profile: () => PAPER_PROFILE,
    supervisorPid: 1,
  });
  const run = async <T>(done: Promise<T>): Promise<T> => {
    const limit = machine.clock.sleepUntil(machine.clock.nowNs() + COMMAND_LIMIT_NS);
    const late = limit.then((): T => {
      throw new Error("nothing came of it within four hours");
    });
    const killed = hand.killed.then((): T => {
      throw new Killed();
    });
    done.catch(() => undefined);
    late.catch(() => undefined);
    killed.catch(() => undefined);
    return machine.clock.runUntil(Promise.race([done, killed, late]));
  };
  return { hand, supervisor, run };
}

export class Killed extends Error {
  constructor() {
    super("the supervisor was killed");
  }
}
