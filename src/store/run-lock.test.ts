import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startWriterChild } from "../../test/fakes/run-writer.ts";
import { sampleManifest } from "../../test/fakes/sample-records.ts";
import { temporaryDirectory } from "../../test/fakes/temporary-directory.ts";
import { VirtualClock } from "../core/clock.ts";
import { acquireRunLock, isRunLocked } from "./run-lock.ts";
import { createRunDirectory } from "./run-directory.ts";

const RUN_LOCKED = expect.objectContaining({ code: "RUN_LOCKED" }) as Error;

function lockFiles(directory: string): readonly string[] {
  return readdirSync(directory).filter((name) => name.startsWith("writer"));
}

/** The lock of this process with something changed, as another holder would have left it. */
function leaveLock(directory: string, number: number, over: object): void {
  const own = acquireRunLock(directory);
  const [name] = lockFiles(directory);
  const holder = JSON.parse(readFileSync(join(directory, name as string), "utf8")) as object;
  own.release();
  writeFileSync(join(directory, `writer-${number}.lock`), JSON.stringify({ ...holder, ...over }));
}

describe("the lock of a run", () => {
  test("is held by one, the same process included, and free after its release", () => {
    const directory = temporaryDirectory();
    const lock = acquireRunLock(directory);
    expect(isRunLocked(directory)).toBe(true);
    expect(() => acquireRunLock(directory)).toThrow(RUN_LOCKED);
    lock.release();
    expect(isRunLocked(directory)).toBe(false);
    const next = acquireRunLock(directory);
    expect(next.takenOverFromPid).toBeUndefined();
    // The second release of an old lock must not free the new one.
    lock.release();
    expect(isRunLocked(directory)).toBe(true);
    expect(lockFiles(directory)).toEqual(["writer-2.lock"]);
  });

  test("is stale when its number now belongs to another process", (context) => {
    if (!existsSync("/proc/self/stat")) context.skip("only Linux has /proc");
    const directory = temporaryDirectory();
    leaveLock(directory, 7, { startTicks: "1" });
    expect(isRunLocked(directory)).toBe(false);
    expect(acquireRunLock(directory).takenOverFromPid).toBe(process.pid);
    expect(lockFiles(directory)).toEqual(["writer-8.lock"]);
  });

  test("is stale after the machine was started anew", (context) => {
    if (!existsSync("/proc/self/stat")) context.skip("only Linux has /proc");
    const directory = temporaryDirectory();
    leaveLock(directory, 7, { bootId: "another" });
    expect(isRunLocked(directory)).toBe(false);
  });

  test("of another host counts as held, since nobody here can know; the way out is named", () => {
    const directory = temporaryDirectory();
    leaveLock(directory, 7, { host: `not-${hostname()}` });
    expect(() => acquireRunLock(directory)).toThrow(
      expect.objectContaining({
        code: "RUN_LOCKED",
        received: `process ${process.pid} on not-${hostname()} writes it`,
        nextStep: expect.stringContaining(`delete ${join(directory, "writer-7.lock")}`) as string,
      }),
    );
  });

  test("goes to exactly one of several processes that find their predecessor dead", async () => {
    const runsDir = temporaryDirectory();
    const clock = new VirtualClock();
    const writer = createRunDirectory({ runsDir, manifest: sampleManifest(), durable: false, clock });
    writer.close("interrupted");
    const { path } = writer;
    for (let round = 0; round < 3; round++) {
      leaveLock(path, 100 * (round + 1), { pid: 2 ** 30 });
      const rivals = Array.from({ length: 4 }, () => startWriterChild("open", path));
      await Promise.all(rivals.map((rival) => rival.heard(1)));
      for (const rival of rivals) rival.tell("go");
      await Promise.all(rivals.map((rival) => rival.heard(2)));
      expect(rivals.filter((rival) => rival.said[1] === "won")).toHaveLength(1);
      expect(rivals.filter((rival) => rival.said[1] === "RUN_LOCKED")).toHaveLength(3);
      await Promise.all(rivals.map((rival) => rival.kill()));
    }
  });
});
