import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { realClock } from "./clock.ts";
import { identityOf, isAlive } from "./process-identity.ts";
import { listProcesses, parseProcessEntry, readProcessEntry, startedWith } from "./process-table.ts";

/** Fields 3 to 22 of proc(5): state, parent, group, session, 14 others, start time. */
const stat = (name: string, state: string): string =>
  `42 (${name}) ${state} 7 40 39 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 99 1`;

test("a name may hold spaces, parentheses and what looks like fields", () => {
  for (const name of ["node", "a b", "x) S 1 1 1 (", ") Z 9 9 9"])
    expect(parseProcessEntry(42, stat(name, "S"))).toEqual({
      pid: 42,
      parentPid: 7,
      groupId: 40,
      sessionId: 39,
      startTicks: "123456",
      zombie: false,
    });
  expect(parseProcessEntry(42, stat("node", "Z"))?.zombie).toBe(true);
  expect(parseProcessEntry(42, "42 (node) S 1 1")).toBeUndefined();
  expect(parseProcessEntry(42, "")).toBeUndefined();
});

test("this process is in the table, with its parent and its variables; one that does not exist is not", () => {
  expect(listProcesses().find(({ pid }) => pid === process.pid)).toMatchObject({ parentPid: process.ppid });
  expect(readProcessEntry(process.pid)?.startTicks).toBe(identityOf(process.pid).startTicks);
  expect(readProcessEntry(2 ** 22 + 1)).toBeUndefined();
  expect(startedWith(process.pid, "PATH", process.env["PATH"] as string)).toBe(true);
  expect(startedWith(process.pid, "PATH", "")).toBe(false);
  expect(startedWith(2 ** 22 + 1, "PATH", "")).toBe(false);
});

test("a zombie has its identity still, and does not live", async () => {
  // The shell never asks how its child ended, since it has become another program by then.
  const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 60"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const pid = await new Promise<number>((resolve) =>
    parent.stdout.once("data", (bytes) => resolve(Number(`${bytes}`))),
  );
  while (readProcessEntry(pid)?.zombie !== true) await realClock.sleepUntil(realClock.nowNs() + 1e6);
  const identity = identityOf(pid);
  expect(identity.startTicks).toMatch(/^\d+$/);
  expect(isAlive(identity)).toBe(false);
  parent.kill("SIGKILL");
});

test("a process that has the number but not the start time, or the boot, of another is not that one", () => {
  const mine = identityOf(process.pid);
  expect(isAlive(mine)).toBe(true);
  expect(isAlive({ ...mine, startTicks: `${Number(mine.startTicks) + 1}` })).toBe(false);
  expect(isAlive({ ...mine, bootId: "another" })).toBe(false);
});
