/**
 * Which processes came of a server. That is known three ways, since each alone can be escaped: by
 * the group and session that we gave the server, by descent from it, and by the mark in the
 * environment. A process is only ever signalled as number and start time together, read again right
 * before: a number alone may be a stranger's by now.
 */
import { type ProcessIdentity, identityOf } from "../core/process-identity.ts";
import { type ProcessEntry, listProcesses, readProcessEntry, startedWith } from "../core/process-table.ts";
import { SERVER_ID_VARIABLE } from "./server-environment.ts";

/** The kernel's processes as far as they concern us; tests have a table on paper. */
export interface ProcessTable {
  list(): readonly ProcessEntry[];
  /** Undefined when no process has this number. */
  read(pid: number): ProcessEntry | undefined;
  startedWith(pid: number, name: string, value: string): boolean;
  identityOf(pid: number): ProcessIdentity;
  /** To a whole group when the number is negative, as in kill(2). Nobody there is no error. */
  signal(pid: number, signal: "SIGTERM" | "SIGKILL"): void;
}

export const realProcessTable: ProcessTable = {
  list: listProcesses,
  read: readProcessEntry,
  startedWith,
  identityOf,
  signal(pid, signal) {
    try {
      process.kill(pid, signal);
    } catch {
      // ESRCH: it was faster. EPERM: it is another user's now; the next look shows whether it is still there.
    }
  },
};

/** A server and everything that came of it. */
export class Family {
  readonly #table: ProcessTable;
  readonly identity: ProcessIdentity;
  readonly serverId: string;
  /** Start times by number of members that were seen while it was certain that they are ours. */
  readonly #known = new Map<number, string>();

  constructor(table: ProcessTable, identity: ProcessIdentity, serverId: string) {
    this.#table = table;
    this.identity = identity;
    this.serverId = serverId;
  }

  /** Whether the server itself lives. */
  leads(): boolean {
    const entry = this.#table.read(this.identity.pid);
    return entry !== undefined && !entry.zombie && entry.startTicks === this.identity.startTicks;
  }

  /**
   * To be called when the server has just ended: a group's number stays taken while it has members,
   * so for now they are ours. Later, once it was empty, a stranger may have been given it.
   */
  rememberGroup(): void {
    const { pid } = this.identity;
    if (this.#numberIsStrangers()) return;
    for (const entry of this.#table.list())
      if (entry.groupId === pid || entry.sessionId === pid) this.#known.set(entry.pid, entry.startTicks);
  }

  /** Everything of it that lives, the server included. */
  members(): readonly ProcessEntry[] {
    const entries = this.#table.list();
    if (entries.some((entry) => this.#isServer(entry))) this.#learn(entries);
    return entries.filter(
      (entry) =>
        !entry.zombie &&
        entry.pid !== process.pid &&
        Number(entry.startTicks) >= Number(this.identity.startTicks) &&
        // Asked last: a process that hangs in the kernel can also hold up who reads its environment.
        (this.#known.get(entry.pid) === entry.startTicks ||
          this.#table.startedWith(entry.pid, SERVER_ID_VARIABLE, this.serverId)),
    );
  }

  /** SIGTERM: to the group in one call, so that none of it can fork away, and to each that left the group. */
  terminate(): void {
    const members = this.members();
    const { pid } = this.identity;
    const asGroup = this.leads();
    if (asGroup) this.#table.signal(-pid, "SIGTERM");
    for (const entry of members) if (!asGroup || entry.groupId !== pid) this.signal(entry, "SIGTERM");
  }

  signal(entry: ProcessEntry, signal: "SIGTERM" | "SIGKILL"): void {
    if (this.#table.read(entry.pid)?.startTicks === entry.startTicks) this.#table.signal(entry.pid, signal);
  }

  #isServer(entry: ProcessEntry): boolean {
    return entry.pid === this.identity.pid && entry.startTicks === this.identity.startTicks;
  }

  #numberIsStrangers(): boolean {
    const entry = this.#table.read(this.identity.pid);
    return entry !== undefined && !this.#isServer(entry);
  }

  /** While the server lives, its group, its session and its descendants are ours. */
  #learn(entries: readonly ProcessEntry[]): void {
    const { pid } = this.identity;
    const children = new Map<number, ProcessEntry[]>();
    for (const entry of entries) {
      const siblings = children.get(entry.parentPid);
      if (siblings === undefined) children.set(entry.parentPid, [entry]);
      else siblings.push(entry);
    }
    const waiting = entries.filter((entry) => entry.groupId === pid || entry.sessionId === pid);
    const learned = new Set<number>();
    for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
      if (learned.has(entry.pid)) continue;
      learned.add(entry.pid);
      this.#known.set(entry.pid, entry.startTicks);
      waiting.push(...(children.get(entry.pid) ?? []));
    }
  }
}
