import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../test/fakes/temporary-directory.ts";
import { OperatorError } from "./errors.ts";
import { identityOf } from "./process-identity.ts";
import { type LockPurpose, acquireProcessLock, isProcessLocked } from "./process-lock.ts";

const purpose = (name: string): LockPurpose => ({
  name,
  refusal: (lock, holder) =>
    new OperatorError("SUPERVISOR_RUNNING", { message: lock, received: holder?.pid, nextStep: "wait" }),
});

test("a folder has one holder for each purpose, and purposes do not know each other", () => {
  const folder = temporaryDirectory();
  const writer = acquireProcessLock(folder, purpose("writer"));
  const supervisor = acquireProcessLock(folder, purpose("supervisor"));
  expect(() => acquireProcessLock(folder, purpose("supervisor"))).toThrow(
    expect.objectContaining({ code: "SUPERVISOR_RUNNING", received: process.pid }) as Error,
  );
  supervisor.release();
  expect(isProcessLocked(folder, "supervisor")).toBe(false);
  expect(isProcessLocked(folder, "writer")).toBe(true);
  acquireProcessLock(folder, purpose("supervisor")).release();
  writer.release();
});

test("what is let go is one's own lock, not the one of the same name in a folder that was made anew", () => {
  const folder = temporaryDirectory();
  const first = acquireProcessLock(folder, purpose("supervisor"));
  const stranger = JSON.stringify({ ...identityOf(process.ppid), host: hostname() });
  writeFileSync(join(folder, "supervisor-1.lock"), stranger);
  first.release();
  expect(isProcessLocked(folder, "supervisor")).toBe(true);
});

test("a lock whose holder was killed is taken over, and so is one whose number another process has now", async () => {
  const folder = temporaryDirectory();
  const holder = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1000)"], { stdio: "ignore" });
  const pid = holder.pid as number;
  const note = { ...identityOf(pid), host: hostname() };
  writeFileSync(join(folder, "supervisor-7.lock"), JSON.stringify(note));
  expect(isProcessLocked(folder, "supervisor")).toBe(true);
  const dead = new Promise((resolve) => holder.once("exit", resolve));
  holder.kill("SIGKILL");
  await dead;
  expect(acquireProcessLock(folder, purpose("supervisor")).takenOverFromPid).toBe(pid);

  const other = temporaryDirectory();
  const reused = { ...identityOf(process.pid), startTicks: "1", host: note.host };
  writeFileSync(join(other, "supervisor-1.lock"), JSON.stringify(reused));
  expect(acquireProcessLock(other, purpose("supervisor")).takenOverFromPid).toBe(process.pid);
});
