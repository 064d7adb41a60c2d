/** What is left of a run when its process is killed, its disk is full, or its directory cannot be written. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "vitest";
import { describe, expect, onTestFinished, test } from "vitest";
import { realClock } from "../../src/core/clock.ts";
import { randomStream } from "../../src/core/random.ts";
import { listRuns } from "../../src/store/list-runs.ts";
import { readRun } from "../../src/store/read-run.ts";
import { createRunDirectory, openRunDirectory } from "../../src/store/run-directory.ts";
import { startWriterChild } from "../fakes/run-writer.ts";
import { sampleChunks, sampleManifest, sampleRequest, sampleTrial } from "../fakes/sample-records.ts";
import { temporaryDirectory } from "../fakes/temporary-directory.ts";
import { startSlipway, temporaryFolder } from "./slipway-process.ts";

describe("kill -9", () => {
  const moments = randomStream(20261120, "kill moments");
  const counts = Array.from({ length: 6 }, () => 1 + moments.integer(3000));

  // The writers flood the disk, and a flush among them was once seen to outlast 30 s on a busy machine.
  const patience = { timeout: 60_000, retry: 2 };

  test.each(counts)("after about %i requests keeps every one that was written", patience, async (count) => {
    const runsDir = temporaryDirectory();
    const manifest = sampleManifest();
    const path = join(runsDir, manifest.runId);
    const child = startWriterChild(
      "write",
      runsDir,
      ...[manifest, sampleRequest(), sampleTrial()].map((value) => JSON.stringify(value)),
    );
    await child.heard(count);
    expect(() => openRunDirectory({ path, durable: false, clock: realClock })).toThrow(
      expect.objectContaining({ code: "RUN_LOCKED" }),
    );
    expect(listRuns(runsDir)).toMatchObject([{ status: "running" }]);
    await child.kill();

    const acknowledged = child.said.length;
    const run = readRun(path);
    const requests: number[] = [];
    run.eachRequest((request) => requests.push(request.position));
    const withChunks: string[] = [];
    run.eachChunk((chunks) => withChunks.push(chunks.requestId));
    expect(requests.length).toBeGreaterThanOrEqual(acknowledged);
    expect(requests).toEqual(requests.map((_, index) => index));
    // A chunk line is written first, so it may be one ahead and never behind.
    expect(withChunks.length - requests.length).toBeGreaterThanOrEqual(0);
    expect(withChunks.length - requests.length).toBeLessThanOrEqual(1);
    expect(run.trials.length).toBeGreaterThanOrEqual(Math.floor(acknowledged / 10));
    expect(listRuns(runsDir)).toMatchObject([{ status: "interrupted" }]);

    const again = openRunDirectory({ path, durable: false, clock: realClock });
    again.request(sampleRequest({ position: requests.length }));
    again.close("complete");
    let last = -1;
    const resumed = readRun(path);
    resumed.eachRequest((request) => {
      last = request.position;
    });
    expect(last).toBe(requests.length);
    const events: unknown[] = [];
    resumed.eachEvent((event) => events.push(event));
    expect(events).toMatchObject([{ kind: "run-resumed", data: { takenOverFromPid: child.process.pid } }]);
  });
});

/** A small file system of its own; skips with the reason where mounting is not allowed. */
function mounted(context: TestContext, options: string): string {
  const path = temporaryDirectory();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "slipway-test", path], { stdio: "pipe" });
  } catch (thrown) {
    const reason =
      thrown instanceof Error ? (thrown.message.split("\n")[1] ?? thrown.message) : String(thrown);
    context.skip(`a tmpfs cannot be mounted here: ${reason}`);
  }
  // Lazily: a test that failed may have left files open, and its own message is the one to read.
  onTestFinished(() => {
    execFileSync("umount", ["--lazy", path]);
  });
  return path;
}

describe("a full disk", () => {
  test("behind the output is an error of its own, not a gate's answer", async (context) => {
    if (!existsSync("/dev/full")) context.skip("this system has no /dev/full");
    const folder = temporaryFolder();
    onTestFinished(() => folder.remove());
    const full = { cwd: folder.path, through: ["sh", "-c", 'exec "$@" > /dev/full', "sh"] };
    const { code, stderr } = await startSlipway(["--help"], full).finished;
    expect(stderr).toMatch(
      /^error DISK_FULL: no space left where the output goes.*\n.*ENOSPC\n.*next: .*\n$/,
    );
    expect(code).toBe(3);
  });

  test("of 64 KB is a clear error, keeps all that was written, and the run goes on with more space", (context) => {
    const runsDir = mounted(context, "size=64k");
    const writer = createRunDirectory({
      runsDir,
      manifest: sampleManifest(),
      durable: true,
      clock: realClock,
    });
    let written = 0;
    const fill = (): void => {
      for (;;) {
        const request = sampleRequest({ position: written });
        writer.request(request, sampleChunks(request.requestId));
        written++;
      }
    };
    expect(fill).toThrow(
      expect.objectContaining({
        code: "DISK_FULL",
        nextStep: expect.stringContaining("--resume") as string,
      }),
    );
    expect(fill).toThrow(expect.objectContaining({ code: "DISK_FULL" }));
    expect(written).toBeGreaterThan(20);
    expect(() => writer.close("failed")).toThrow(expect.objectContaining({ code: "DISK_FULL" }));

    const positions = (): readonly number[] => {
      const found: number[] = [];
      readRun(writer.path).eachRequest((request) => found.push(request.position));
      return found;
    };
    expect(positions()).toEqual(Array.from({ length: written }, (_, position) => position));
    for (const name of ["requests.jsonl", "chunks.jsonl"])
      expect(readFileSync(join(writer.path, name), "utf8").endsWith("\n")).toBe(true);
    expect(listRuns(runsDir)).toMatchObject([{ status: "interrupted" }]);

    execFileSync("mount", ["-o", "remount,size=256k", runsDir]);
    const again = openRunDirectory({ path: writer.path, durable: true, clock: realClock });
    again.request(sampleRequest({ position: written }));
    again.close("complete");
    expect(positions()).toHaveLength(written + 1);
    expect(listRuns(runsDir)).toMatchObject([{ status: "complete" }]);
  });

  test("leaves no room for a run at all: the error says so and nothing stays locked", (context) => {
    const runsDir = mounted(context, "size=4k");
    expect(() =>
      createRunDirectory({ runsDir, manifest: sampleManifest(), durable: false, clock: realClock }),
    ).toThrow(expect.objectContaining({ code: "DISK_FULL" }));
  });
});

test("a read-only file system is refused before anything is measured", (context) => {
  const runsDir = mounted(context, "size=64k");
  const options = { durable: false, clock: realClock };
  const old = createRunDirectory({ runsDir, manifest: sampleManifest(), ...options });
  old.close("interrupted");
  execFileSync("mount", ["-o", "remount,ro", runsDir]);
  const refusal = expect.objectContaining({ code: "DIRECTORY_UNWRITABLE", received: "EROFS" }) as Error;
  const manifest = sampleManifest({ runId: "another" });
  expect(() => createRunDirectory({ runsDir, manifest, ...options })).toThrow(refusal);
  expect(() => openRunDirectory({ path: old.path, ...options })).toThrow(refusal);
  expect(readRun(old.path).manifest.status).toBe("interrupted");
});
