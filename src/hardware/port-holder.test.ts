import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { listeningInodes, portHolder } from "./port-holder.ts";
import { readKernelFile } from "./text-reader.ts";

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 20 4 30 10 -1
   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
`;

test("only sockets that listen count, not connections through the same port", () => {
  expect(listeningInodes(TABLE, 8080)).toEqual(["4711"]);
  expect(listeningInodes(TABLE, 80)).toEqual(["4713"]);
  expect(listeningInodes(TABLE, 8081)).toEqual([]);
});

test("a port whose holder's files cannot be seen is held by somebody unnamed", () => {
  // No process has a socket with this number: inodes of sockets are small integers.
  const table = TABLE.replace("4711", "99999999999999");
  expect(portHolder((path) => (path === "/proc/net/tcp" ? table : undefined), 8080)).toEqual({});
});

test("a port that this process listens on is found with its name", async ({ skip }) => {
  skip(process.platform !== "linux", "who listens is read from /proc/net, which only Linux has");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  expect(portHolder(readKernelFile, port)).toMatchObject({ pid: process.pid, name: expect.any(String) });
});
