/** Who listens on a TCP port of this machine, from /proc/net and the open files of processes. */
import { readdirSync, readlinkSync } from "node:fs";
import { listPids, parseProcessStat } from "./process-usage.ts";
import type { TextReader } from "./text-reader.ts";

export interface PortHolder {
  /** Absent when the process is another user's: its open files cannot be seen. */
  readonly pid?: number;
  readonly name?: string;
}

/** State 0A is TCP_LISTEN (include/net/tcp_states.h); field 10 is the socket's inode. */
const LISTENING = "0A";

/** Inodes of the sockets that listen on this port, on whatever address. */
export function listeningInodes(table: string, port: number): readonly string[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, "0");
  return table.split("\n").flatMap((line) => {
    const cells = line.trim().split(/\s+/);
    const inode = cells[9];
    return cells[3] === LISTENING && cells[1]?.endsWith(`:${hexPort}`) === true && inode !== undefined
      ? [inode]
      : [];
  });
}

/** Undefined when nothing listens, and outside Linux. */
export function portHolder(read: TextReader, port: number): PortHolder | undefined {
  const tables = [read("/proc/net/tcp"), read("/proc/net/tcp6")];
  const inodes = new Set(tables.flatMap((table) => listeningInodes(table ?? "", port)));
  if (inodes.size === 0) return undefined;
  const pid = listPids().find((candidate) => holdsSocket(candidate, inodes));
  if (pid === undefined) return {};
  const stat = read(`/proc/${pid}/stat`);
  const name = stat === undefined ? undefined : parseProcessStat(stat)?.name;
  return { pid, ...(name === undefined ? {} : { name }) };
}

function holdsSocket(pid: number, inodes: ReadonlySet<string>): boolean {
  return socketsOf(pid).some((inode) => inodes.has(inode));
}

/** Inodes of the sockets that a process has open; none for another user's. */
export function socketsOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  return namesIn(folder).flatMap(
    (entry) => /^socket:\[(\d+)\]$/.exec(targetOf(`${folder}/${entry}`) ?? "")?.[1] ?? [],
  );
}

/** Another user's folder is closed to us, and one of a process that has just ended is gone: both have no names. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    // The file was closed since the folder was listed.
    return undefined;
  }
}
