import fc from "fast-check";
import { expect, test } from "vitest";
import { VirtualClock } from "../core/clock.ts";
import type { ProcessEntry } from "../core/process-table.ts";
import type { ProcessTable } from "./process-family.ts";
import {
  ADOPTED_POLL_MS,
  KILL_LIMIT_MS,
  type ProcessOwner,
  STRAGGLER_GRACE_MS,
  createProcessOwner,
} from "./process-owner.ts";
import { SERVER_ID_VARIABLE } from "./server-environment.ts";
import type { ServerProcess } from "./world.ts";

/** Processes on paper. A process that is not listed does not exist. */
class PaperTable implements ProcessTable {
  readonly entries = new Map<number, ProcessEntry & { readonly mark?: string; readonly unkillable?: true }>();
  readonly signals: (readonly [number, string])[] = [];

  add(
    pid: number,
    startTicks: number,
    over: Partial<ProcessEntry> & { readonly mark?: string; readonly unkillable?: true } = {},
  ): void {
    const usual = { pid, parentPid: 1, groupId: pid, sessionId: pid, zombie: false };
    this.entries.set(pid, { ...usual, startTicks: `${startTicks}`, ...over });
  }

  list(): readonly ProcessEntry[] {
    return [...this.entries.values()];
  }

  read(pid: number): ProcessEntry | undefined {
    return this.entries.get(pid);
  }

  startedWith(pid: number, name: string, value: string): boolean {
    return name === SERVER_ID_VARIABLE && this.entries.get(pid)?.mark === value;
  }

  identityOf(pid: number): { pid: number; startTicks?: string; bootId: string } {
    const startTicks = this.entries.get(pid)?.startTicks;
    return { pid, bootId: "boot-1", ...(startTicks !== undefined && { startTicks }) };
  }

  signal(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
    this.signals.push([pid, signal]);
    if (signal === "SIGKILL" && this.entries.get(pid)?.unkillable === undefined) this.entries.delete(pid);
  }
}

function onPaper(): { table: PaperTable; clock: VirtualClock; owner: ProcessOwner } {
  const table = new PaperTable();
  const clock = new VirtualClock();
  return { table, clock, owner: createProcessOwner({ clock, environment: {}, table }) };
}

test("a stranger who was given a server's number is not adopted, and gets no signal", async () => {
  const { table, clock, owner } = onPaper();
  table.add(700, 5_000, { mark: "ours" });
  const adopted = owner.adopt(table.identityOf(700), "ours") as ServerProcess;
  table.add(700, 90_000);
  table.add(701, 90_001, { groupId: 700, sessionId: 700, parentPid: 700 });
  expect(owner.adopt(adopted.identity, "ours")).toBeUndefined();
  expect(await clock.runUntil(owner.stop(adopted, 1_000))).toEqual({ kind: "gone", forced: false });
  expect(await clock.runUntil(adopted.exited)).toEqual({});
  expect(table.signals).toEqual([]);
});

test("a process of another boot, or one that has no start time noted, is not adopted", () => {
  const { table, owner } = onPaper();
  table.add(700, 5_000);
  expect(owner.adopt({ pid: 700, startTicks: "5000", bootId: "boot-0" }, "ours")).toBeUndefined();
  expect(owner.adopt({ pid: 700, bootId: "boot-1" }, "ours")).toBeUndefined();
  expect(owner.adopt({ pid: 700, startTicks: "5000", bootId: "boot-1" }, "ours")).toBeDefined();
});

test("the end of an adopted server is seen at the next look, and looks are far apart", async () => {
  const { table, clock, owner } = onPaper();
  table.add(700, 5_000, { mark: "ours" });
  const adopted = owner.adopt(table.identityOf(700), "ours") as ServerProcess;
  let reads = 0;
  const read = table.read.bind(table);
  table.read = (pid) => {
    reads++;
    return read(pid);
  };
  await clock.advanceTo(60_000 * 1e6);
  expect(reads).toBe(60_000 / ADOPTED_POLL_MS);
  table.entries.delete(700);
  let seen = false;
  void adopted.exited.then(() => {
    seen = true;
  });
  await clock.advanceTo((60_000 + ADOPTED_POLL_MS - 1) * 1e6);
  expect(seen).toBe(false);
  await clock.advanceTo((60_000 + ADOPTED_POLL_MS) * 1e6);
  expect(seen).toBe(true);
});

test("a server that not even SIGKILL ends is stuck after the limit, and is told apart from one that is gone", async () => {
  const { table, clock, owner } = onPaper();
  table.add(700, 5_000, { mark: "ours", unkillable: true });
  const adopted = owner.adopt(table.identityOf(700), "ours") as ServerProcess;
  expect(await clock.runUntil(owner.stop(adopted, 2_000))).toEqual({ kind: "stuck" });
  expect(table.signals.slice(0, 2)).toEqual([
    [-700, "SIGTERM"],
    [700, "SIGKILL"],
  ]);
  const tookMs = clock.nowNs() / 1e6;
  expect(tookMs).toBeGreaterThanOrEqual(2_000 + KILL_LIMIT_MS);
  expect(tookMs).toBeLessThan(2_000 + STRAGGLER_GRACE_MS + KILL_LIMIT_MS + 200);
});

test("members are found by group, by descent and by mark, each alone; others of the same age are left alone", async () => {
  const { table, clock, owner } = onPaper();
  table.add(700, 5_000, { mark: "ours" });
  table.add(701, 5_001, { parentPid: 1, groupId: 700, sessionId: 700 });
  table.add(702, 5_002, { parentPid: 701 });
  table.add(703, 5_003, { parentPid: 702 });
  table.add(704, 5_004, { mark: "ours" });
  table.add(800, 5_005, { mark: "another's" });
  table.add(801, 5_006, { parentPid: 800 });
  table.add(802, 4_999, { mark: "ours" });
  table.add(805, 5_007, { mark: "ours", zombie: true });
  const adopted = owner.adopt(table.identityOf(700), "ours") as ServerProcess;
  expect(await clock.runUntil(owner.stop(adopted, 0))).toEqual({ kind: "gone", forced: true });
  const killed = table.signals.filter(([, signal]) => signal === "SIGKILL").map(([pid]) => pid);
  expect(killed.toSorted((one, other) => one - other)).toEqual([700, 701, 702, 703, 704]);
  expect(table.signals.filter(([, signal]) => signal === "SIGTERM").map(([pid]) => pid)).toEqual([
    -700, 702, 703, 704,
  ]);
});

test("a group that lost its mark is still ended after its server was seen to end, and not once its number is a stranger's", async () => {
  const { table, clock, owner } = onPaper();
  table.add(700, 5_000, { mark: "ours" });
  table.add(701, 5_001, { groupId: 700, sessionId: 700 });
  const adopted = owner.adopt(table.identityOf(700), "ours") as ServerProcess;
  table.entries.delete(700);
  await clock.runUntil(adopted.exited);
  table.add(700, 90_000);
  table.add(702, 90_001, { groupId: 700, sessionId: 700 });
  expect(await clock.runUntil(owner.stop(adopted, 0))).toEqual({ kind: "gone", forced: true });
  expect([...table.entries.keys()]).toEqual([700, 702]);
});

test("a child that is born while its family is being ended is ended too", async () => {
  const { table, clock, owner } = onPaper();
  table.add(700, 5_000, { mark: "ours" });
  const adopted = owner.adopt(table.identityOf(700), "ours") as ServerProcess;
  const signal = table.signal.bind(table);
  let born = 0;
  table.signal = (pid, name) => {
    signal(pid, name);
    if (name === "SIGKILL" && born < 3) table.add(710 + born++, 6_000, { mark: "ours" });
  };
  expect(await clock.runUntil(owner.stop(adopted, 0))).toEqual({ kind: "gone", forced: true });
  expect([...table.entries.keys()]).toEqual([]);
  expect(born).toBe(3);
});

test("whatever the machine runs, only the server's own are signalled, and all of them are", async () => {
  const process = fc.record({
    pid: fc.integer({ min: 690, max: 720 }),
    startTicks: fc.integer({ min: 4_990, max: 5_010 }),
    parentPid: fc.integer({ min: 690, max: 720 }),
    groupId: fc.integer({ min: 698, max: 702 }),
    sessionId: fc.integer({ min: 698, max: 702 }),
    zombie: fc.boolean(),
    marked: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(process, { maxLength: 12 }), async (others) => {
      const { table, clock, owner } = onPaper();
      for (const { pid, startTicks, marked, ...over } of others)
        table.add(pid, startTicks, { ...over, ...(marked && { mark: "ours" }) });
      table.add(700, 5_000, { mark: "ours" });
      const before = table.list();
      const adopted = owner.adopt(table.identityOf(700), "ours") as ServerProcess;
      const expected = before
        .filter(
          ({ pid, startTicks, zombie }) =>
            !zombie && Number(startTicks) >= 5_000 && isOf700(before, pid, table),
        )
        .map(({ pid }) => pid);
      expect(await clock.runUntil(owner.stop(adopted, 0))).toMatchObject({ kind: "gone" });
      const signalled = new Set(table.signals.map(([pid]) => Math.abs(pid)));
      expect([...signalled].toSorted((one, other) => one - other)).toEqual(
        expected.toSorted((one, other) => one - other),
      );
    }),
  );
});

/** By the mark, or up the line of parents to one in the server's group or session. */
function isOf700(all: readonly ProcessEntry[], pid: number, table: PaperTable): boolean {
  if (table.startedWith(pid, SERVER_ID_VARIABLE, "ours")) return true;
  const seen = new Set<number>();
  for (let at = all.find((entry) => entry.pid === pid); at !== undefined && !seen.has(at.pid); ) {
    if (at.groupId === 700 || at.sessionId === 700) return true;
    seen.add(at.pid);
    const { parentPid } = at;
    at = all.find((entry) => entry.pid === parentPid);
  }
  return false;
}
