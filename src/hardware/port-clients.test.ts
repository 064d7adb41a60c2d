import { createServer, connect } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { connectionsOfOthers, portClients } from "./port-clients.ts";
import { readKernelFile } from "./text-reader.ts";

/** A server on 8080 with two clients of this machine (from the ports 50000 and 50001), one from outside, one that left. */
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 20 4 30 10 -1
   2: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0 20 4 30 10 -1
   3: 0100007F:1F90 0100007F:C351 01 00000000:00000000 00:00000000 00000000  1000        0 4714 1 0 20 4 30 10 -1
   4: 0100007F:C351 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 4715 1 0 20 4 30 10 -1
   5: 0A00000A:1F90 0B00000A:C352 01 00000000:00000000 00:00000000 00000000  1000        0 4716 1 0 20 4 30 10 -1
   6: 0100007F:1F90 0100007F:C353 06 00000000:00000000 00:00000000 00000000  1000        0 0 1 0 20 4 30 10 -1
`;

test("each connection to a port counts once, and one that has ended does not", () => {
  expect(connectionsOfOthers(TABLE, 8080, new Set())).toBe(3);
  expect(connectionsOfOthers(TABLE, 8081, new Set())).toBe(0);
});

test("connections whose other end is ours do not count", () => {
  expect(connectionsOfOthers(TABLE, 8080, new Set(["4713"]))).toBe(2);
  expect(connectionsOfOthers(TABLE, 8080, new Set(["4713", "4715"]))).toBe(1);
});

test("where the system has no such tables, nobody knows", () => {
  expect(portClients(() => undefined, 8080)).toBeUndefined();
});

test("a connection of this process to a server is its own, and counts for nothing", async ({ skip }) => {
  skip(process.platform !== "linux", "who is connected is read from /proc/net, which only Linux has");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, "connection");
  const client = connect(port, "127.0.0.1");
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  await accepted;
  const tables = `${readKernelFile("/proc/net/tcp")}\n${readKernelFile("/proc/net/tcp6")}`;
  expect(connectionsOfOthers(tables, port, new Set())).toBe(1);
  expect(portClients(readKernelFile, port)).toBe(0);
});
