import { mkdirSync, rmSync } from "node:fs";
import { type Server, type Socket, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { realClock } from "../../core/clock.ts";
import { askSupervisor } from "./client.ts";
import type { ControlProgress } from "./protocol.ts";
import { controlSocketPath, lockStateDirectory } from "./supervisor-lock.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A supervisor that says these bytes to whatever it is asked, then what `after` does. */
async function saying(text: string, after: (socket: Socket) => void = () => undefined): Promise<string> {
  const socketPath = controlSocketPath(temporaryDirectory());
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      socket.write(text);
      after(socket);
    });
  });
  servers.push(server);
  await new Promise<void>((listening) => server.listen(socketPath, listening));
  return socketPath;
}

function ask(socketPath: string, more: { onProgress?: (line: ControlProgress) => void } = {}) {
  return askSupervisor({ do: "switch", mode: "coding" }, { socketPath, clock: realClock, ...more });
}

describe("asking", () => {
  test("tells each step as it happens, and the result", async () => {
    const steps: string[] = [];
    const socketPath = await saying(
      '{"kind":"progress","step":"stop","message":"gemma"}\n{"kind":"progress","step":"start","message":"qwen"}\n{"kind":"done","result":{"outcome":"committed"}}\n',
    );
    expect(await ask(socketPath, { onProgress: (line) => steps.push(line.step) })).toEqual({
      outcome: "committed",
    });
    expect(steps).toEqual(["stop", "start"]);
  });

  test("passes the supervisor's error on as it was said", async () => {
    const socketPath = await saying(
      '{"kind":"error","code":"PORT_IN_USE","message":"taken","received":"80","nextStep":"choose another"}\n',
    );
    await expect(ask(socketPath)).rejects.toMatchObject({
      code: "PORT_IN_USE",
      message: "taken",
      received: "80",
      nextStep: "choose another",
    });
  });

  test("says that the supervisor is of another version where its error is unknown here", async () => {
    const socketPath = await saying(
      '{"kind":"error","code":"MOON_FULL","message":"the moon is full","nextStep":"wait"}\n',
    );
    await expect(ask(socketPath)).rejects.toMatchObject({
      code: "PROTOCOL_MISMATCH",
      message:
        "the supervisor answered with an error that this version does not know: MOON_FULL: the moon is full",
      nextStep: "wait",
    });
  });

  test.each([
    ["closes in the middle of its answer", '{"kind":"progress"', (socket: Socket) => socket.end()],
    ["says something else", "hello\n", () => undefined],
    ["says a line without end", "x".repeat(5 * 1024 * 1024), () => undefined],
    ["closes after progress", '{"kind":"progress","step":"s","message":"m"}\n', (s: Socket) => s.end()],
  ])("of one that %s is an error, not a wait", async (_what, text, after) => {
    await expect(ask(await saying(text, after))).rejects.toMatchObject({ code: "SUPERVISOR_LOST" });
  });

  test("where none runs says how to start one", async () => {
    await expect(ask(join(temporaryDirectory(), "control.sock"))).rejects.toMatchObject({
      code: "SUPERVISOR_ABSENT",
      nextStep: "start one with: slipway up <mode> (slipway mode list shows the modes)",
    });
  });

  test("ends when its caller gives up", async () => {
    const socketPath = await saying("");
    const abort = new AbortController();
    const asked = askSupervisor({ do: "status" }, { socketPath, clock: realClock, signal: abort.signal });
    abort.abort(new Error("interrupted"));
    await expect(asked).rejects.toThrow("interrupted");
  });
});

describe("the lock of the state directory", () => {
  test("is held by one supervisor, and the second is told which process that is", () => {
    const directory = join(temporaryDirectory(), "a", "state");
    const lock = lockStateDirectory(directory);
    expect(() => lockStateDirectory(directory)).toThrow(
      expect.objectContaining({
        code: "SUPERVISOR_RUNNING",
        message: expect.stringContaining(`process ${process.pid} on`) as string,
      }) as Error,
    );
    lock.release();
    lockStateDirectory(directory).release();
  });

  test("is not taken in a folder that others may enter", () => {
    const directory = join(temporaryDirectory(), "state");
    mkdirSync(directory, { mode: 0o755 });
    expect(() => lockStateDirectory(directory)).toThrow(
      expect.objectContaining({
        code: "DIRECTORY_UNWRITABLE",
        nextStep: `close it to others with chmod 700 ${directory}, or give another folder with --state-dir`,
      }) as Error,
    );
    rmSync(directory, { recursive: true });
  });
});
