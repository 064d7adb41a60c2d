/** What the supervisor knows of its fleet. Only the owner changes it, and states only through `apply`. */
import { OperatorError, messageOf } from "../core/errors.ts";
import type { PresetCatalogue } from "../preset/catalogue.ts";
import type { LaunchDescription } from "../preset/launch.ts";
import type { Preset } from "../preset/preset.ts";
import type { AlternativesQuestion } from "./alternatives.ts";
import type { Alternative } from "./control/protocol.ts";
import type { FleetFile, Seat } from "./fleet-file.ts";
import { writeFleetFile } from "./fleet-file.ts";
import type { Journal } from "./journal.ts";
import type { MemoryNeed } from "./memory-need.ts";
import type { MemoryReading } from "./memory.ts";
import type { PresetCondition, PresetEvent } from "./preset-state.ts";
import { INITIAL_CONDITION, transition } from "./preset-state.ts";
import type { SafetyProfile } from "./safety-profile.ts";
import type { StateDisk } from "./supervisor-disk.ts";
import type { EventLog } from "./supervisor-events.ts";
import type { FleetWorld, ServerActivity, ServerClient, ServerExit, ServerProcess } from "./world.ts";

/** A server that was started or taken over. */
export interface Server {
  readonly seat: Seat;
  readonly port: number;
  readonly launch: LaunchDescription;
  readonly client: ServerClient;
  /** Absent for a model inside a server that somebody else keeps. */
  readonly process?: ServerProcess;
  /** Set once the process is gone. */
  exit?: ServerExit;
}

/** All there is to know of one preset. */
export interface Place {
  readonly name: string;
  condition: PresetCondition;
  /** What it is to run as; absent while nothing of it is wanted. */
  seat?: Seat;
  server?: Server;
  restarts: number;
  /** A restart asks for it again. */
  lastPort?: number;
  upSinceIso?: string;
  activity?: ServerActivity & {
    readonly tokensPerSecond?: number;
    /** What the next rate is measured from. */
    readonly base?: { readonly tokens: number; readonly atNs: number };
  };
  readonly leases: Set<string>;
}

export class FleetState {
  mode: string | undefined;
  lastTransaction: string | undefined;
  /** `fleet.json` could not be written: what is on the disk is older than what runs. */
  unsettled = false;
  /** Somebody measures on this machine, and this is what ran before and comes back. */
  lent: { readonly label: string; readonly mode?: string; readonly seats: readonly Seat[] } | undefined;
  /** False while memory is short. */
  admitting = true;
  /** Processes that not even SIGKILL ended. */
  readonly leftovers: Server[] = [];
  readonly #places = new Map<string, Place>();
  readonly #onChange: (place: Place, before: PresetCondition) => void;

  constructor(onChange: (place: Place, before: PresetCondition) => void) {
    this.#onChange = onChange;
  }

  place(name: string): Place {
    let place = this.#places.get(name);
    if (place === undefined) {
      place = { name, condition: INITIAL_CONDITION, restarts: 0, leases: new Set() };
      this.#places.set(name, place);
    }
    return place;
  }

  /** Undefined for a name that nothing was ever done about; it may be nobody's. */
  known(name: string): Place | undefined {
    return this.#places.get(name);
  }

  places(): readonly Place[] {
    return [...this.#places.values()];
  }

  apply(place: Place, event: PresetEvent): void {
    const before = place.condition;
    place.condition = transition(before, event);
    this.#onChange(place, before);
  }

  /** What the fleet is to be put back to, should the next step fail: all that runs, sleeps or was given up on. */
  seats(): readonly Seat[] {
    return this.places().flatMap(({ seat, condition }) => {
      if (seat === undefined || condition.state === "stopped") return [];
      const { preset, hash, serverId } = seat;
      const as = condition.state === "asleep" || condition.state === "failed" ? condition.state : "ready";
      const reason = as === "failed" ? condition.reason : undefined;
      return [{ preset, hash, serverId, as, ...(reason === undefined ? {} : { reason }) }];
    });
  }

  toFile(): FleetFile {
    return {
      ...(this.mode === undefined ? {} : { mode: this.mode }),
      ...(this.lastTransaction === undefined ? {} : { lastTransaction: this.lastTransaction }),
      servers: this.seats().map((seat) => {
        const server = this.place(seat.preset.name).server;
        const identity = server?.process?.identity;
        return {
          ...seat,
          ...(server === undefined ? {} : { port: server.port }),
          ...(identity === undefined ? {} : { identity }),
        };
      }),
      ...(this.lent === undefined ? {} : { lent: this.lent }),
      leftovers: this.leftovers.map(({ seat }) => ({ preset: seat.preset, serverId: seat.serverId })),
    };
  }
}

/** `proposeAlternatives` with the figures that the caller has of changed presets. */
export type Propose = (question: Omit<AlternativesQuestion, "needBytes">) => readonly Alternative[];

/** The owner's tools, handed to each of its parts. */
export interface Fleet {
  readonly world: FleetWorld;
  readonly catalogue: () => PresetCatalogue;
  /** What a preset takes of the pool, by the best figure there is. */
  readonly needOf: (preset: Preset, reading: MemoryReading) => MemoryNeed | undefined;
  readonly profile: () => SafetyProfile;
  /** What would fit instead. */
  readonly propose: Propose;
  readonly state: FleetState;
  readonly journal: Journal;
  readonly disk: StateDisk;
  readonly events: EventLog;
  /** A process of ours ended; the owner decides what that means. */
  readonly onExit: (server: Server) => void;
  /** The watchdog has stepped in for the first time; its sentence. */
  readonly onMemoryShort: (message: string) => void;
}

/** Writes `fleet.json` and empties the journal. Throws DISK_FULL, DIRECTORY_UNWRITABLE before anything changed. */
export function settle({ disk, journal, state, events }: Fleet): void {
  state.unsettled = true;
  writeFleetFile(disk, state.toFile());
  state.unsettled = false;
  try {
    journal.rewrite([]);
  } catch (thrown) {
    // It is known to be done all the same: the file names its transaction.
    events.warn(`the journal could not be emptied: ${messageOf(thrown)}`);
  }
}

/** As {@link settle}, where there is nobody to tell but the list of warnings. */
export function settleOrWarn(fleet: Fleet): void {
  try {
    settle(fleet);
  } catch (thrown) {
    fleet.events.warn(`what runs could not be noted: ${messageOf(thrown)}`);
  }
}

/**
 * A full disk must not keep what ran from running again. The ids of what is put back or repaired
 * stand in `fleet.json` already, so nothing is started that a later supervisor could not find.
 */
export function withForgivingJournal(fleet: Fleet): Fleet {
  return {
    ...fleet,
    journal: {
      ...fleet.journal,
      append(record) {
        try {
          fleet.journal.append(record);
        } catch (thrown) {
          if (!(thrown instanceof OperatorError)) throw thrown;
          fleet.events.warn(`a step is not in the journal: ${thrown.message}`);
        }
      },
    },
  };
}

/** Drawn, so that no two supervisors ever choose the same one. */
export function newId(world: FleetWorld, kind: "server" | "transaction" | "loan"): string {
  const part = (): string =>
    world.random
      .integer(2 ** 32)
      .toString(16)
      .padStart(8, "0");
  return `${kind}-${part()}${part()}`;
}

export function newSeat(world: FleetWorld, preset: Preset, hash: string): Seat {
  return { preset, hash, serverId: newId(world, "server"), as: "ready" };
}

/** What a server holds of the pool now, bytes; undefined where nobody tells. */
export function heldBytesOf({ server }: Place, reading: MemoryReading): number | undefined {
  const pid = server?.process?.identity.pid;
  return pid === undefined ? undefined : reading.heldBytesByPid?.get(pid);
}
