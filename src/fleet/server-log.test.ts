import { spawn } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  existsSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../../test/fakes/temporary-directory.ts";
import { VirtualClock, onNextTurn } from "../core/clock.ts";
import { type LogLimits, type ServerLogs, keepServerLogs, tailLog } from "./server-log.ts";

const SMALL: LogLimits = { fileBytes: 1_000, generations: 2, folderBytes: 1_000_000 };

function keepLogs(limits?: LogLimits): {
  folder: string;
  clock: VirtualClock;
  logs: ServerLogs;
  path: string;
} {
  const folder = join(temporaryDirectory(), "logs");
  const clock = new VirtualClock();
  const logs = keepServerLogs(folder, clock, limits);
  onTestFinished(() => logs.close());
  return { folder, clock, logs, path: join(folder, "coder.log") };
}

const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, index) => `line ${from + index}\n`).join("");

test("the end of a log is its last lines since its server was started last", () => {
  const { logs, path } = keepLogs();
  closeSync(logs.open("coder", "id-1"));
  appendFileSync(path, "cudaMalloc failed: out of memory");
  closeSync(logs.open("coder", "id-2"));
  expect(logs.tail("coder", 20)).toEqual([]);
  appendFileSync(path, numbered(0, 30));
  appendFileSync(path, "unended");
  expect(logs.tail("coder", 3)).toEqual(["line 28", "line 29", "unended"]);
  expect(logs.tail("coder", 0)).toEqual([]);
  expect(logs.tail("coder", 100)).toHaveLength(31);
  expect(tailLog(path, { lines: 100, from: "anywhere" })).toContain("cudaMalloc failed: out of memory");
  expect(logs.tail("absent", 5)).toEqual([]);
});

test("a log belongs to its owner alone", () => {
  const { logs, path } = keepLogs();
  closeSync(logs.open("coder", "id-1"));
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a log beyond the limit is copied and cut, and who writes to it goes on at the new beginning", async () => {
  const { logs, path } = keepLogs(SMALL);
  const descriptor = logs.open("coder", "id-1");
  onTestFinished(() => closeSync(descriptor));
  writeSync(descriptor, numbered(0, 120));
  const before = readFileSync(path, "utf8");
  await logs.rotate();
  expect(readFileSync(`${path}.1`, "utf8")).toBe(before.slice(-1_000));
  writeSync(descriptor, "after\n");
  expect(readFileSync(path, "utf8")).toBe("after\n");
  expect(logs.tail("coder", 2)).toEqual(["line 119", "after"]);
  await logs.rotate();
  expect(existsSync(`${path}.2`)).toBe(false);
});

test("a line that a cut went through is whole in the end of the log", async () => {
  const { logs, path } = keepLogs(SMALL);
  const descriptor = logs.open("coder", "id-1");
  onTestFinished(() => closeSync(descriptor));
  writeSync(descriptor, `${"x".repeat(1_100)}\nfirst half`);
  await logs.rotate();
  writeSync(descriptor, " second half\n");
  expect(statSync(path).size).toBe(13);
  expect(logs.tail("coder", 1)).toEqual(["first half second half"]);
});

test("only so many older parts are kept, and all together stay below the folder's limit", async () => {
  const { logs, folder, path } = keepLogs({ ...SMALL, folderBytes: 2_500 });
  for (const name of ["coder", "chat"]) {
    const descriptor = logs.open(name, "id");
    for (let round = 0; round < 5; round++) {
      writeSync(descriptor, `${`${round}`.repeat(1_500)}\n`);
      await logs.rotate();
    }
    closeSync(descriptor);
  }
  expect(existsSync(`${path}.3`)).toBe(false);
  const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  expect(bytes).toBe(2_000);
});

test("a flood of 200 MB is cut down to the limit, and its last words are kept", async () => {
  const limits = { ...SMALL, fileBytes: 1024 * 1024, folderBytes: 10e6 };
  const { logs, path, folder } = keepLogs(limits);
  const descriptor = logs.open("coder", "id-1");
  const piece = numbered(0, 100_000);
  for (let written = 0; written < 200e6; written += piece.length) writeSync(descriptor, piece);
  writeSync(descriptor, "the end\n");
  closeSync(descriptor);
  await logs.rotate();
  expect(logs.tail("coder", 2)).toEqual(["line 99999", "the end"]);
  expect(statSync(path).size).toBe(0);
  const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  expect(bytes).toBe(1024 * 1024);
});

test("a process that writes through rotations is never held up, and its later lines all arrive", async () => {
  const { logs, path } = keepLogs({ ...SMALL, fileBytes: 64 * 1024 });
  const descriptor = logs.open("coder", "id-1");
  const code = "for (let n = 0; n < 50000; n++) require('fs').writeSync(1, `line ${n}\\n`)";
  const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", descriptor, "ignore"] });
  closeSync(descriptor);
  let running = true;
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve)).finally(() => {
    running = false;
  });
  while (running) {
    await logs.rotate();
    await new Promise<void>((resolve) => onNextTurn(resolve));
  }
  expect(await ended).toBe(0);
  // The cut loses microseconds: within what is left, the numbers go up by one but for such gaps.
  const text = readFileSync(`${path}.1`, "utf8") + readFileSync(path, "utf8");
  const numbers = [...text.matchAll(/^line (\d+)$/gm)].map(([, number]) => Number(number));
  expect(numbers.at(-1)).toBe(49_999);
  expect(numbers.every((number, index) => index === 0 || number > (numbers[index - 1] as number))).toBe(true);
});

test("on a full disk the older parts are given up and the log is cut all the same", async () => {
  const { logs, path } = keepLogs({ ...SMALL, generations: 1 });
  writeFileSync(path, numbered(0, 200));
  symlinkSync("/dev/full", `${path}.1`);
  await logs.rotate();
  expect(statSync(path).size).toBe(0);
  expect(existsSync(`${path}.1`)).toBe(false);
});

test("logs are looked after by themselves, until they are closed", async () => {
  const { logs, clock, path } = keepLogs(SMALL);
  writeFileSync(path, numbered(0, 200));
  await clock.advanceTo(10e9);
  await logs.rotate();
  expect(statSync(path).size).toBe(0);
  logs.close();
  expect(clock.fireNext()).toBe(false);
});
