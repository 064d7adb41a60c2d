/** The supervisor over the real world, and a plan for when none runs. */
import { AssertionFailure } from "../../core/assert.ts";
import type { SwitchPlan } from "../../fleet/control/protocol.ts";
import { createSupervisor } from "../../fleet/supervisor.ts";
import type { FleetWorld } from "../../fleet/world.ts";
import type { CliIo } from "../io.ts";
import type { StateFlags } from "./places.ts";
import { loadPresets } from "./preset-folders.ts";
import type { BuildSupervisor, UpFlags } from "./up-session.ts";

export const buildSupervisor: BuildSupervisor = async (directory, flags, io) =>
  createSupervisor({
    world: await realWorld(directory, flags, io),
    stateDirectory: directory,
    catalogue: () => loadPresets(io, flags.presetsDir),
    supervisorPid: process.pid,
  });

function realWorld(directory: string, flags: UpFlags, io: CliIo): Promise<FleetWorld> {
  throw new AssertionFailure(`no real world yet for ${directory} ${JSON.stringify(flags)} ${io.cwd}`);
}

/** As if nothing ran. */
export function planWithoutSupervisor(
  mode: string,
  flags: StateFlags & { readonly presetsDir?: string },
  io: CliIo,
): Promise<SwitchPlan> {
  throw new AssertionFailure(`no plan yet for ${mode} ${JSON.stringify(flags)} ${io.cwd}`);
}
