/** Who is connected to a TCP port of this machine, from /proc/net. */
import { socketsOf } from "./port-holder.ts";
import type { TextReader } from "./text-reader.ts";

/** State 01 is TCP_ESTABLISHED (include/net/tcp_states.h). */
const ESTABLISHED = "01";

interface Connection {
  readonly localPort: string;
  readonly remotePort: string;
  readonly inode: string;
}

/**
 * How many connections there are to this port whose other end is not one of these sockets. On one
 * machine a connection has two rows, one of each end; both name both ports.
 */
export function connectionsOfOthers(table: string, port: number, own: ReadonlySet<string>): number {
  const hexPort = port.toString(16).toUpperCase().padStart(4, "0");
  const connections = table.split("\n").flatMap(connectionOf);
  const ownPorts = new Set(
    connections
      .filter(({ remotePort, inode }) => remotePort === hexPort && own.has(inode))
      .map(({ localPort }) => localPort),
  );
  return connections.filter(({ localPort, remotePort }) => localPort === hexPort && !ownPorts.has(remotePort))
    .length;
}

/** Connections of other programs than this one; undefined outside Linux. */
export function portClients(read: TextReader, port: number): number | undefined {
  const tables = [read("/proc/net/tcp"), read("/proc/net/tcp6")].filter((table) => table !== undefined);
  if (tables.length === 0) return undefined;
  return connectionsOfOthers(tables.join("\n"), port, new Set(socketsOf(process.pid)));
}

/** Columns 1 to 3 are both addresses and the state, 9 the socket's inode. */
function connectionOf(line: string): Connection[] {
  const cells = line.trim().split(/\s+/);
  const [localPort, remotePort] = [cells[1]?.split(":")[1], cells[2]?.split(":")[1]];
  const inode = cells[9];
  if (cells[3] !== ESTABLISHED || localPort === undefined || remotePort === undefined) return [];
  return inode === undefined ? [] : [{ localPort, remotePort, inode }];
}
