/**
 * Everything the supervisor needs of the world, as one interface: policies decide, the world acts.
 * The real one is in `real-world.ts`; tests have one in memory under a virtual clock, in which
 * servers are slow, stubborn, or die.
 */
import type { Clock } from "../core/clock.ts";
import type { ProcessIdentity } from "../core/process-identity.ts";
import type { RandomStream } from "../core/random.ts";
import type { LaunchDescription } from "../preset/launch.ts";
import type { Preset } from "../preset/preset.ts";
import type { Check } from "./check.ts";
import type { MemoryReading } from "./memory.ts";

/** A server process that this supervisor, or the one before it, started. */
export interface ServerProcess {
  readonly identity: ProcessIdentity;
  /** Stands in the environment of the process, so that it can be found even if its start was never noted. */
  readonly serverId: string;
  /** Resolves when the process is gone; also for one that was adopted. */
  readonly exited: Promise<ServerExit>;
}

export interface ServerExit {
  /** Absent for an adopted process: only its parent is told. */
  readonly code?: number;
  readonly signal?: string;
}

export type Stopped =
  | { readonly kind: "gone"; readonly forced: boolean }
  /** Not even SIGKILL ended it: it hangs in the kernel, and its memory is not free. */
  | { readonly kind: "stuck" };

export type Health =
  | { readonly kind: "healthy" }
  /** It answers, and says that it is not ready yet. */
  | { readonly kind: "loading" }
  | { readonly kind: "down"; readonly reason: string };

export type Canary =
  | { readonly kind: "token"; readonly tookMs: number }
  | { readonly kind: "silent"; readonly reason: string }
  /** Nothing can be asked of this server but its health. */
  | { readonly kind: "not-askable" };

/** What a server says of its own work. A figure it does not give is absent. */
export interface ServerActivity {
  readonly slots?: number;
  readonly busySlots?: number;
  /** Tokens produced since its start; it grows while the server makes progress. */
  readonly generatedTokens?: number;
  /**
   * Grows with any work, the reading of a long prompt included, so that slow is told from stalled.
   * Only its change means something.
   */
  readonly progress?: number;
}

/** Talks to one running server. No method throws for what the server does. */
export interface ServerClient {
  health(): Promise<Health>;
  activity(): Promise<ServerActivity>;
  /** Asks for one token. */
  canary(): Promise<Canary>;
  /** Puts the model to sleep; undefined when that worked, else the reason. */
  sleep(level: 1 | 2): Promise<string | undefined>;
  wake(): Promise<string | undefined>;
  /** Loads the model into a resident server, or takes it out; undefined when /api/ps agrees, else the reason. */
  load(): Promise<string | undefined>;
  unload(): Promise<string | undefined>;
  close(): Promise<void>;
}

/** A server that a switch will stop. */
export interface LeavingServer {
  readonly preset: Preset;
  /** Its first process. */
  readonly pid?: number;
  /** What it holds of the pool, where that is known. */
  readonly heldBytes?: number;
}

export interface FleetWorld {
  readonly clock: Clock;
  readonly random: RandomStream;
  /** A number nobody listens on now; the fixed one if the preset names it. Throws PORT_IN_USE. */
  reservePort(preset: Preset): Promise<number>;
  /** Pure. */
  describe(preset: Preset, port: number): LaunchDescription;
  /** Starts a process in a group of its own, its output in the preset's log. Throws PROCESS_FAILED. */
  start(
    launch: LaunchDescription & { kind: "process" },
    preset: Preset,
    serverId: string,
  ): Promise<ServerProcess>;
  /** The process if it still lives and is the one that was noted (same number, same start, same boot). */
  adopt(identity: ProcessIdentity, serverId: string): ServerProcess | undefined;
  /** Processes of ours that carry this id in their environment, whether noted or not. */
  findByServerId(serverId: string): readonly ProcessIdentity[];
  /** SIGTERM to the group, SIGKILL after the grace; what is left of the group is ended too. */
  stop(process: ServerProcess, graceMs: number): Promise<Stopped>;
  connect(preset: Preset, launch: LaunchDescription): ServerClient;
  /** Connections of others than the supervisor to this port; undefined where the system does not tell. */
  clientsOf(port: number): number | undefined;
  memory(): Promise<MemoryReading>;
  /** Everything that can be known before anything is touched; of memory, what this reading says. */
  preflight(
    incoming: readonly Preset[],
    outgoing: readonly LeavingServer[],
    reading: MemoryReading,
  ): Promise<readonly Check[]>;
  logTail(presetName: string, lines: number): readonly string[];
}
