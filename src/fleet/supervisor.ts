/**
 * The supervisor: the only thing that starts, stops or changes a server. It owns all state; a
 * caller asks for what should be so and is told the outcome.
 *
 * Commands that change something are taken one at a time. A second one while one runs is refused
 * with SWITCH_UNDER_WAY and the step that is being done: a queue would carry out a wish whose
 * reason may be gone by then. `status` answers at any time, also during recovery.
 */
import type { PresetCatalogue } from "../preset/catalogue.ts";
import type { ControlProgress, FleetStatus, SwitchPlan, SwitchReport } from "./control/protocol.ts";
import type { FleetWorld } from "./world.ts";

export type OnProgress = (progress: ControlProgress) => void;

export interface SupervisorParts {
  readonly world: FleetWorld;
  /** Mode 0700 and locked by the caller; the journal, `fleet.json` and `events.jsonl` lie in it. */
  readonly stateDirectory: string;
  /** Read at every command, so that an edited file counts from the next one on. May throw an operator error. */
  readonly catalogue: () => PresetCatalogue;
  readonly supervisorPid: number;
}

export interface Lease {
  readonly id: string;
  /** Idempotent. */
  release(): void;
}

export interface Supervisor {
  /**
   * Reads what the supervisor before left, finishes or puts back what it was doing, adopts its
   * living servers and stops its orphans; then watches. To be called once, before any command.
   * Resolves with what was found, in sentences; it does not fail for what a server does.
   */
  begin(onProgress?: OnProgress): Promise<readonly string[]>;
  /** At any time. */
  status(): Promise<FleetStatus>;
  /** At any time; changes nothing. Throws MODE_UNKNOWN, PRESET_UNKNOWN. */
  plan(mode: string): Promise<SwitchPlan>;
  /**
   * Makes this mode so, or puts everything back. Throws only when nothing was touched:
   * MODE_UNKNOWN, PRESET_UNKNOWN, SWITCH_UNDER_WAY, PREFLIGHT_FAILED, DISK_FULL. An abort of
   * `signal` rolls back.
   */
  switchMode(mode: string, onProgress?: OnProgress, signal?: AbortSignal): Promise<SwitchReport>;
  /** Adds a preset to what runs. Throws as {@link switchMode}. */
  startPreset(preset: string, onProgress?: OnProgress, signal?: AbortSignal): Promise<SwitchReport>;
  /** Takes a preset out of what runs. Throws as {@link switchMode}. */
  stopPreset(preset: string, onProgress?: OnProgress): Promise<SwitchReport>;
  /** Lets a client in at a ready preset. Throws PRESET_UNKNOWN, LEASE_REFUSED. */
  lease(preset: string): Lease;
  /**
   * Rolls back a switch under way, stops all servers or leaves them to the next supervisor, and
   * ends. Later commands throw SWITCH_UNDER_WAY.
   */
  shutdown(servers: "stop" | "keep", onProgress?: OnProgress): Promise<void>;
  /** Resolves once a shutdown, whoever asked for it, is through. */
  readonly ended: Promise<void>;
}

export function createSupervisor(parts: SupervisorParts): Supervisor {
  throw new Error(`not built yet: ${parts.stateDirectory}`);
}
