/** The two files of the state directory as one account of what the supervisor before left. */
import { OperatorError } from "../core/errors.ts";
import type { ProcessIdentity } from "../core/process-identity.ts";
import type { Preset } from "../preset/preset.ts";
import type { FleetFile, Seat } from "./fleet-file.ts";
import { FLEET_FILE, asIdentity, readFleetFile, writeFleetFile } from "./fleet-file.ts";
import type { JournalRecord } from "./journal.ts";
import { JOURNAL_FILE, readJournal, salvageServerIds } from "./journal.ts";
import type { Fleet } from "./supervisor-state.ts";

export interface LeftBehind {
  /** What ran before the last switch began. */
  readonly seats: readonly Seat[];
  readonly mode: string | undefined;
  readonly lastTransaction: string | undefined;
  /** Who had the machine when the supervisor ended. */
  readonly lentTo?: string;
  readonly unfinished?: {
    readonly transaction: string;
    readonly mode: string | undefined;
    readonly target: readonly Seat[];
    /** All that it starts had been started, and nothing had gone wrong. */
    readonly finish: boolean;
  };
  /** Everything that may live. */
  readonly servers: readonly LeftServer[];
}

export interface LeftServer {
  readonly serverId: string;
  /** Absent for an id that was saved from a damaged file. */
  readonly preset?: Preset;
  readonly hash?: string;
  readonly port?: number;
  readonly identity?: ProcessIdentity;
  /** The last move that was noted; whether it was done is not known. */
  readonly moved?: "sleep" | "wake";
}

const EMPTY: FleetFile = { servers: [], leftovers: [] };

/** Reads both, and mends what is damaged: a copy is set aside, and ids found in it are kept. */
export function readLeftBehind(fleet: Fleet): LeftBehind {
  const read = readFleetFile(fleet.disk);
  const journal = readJournal(fleet.disk);
  const damagedText = (read.kind === "damaged" ? read.text : "") + (journal.damagedText ?? "");
  const records: readonly JournalRecord[] =
    damagedText === ""
      ? journal.records
      : [{ kind: "suspects", serverIds: salvageServerIds(damagedText) }, ...journal.records];
  const mend = (): void => {
    if (journal.damagedText !== undefined) setAside(fleet, JOURNAL_FILE);
    // First the ids, then the file they were saved from.
    if (damagedText !== "" || journal.torn) fleet.journal.rewrite(records);
    if (read.kind !== "damaged") return;
    setAside(fleet, FLEET_FILE);
    writeFleetFile(fleet.disk, EMPTY);
  };
  try {
    mend();
  } catch (thrown) {
    if (!(thrown instanceof OperatorError)) throw thrown;
    fleet.events.warn(`a damaged file could not be mended: ${thrown.message}`);
  }
  return account(read.kind === "read" ? read.file : EMPTY, records, journal.damagedText === undefined);
}

function setAside({ disk, events }: Fleet, name: string): void {
  const aside = disk.setAside(name);
  events.warn(`${name} was damaged; a copy is kept as ${aside}, and servers named in it were looked for`);
}

function account(file: FleetFile, records: readonly JournalRecord[], whole: boolean): LeftBehind {
  const at = records.findLastIndex(({ kind }) => kind === "begin");
  const begin = records[at];
  const since = records.slice(at + 1);
  // What a borrower ran is never finished or taken over: its sweep is gone.
  const before = file.lent?.seats ?? file.servers;
  const seats = before.map(({ preset, hash, serverId, as, reason }) => ({
    preset,
    hash,
    serverId,
    as,
    ...(reason === undefined ? {} : { reason }),
  }));
  const unfinished =
    begin?.kind === "begin" && begin.transaction !== file.lastTransaction
      ? {
          transaction: begin.transaction,
          mode: begin.mode,
          target: begin.target,
          finish: file.lent === undefined && whole && allStarted(seats, begin.target, since),
        }
      : undefined;
  return {
    seats,
    mode: file.lent === undefined ? file.mode : file.lent.mode,
    lastTransaction: file.lastTransaction,
    ...(file.lent === undefined ? {} : { lentTo: file.lent.label }),
    ...(unfinished === undefined ? {} : { unfinished }),
    servers: serversIn(file, records),
  };
}

function allStarted(
  before: readonly Seat[],
  target: readonly Seat[],
  since: readonly JournalRecord[],
): boolean {
  if (since.some(({ kind }) => kind === "put-back")) return false;
  const started = new Set(
    since.flatMap((record) => (record.kind === "started" || record.kind === "ready" ? record.serverId : [])),
  );
  const ran = new Map(before.map((seat) => [seat.serverId, seat.as]));
  return target.every(
    ({ serverId, as }) => as !== "ready" || ran.get(serverId) === "ready" || started.has(serverId),
  );
}

function serversIn(file: FleetFile, records: readonly JournalRecord[]): readonly LeftServer[] {
  const found = new Map<string, LeftServer>();
  const add = (serverId: string, more: Omit<LeftServer, "serverId">): void => {
    found.set(serverId, { ...found.get(serverId), ...more, serverId });
  };
  for (const { preset, serverId } of file.leftovers) add(serverId, { preset });
  for (const { preset, hash, serverId } of file.lent?.seats ?? []) add(serverId, { preset, hash });
  for (const { preset, hash, serverId, port, identity } of file.servers)
    add(serverId, {
      preset,
      hash,
      ...(port === undefined ? {} : { port }),
      ...(identity === undefined ? {} : { identity: asIdentity(identity) }),
    });
  for (const record of records)
    switch (record.kind) {
      case "begin":
        for (const { preset, hash, serverId } of record.target) add(serverId, { preset, hash });
        break;
      case "start":
        add(record.serverId, { port: record.port });
        break;
      case "started":
        if (record.identity !== undefined) add(record.serverId, { identity: asIdentity(record.identity) });
        break;
      case "wake":
        add(record.serverId, { moved: "wake" });
        break;
      case "suspects":
        for (const serverId of record.serverIds) add(serverId, {});
        break;
      case "sleep":
        for (const left of found.values())
          if (left.preset !== undefined && record.presets.includes(left.preset.name))
            add(left.serverId, { moved: "sleep" });
        break;
      case "drain":
      case "stop":
      case "ready":
      case "put-back":
    }
  return [...found.values()];
}
