/** Wires the supervisor to the real world, and to one that can only be looked at when none runs. */
import { AssertionFailure } from "../../core/assert.ts";
import { entropySeed, randomStream } from "../../core/random.ts";
import { BYTES_PER_MIB } from "../../core/units.ts";
import type { SwitchPlan } from "../../fleet/control/protocol.ts";
import { declaredNeeds } from "../../fleet/need-from-declared.ts";
import { type LedgerNeeds, ledgerNeeds, proposeFromLedger } from "../../fleet/need-from-ledger.ts";
import { type MemorySources, machineMemorySources, readMemory } from "../../fleet/memory-reader.ts";
import { preflight } from "../../fleet/preflight.ts";
import { modelFileBytes } from "../../fleet/preflight/file-checks.ts";
import { machineProbes } from "../../fleet/preflight/machine-probes.ts";
import { type RealWorldOptions, createRealWorld } from "../../fleet/real-world.ts";
import { type SafetyProfile, safetyProfile } from "../../fleet/safety-profile.ts";
import { type StateDisk, openStateDisk } from "../../fleet/supervisor-disk.ts";
import type { Propose } from "../../fleet/supervisor-state.ts";
import { createSupervisor } from "../../fleet/supervisor.ts";
import type { FleetWorld } from "../../fleet/world.ts";
import type { Preset } from "../../preset/preset.ts";
import type { CliIo } from "../io.ts";
import { type StateFlags, stateFolder } from "./places.ts";
import { loadPresets, presetsAsTheyAre } from "./preset-folders.ts";
import type { BuildSupervisor, UpFlags } from "./up-session.ts";

/** By the ledger of a model's header where it can be read, else by what the preset declares. */
function proposeBy(needs: LedgerNeeds): Propose {
  const fileBytes = (preset: Preset): number => modelFileBytes(preset, (path) => machineProbes.file(path));
  return proposeFromLedger(needs, (question) => declaredNeeds(question, fileBytes));
}

export const buildSupervisor: BuildSupervisor = async (directory, flags, io) => {
  const machine = await lookAtMachine(directory, flags, io);
  const world = createRealWorld({
    clock: io.clock,
    random: randomStream(entropySeed(), "fleet"),
    stateDirectory: directory,
    environment: io.env,
    memory: machine.memory,
    preflight: machine.preflight,
  });
  const supervisor = createSupervisor({
    world,
    disk: openStateDisk(directory),
    stateDirectory: directory,
    profile: () => machine.profile,
    needOf: (preset, reading) => machine.needs.needOf(preset, reading),
    propose: proposeBy(machine.needs),
    catalogue: presetsAsTheyAre(io, flags.presetsDir),
    supervisorPid: process.pid,
  });
  return { supervisor, close: () => world.close() };
};

/** As if nothing ran. */
export async function planWithoutSupervisor(
  mode: string,
  flags: StateFlags & Pick<UpFlags, "presetsDir" | "memoryBudgetMib">,
  io: CliIo,
): Promise<SwitchPlan> {
  const directory = stateFolder(flags, io);
  const machine = await lookAtMachine(directory, flags, io);
  const supervisor = createSupervisor({
    world: worldToLookAt(machine, io),
    disk: NO_DISK,
    stateDirectory: directory,
    profile: () => machine.profile,
    needOf: (preset, reading) => machine.needs.needOf(preset, reading),
    propose: proposeBy(machine.needs),
    catalogue: () => loadPresets(io, flags.presetsDir),
    supervisorPid: process.pid,
  });
  return supervisor.plan(mode);
}

interface Machine extends Pick<RealWorldOptions, "memory" | "preflight"> {
  readonly profile: SafetyProfile;
  readonly needs: LedgerNeeds;
}

/** The profile follows what the machine has, which does not change while the supervisor lives. */
async function lookAtMachine(
  stateDirectory: string,
  flags: Pick<UpFlags, "memoryBudgetMib" | "safetyProfile">,
  io: CliIo,
): Promise<Machine> {
  const sources = machineMemorySources({ clock: io.clock });
  const budget =
    flags.memoryBudgetMib === undefined ? {} : { budgetBytes: flags.memoryBudgetMib * BYTES_PER_MIB };
  const memory: Machine["memory"] = async (serverPids) => {
    const { reading, heldBytes } = await readMemory(sources, { serverPids, ...budget });
    return { ...reading, heldBytesByPid: heldBytes };
  };
  const needs = ledgerNeeds(stateDirectory);
  const profile = await profileOf(sources, memory, flags.safetyProfile ?? "derived");
  return {
    memory,
    profile,
    needs,
    preflight: (incoming, outgoing, reading) => {
      const question = {
        incoming,
        outgoing: outgoing.map(({ pid, ...server }) => ({
          ...server,
          ...(pid === undefined ? {} : { pids: sources.treeOf(pid) }),
        })),
        stateDirectory,
        reading,
        profile,
        needOf: (preset: Preset) => needs.needOf(preset, reading),
      };
      return preflight(question, machineProbes);
    },
  };
}

async function profileOf(
  sources: MemorySources,
  memory: Machine["memory"],
  name: SafetyProfile["name"],
): Promise<SafetyProfile> {
  return safetyProfile(name, { hostTotalBytes: sources.host().totalBytes, pool: await memory([]) });
}

/** A plan looks at memory, files and ports, and does nothing. */
function worldToLookAt(machine: Machine, io: CliIo): FleetWorld {
  const refuse = (): never => {
    throw new AssertionFailure("a plan without a supervisor does nothing");
  };
  return {
    clock: io.clock,
    random: randomStream(0, "plan"),
    memory: () => machine.memory([]),
    preflight: (incoming, outgoing, reading) => machine.preflight(incoming, outgoing, reading),
    reservePort: refuse,
    describe: refuse,
    start: refuse,
    adopt: refuse,
    findByServerId: refuse,
    stop: refuse,
    connect: refuse,
    clientsOf: refuse,
    logTail: refuse,
  };
}

const NO_DISK: StateDisk = {
  read: () => undefined,
  append: () => undefined,
  replace: () => undefined,
  setAside: (name) => name,
  note: () => undefined,
};
