/**
 * Server processes: starting them so that they outlive us, finding them again, and ending them with
 * everything they left behind.
 */
import type { Clock, Timer } from "../core/clock.ts";
import { startDetached } from "../core/process.ts";
import type { ProcessIdentity } from "../core/process-identity.ts";
import type { ProcessEntry } from "../core/process-table.ts";
import { msToNs } from "../core/units.ts";
import type { ProcessLaunch } from "../preset/launch.ts";
import { Family, type ProcessTable, realProcessTable } from "./process-family.ts";
import { SERVER_ID_VARIABLE, serverEnvironment } from "./server-environment.ts";
import type { ServerExit, ServerProcess, Stopped } from "./world.ts";

/** An adopted server is no child of ours, so nobody tells us of its end. One look costs one small read. */
export const ADOPTED_POLL_MS = 500;

/** While a stop is under way. Short, because a whole switch waits for it. */
const STOP_POLL_MS = 20;

/** Looking through all processes of a machine takes milliseconds. */
const SWEEP_POLL_MS = 50;

/** What a server left behind has had its SIGTERM too; it gets this much of the grace once the server is gone. */
export const STRAGGLER_GRACE_MS = 1_000;

/**
 * After SIGKILL the kernel still has to give back tens of GiB of pages and the driver's mappings,
 * which takes seconds. Who is there after this hangs inside the kernel, and no signal reaches it.
 */
export const KILL_LIMIT_MS = 15_000;

export interface StartSpec {
  readonly launch: ProcessLaunch;
  readonly serverId: string;
  /** Where the server finds itself; its core dumps land here. */
  readonly cwd: string;
  /** Open for appending. */
  readonly outputDescriptor: number;
}

export interface ProcessOwner {
  /** Throws PROCESS_FAILED when the program cannot be started. */
  start(spec: StartSpec): Promise<ServerProcess>;
  /** The process if it still lives and is the one that was noted. */
  adopt(identity: ProcessIdentity, serverId: string): ServerProcess | undefined;
  /** Living processes that carry the id: the server first if it lives, then what it started. */
  findByServerId(serverId: string): readonly ProcessIdentity[];
  /**
   * SIGTERM to all of it, SIGKILL to what is left after the grace. Also ends what a server that is
   * gone already left behind. `forced` when anything needed SIGKILL.
   */
  stop(process: ServerProcess, graceMs: number): Promise<Stopped>;
  /** Stops watching. Servers run on. */
  close(): void;
}

export interface ProcessOwnerOptions {
  readonly clock: Clock;
  /** The supervisor's own, of which servers get an allow-list. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly table?: ProcessTable;
}

export function createProcessOwner(options: ProcessOwnerOptions): ProcessOwner {
  return new Owner(options);
}

class Owner implements ProcessOwner {
  readonly #clock: Clock;
  readonly #environment: ProcessOwnerOptions["environment"];
  readonly #table: ProcessTable;
  readonly #families = new WeakMap<ServerProcess, Family>();
  readonly #polls = new Set<Timer>();

  constructor({ clock, environment, table = realProcessTable }: ProcessOwnerOptions) {
    this.#clock = clock;
    this.#environment = environment;
    this.#table = table;
  }

  async start({ launch, serverId, cwd, outputDescriptor }: StartSpec): Promise<ServerProcess> {
    const { identity, exited } = await startDetached({
      command: launch.command,
      args: launch.args,
      env: serverEnvironment(this.#environment, launch.env, serverId),
      cwd,
      outputDescriptor,
    });
    const family = new Family(this.#table, identity, serverId);
    const ended = exited.then(({ code, signal }): ServerExit => {
      family.rememberGroup();
      return { ...(code !== null && { code }), ...(signal !== null && { signal }) };
    });
    return this.#owned(family, ended);
  }

  adopt(identity: ProcessIdentity, serverId: string): ServerProcess | undefined {
    const now = this.#table.identityOf(identity.pid);
    // Without a start time there is no telling it from a later process of the same number.
    if (identity.startTicks === undefined || identity.bootId !== now.bootId) return undefined;
    const family = new Family(this.#table, identity, serverId);
    return family.leads() ? this.#owned(family, this.#untilGone(family)) : undefined;
  }

  findByServerId(serverId: string): readonly ProcessIdentity[] {
    const carriers = this.#table
      .list()
      .filter(({ pid, zombie }) => !zombie && this.#table.startedWith(pid, SERVER_ID_VARIABLE, serverId));
    // What a server starts is younger than it, and mostly leads no session.
    return carriers
      .toSorted((one, other) => Number(leadsSession(other)) - Number(leadsSession(one)) || age(one, other))
      .map(({ pid }) => this.#table.identityOf(pid));
  }

  async stop(process: ServerProcess, graceMs: number): Promise<Stopped> {
    const family = this.#families.get(process) ?? new Family(this.#table, process.identity, process.serverId);
    const lived = family.leads();
    family.terminate();
    const graceEndNs = this.#clock.nowNs() + msToNs(graceMs);
    await this.#wait(() => !family.leads(), graceEndNs, STOP_POLL_MS);
    const rest = Math.min(graceEndNs, this.#clock.nowNs() + msToNs(STRAGGLER_GRACE_MS));
    if (lived) family.rememberGroup();
    await this.#wait(() => family.members().length === 0, rest, SWEEP_POLL_MS);
    const killEndNs = this.#clock.nowNs() + msToNs(KILL_LIMIT_MS);
    for (let forced = false; ; forced = true) {
      // Looked at again after each round: one that was forking has a child that was not seen.
      if (lived) family.rememberGroup();
      const left = family.members();
      if (left.length === 0) return { kind: "gone", forced };
      if (this.#clock.nowNs() >= killEndNs) return { kind: "stuck" };
      for (const entry of left) family.signal(entry, "SIGKILL");
      await this.#sleep(SWEEP_POLL_MS);
    }
  }

  close(): void {
    for (const timer of this.#polls) timer.cancel();
    this.#polls.clear();
  }

  #owned(family: Family, exited: Promise<ServerExit>): ServerProcess {
    const { identity, serverId } = family;
    const process: ServerProcess = { identity, serverId, exited };
    this.#families.set(process, family);
    return process;
  }

  #untilGone(family: Family): Promise<ServerExit> {
    return new Promise((resolve) => {
      const arm = (): void => {
        const timer = this.#clock.timerAt(this.#clock.nowNs() + msToNs(ADOPTED_POLL_MS), () => {
          this.#polls.delete(timer);
          if (family.leads()) {
            arm();
            return;
          }
          family.rememberGroup();
          resolve({});
        });
        this.#polls.add(timer);
      };
      arm();
    });
  }

  async #wait(reached: () => boolean, untilNs: number, pollMs: number): Promise<void> {
    while (!reached() && this.#clock.nowNs() < untilNs) await this.#sleep(pollMs);
  }

  #sleep(ms: number): Promise<void> {
    return this.#clock.sleepUntil(this.#clock.nowNs() + msToNs(ms));
  }
}

function leadsSession(entry: ProcessEntry): boolean {
  return entry.pid === entry.groupId && entry.pid === entry.sessionId;
}

function age(one: ProcessEntry, other: ProcessEntry): number {
  return Number(one.startTicks) - Number(other.startTicks) || one.pid - other.pid;
}
