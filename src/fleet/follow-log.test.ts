import { appendFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../../test/fakes/temporary-directory.ts";
import { VirtualClock } from "../core/clock.ts";
import { followLog } from "./follow-log.ts";

interface Following {
  readonly path: string;
  readonly clock: VirtualClock;
  readonly seen: string[];
  readonly look: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

function follow(before?: string): Following {
  const path = join(temporaryDirectory(), "coder.log");
  if (before !== undefined) writeFileSync(path, before);
  const clock = new VirtualClock();
  const abort = new AbortController();
  const seen: string[] = [];
  const done = (async () => {
    for await (const line of followLog(path, clock, abort.signal)) seen.push(line);
  })();
  const stop = async (): Promise<void> => {
    abort.abort();
    await done;
  };
  onTestFinished(stop);
  return { path, clock, seen, look: () => clock.advanceTo(clock.nowNs() + 1e9), stop };
}

test("lines are shown as they come, from now on, whole and fit for a terminal", async () => {
  const { path, seen, look } = follow("before\n");
  await look();
  appendFileSync(path, "one\ntw");
  await look();
  expect(seen).toEqual(["one"]);
  appendFileSync(path, "o\n\u001b[31mthree\u001b[0m\n");
  await look();
  expect(seen).toEqual(["one", "two", "three"]);
});

test("a log that does not exist yet is waited for and read from its beginning", async () => {
  const { path, seen, look } = follow();
  await look();
  writeFileSync(path, "first\n");
  await look();
  expect(seen).toEqual(["first"]);
});

test("after a cut, and after the file was replaced, reading goes on at the beginning", async () => {
  const { path, seen, look } = follow("a long line before the cut\n");
  await look();
  truncateSync(path);
  appendFileSync(path, "cut\n");
  await look();
  writeFileSync(`${path}.new`, "replaced, and longer than what was there\n");
  renameSync(`${path}.new`, path);
  await look();
  expect(seen).toEqual(["cut", "replaced, and longer than what was there"]);
});

test("a flood between two looks is passed over, with its size, up to its end", async () => {
  const { path, seen, look } = follow("");
  await look();
  appendFileSync(path, `${"x".repeat(1023)}\n`.repeat(100 * 1024));
  appendFileSync(path, "the end\n");
  await look();
  expect(seen[0]).toMatch(/^… 99(\.\d+)? MiB passed over …$/);
  expect(seen.at(-1)).toBe("the end");
  expect(seen.length).toBeLessThan(1_100);
});

test("nothing is read while the reader is busy, and an abort ends the following at once", async () => {
  const { stop, look, seen } = follow("");
  await look();
  await stop();
  expect(seen).toEqual([]);
});
