import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { type Socket, connect } from "node:net";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { deferred } from "../../../test/fakes/deferred.ts";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { type Clock, VirtualClock, realClock } from "../../core/clock.ts";
import { OperatorError } from "../../core/errors.ts";
import { askSupervisor } from "./client.ts";
import type { FleetStatus } from "./protocol.ts";
import {
  type ControlHandler,
  type ControlServer,
  MAX_CONNECTIONS,
  MAX_REQUEST_BYTES,
  REQUEST_LIMIT_MS,
  startControlServer,
} from "./server.ts";
import { controlSocketPath, lockStateDirectory } from "./supervisor-lock.ts";

const STATUS: FleetStatus = {
  supervisorPid: 4711,
  stateDirectory: "/here",
  mode: "coding",
  memory: { kind: "host", totalBytes: 8, freeBytes: 4 },
  presets: [],
  warnings: [],
};

const open: ControlServer[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of open.splice(0)) await server.close();
});

interface Stand {
  readonly directory: string;
  readonly socketPath: string;
  readonly server: ControlServer;
  readonly defects: unknown[];
}

async function stand(
  handle: ControlHandler = () => Promise.resolve(STATUS),
  clock: Clock = realClock,
): Promise<Stand> {
  const directory = join(temporaryDirectory(), "state");
  mkdirSync(directory, { mode: 0o700 });
  const socketPath = controlSocketPath(directory);
  const defects: unknown[] = [];
  const server = await startControlServer({
    socketPath,
    handle,
    clock,
    onDefect: (thrown) => defects.push(thrown),
  });
  open.push(server);
  return { directory, socketPath, server, defects };
}

/** Everything the server says to these bytes, until it closes. */
function exchange(socketPath: string, sent: string | Uint8Array, end = false): Promise<string> {
  return new Promise((resolveText) => {
    const socket = connect({ path: socketPath, allowHalfOpen: true });
    sockets.push(socket);
    let text = "";
    socket.on("data", (bytes: Buffer) => (text += bytes.toString()));
    socket.on("error", () => undefined);
    socket.on("end", () => socket.end());
    socket.once("close", () => resolveText(text));
    socket.write(sent);
    if (end) socket.end();
  });
}

const LINE = '{"version":1,"do":"status"}\n';

describe("a request", () => {
  test("is answered with progress lines and one closing line", async () => {
    const { socketPath } = await stand((_request, caller) => {
      caller.progress({ step: "drain", preset: "gemma", message: "waiting for 2 requests" });
      return Promise.resolve(STATUS);
    });
    expect(await exchange(socketPath, LINE)).toBe(
      `{"kind":"progress","step":"drain","preset":"gemma","message":"waiting for 2 requests"}\n${JSON.stringify({ kind: "done", result: STATUS })}\n`,
    );
  });

  test("that comes byte by byte, or with the writing side closed behind it, is the same request", async () => {
    const { socketPath } = await stand();
    const whole = `${JSON.stringify({ kind: "done", result: STATUS })}\n`;
    expect(await exchange(socketPath, LINE, true)).toBe(whole);
    const socket = connect(socketPath);
    sockets.push(socket);
    let text = "";
    socket.on("data", (bytes: Buffer) => (text += bytes.toString()));
    for (const character of LINE) socket.write(character);
    await new Promise((closed) => socket.once("close", closed));
    expect(text).toBe(whole);
  });

  test("that the supervisor refuses is answered with its error", async () => {
    const { socketPath } = await stand(() => {
      throw new OperatorError("PORT_IN_USE", {
        message: "taken",
        received: 8080,
        nextStep: "choose another",
      });
    });
    expect(await exchange(socketPath, LINE)).toBe(
      '{"kind":"error","code":"PORT_IN_USE","message":"taken","received":"8080","nextStep":"choose another"}\n',
    );
  });

  test("that uncovers a defect is closed without an answer, and the defect is handed on", async () => {
    const { socketPath, defects } = await stand(() => Promise.reject(new Error("broken assumption")));
    expect(await exchange(socketPath, LINE)).toBe("");
    expect(defects).toEqual([new Error("broken assumption")]);
  });
});

describe("a request that is none", () => {
  const refusals: readonly (readonly [string, string | Uint8Array, string])[] = [
    ["no JSON", "status\n", "a request is one JSON object on a line"],
    ["no object", "[]\n", "a request is one JSON object on a line"],
    ["not UTF-8", Buffer.from([0xff, 0xfe, 0x0a]), "a request is one JSON object on a line"],
    ["an unknown verb", '{"version":1,"do":"explode"}\n', "field do: Invalid discriminator value"],
    ["an unknown field", '{"version":1,"do":"status","and":"rm"}\n', 'Unrecognized key: "and"'],
    [
      "an endless name",
      `{"version":1,"do":"switch","mode":"${"m".repeat(61)}"}\n`,
      "field mode: Too big: expected string to have <=60 characters",
    ],
    ["no version", '{"do":"status"}\n', "field version: Invalid input: expected number, received undefined"],
    ["an endless line", "x".repeat(MAX_REQUEST_BYTES + 1), "a request has at most 65536 bytes"],
    ["nested without end", `${"[".repeat(4000)}\n`, "a request is one JSON object on a line"],
  ];
  test.each(refusals)("(%s) gets an error and is closed", async (_what, sent, message) => {
    const { socketPath } = await stand();
    const said = JSON.parse(await exchange(socketPath, sent)) as { code: string; message: string };
    expect(said.code).toBe("REQUEST_MALFORMED");
    expect(said.message).toContain(message);
  });

  test("of another version says so, whatever else it holds", async () => {
    const { socketPath } = await stand();
    const said = JSON.parse(await exchange(socketPath, '{"version":2,"do":"levitate"}\n')) as {
      code: string;
      message: string;
    };
    expect(said.code).toBe("PROTOCOL_MISMATCH");
    expect(said.message).toBe(
      "the supervisor speaks version 1 of the control protocol, the request version 2",
    );
  });

  test("that ends within its line is told so", async () => {
    const { socketPath } = await stand();
    expect(await exchange(socketPath, '{"version":1', true)).toContain("the connection ended within a line");
  });

  test("never reaches the supervisor, whatever its bytes are", async () => {
    const asked: unknown[] = [];
    const { socketPath, defects } = await stand((request) => {
      asked.push(request);
      return Promise.resolve(STATUS);
    });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        const said = await exchange(socketPath, Buffer.concat([bytes, Buffer.from("\n")]));
        expect(JSON.parse(said)).toMatchObject({ kind: "error", code: "REQUEST_MALFORMED" });
      }),
      { numRuns: 60 },
    );
    expect(asked).toEqual([]);
    expect(defects).toEqual([]);
  });
});

describe("a caller", () => {
  test("that says nothing is refused when its time is over", async () => {
    const clock = new VirtualClock();
    const { socketPath } = await stand(undefined, clock);
    const socket = connect(socketPath);
    sockets.push(socket);
    await new Promise((connected) => socket.once("connect", connected));
    const said = new Promise<string>((resolveText) =>
      socket.once("data", (bytes: Buffer) => resolveText(bytes.toString())),
    );
    // The server learns of the connection in its own turn of the loop; its timer is set from then on.
    let answered = false;
    void said.then(() => (answered = true));
    while (!answered) await clock.advanceTo(clock.nowNs() + REQUEST_LIMIT_MS * 1e6);
    expect(JSON.parse(await said)).toMatchObject({ code: "REQUEST_MALFORMED", message: "no request came" });
  });

  test("that does not read keeps nobody waiting and misses progress, and others are served meanwhile", async () => {
    let told = 0;
    const { socketPath } = await stand((request, caller) => {
      if (request.do === "switch")
        for (; told < 20_000; told++) caller.progress({ step: "load", message: "x".repeat(100) });
      return Promise.resolve(STATUS);
    });
    const slow = connect(socketPath);
    sockets.push(slow);
    slow.pause();
    slow.write('{"version":1,"do":"switch","mode":"m"}\n');
    expect(await exchange(socketPath, LINE)).toContain('"kind":"done"');
    let received = "";
    slow.on("data", (bytes: Buffer) => (received += bytes.toString()));
    slow.resume();
    await new Promise((closed) => slow.once("close", closed));
    expect(told).toBe(20_000);
    // 20,000 lines of 149 bytes would be 3 MB; a socket's buffers and our own hold far less.
    expect(received.length).toBeLessThan(1_500_000);
    expect(received.endsWith(`${JSON.stringify({ kind: "done", result: STATUS })}\n`)).toBe(true);
  });

  test("that goes away is told nothing more, and what it asked for goes on", async () => {
    const asked = deferred<void>();
    const goOn = deferred<void>();
    const finished = deferred<string>();
    const { socketPath, defects } = await stand(async (request, caller) => {
      if (request.do === "status") return STATUS;
      asked.resolve();
      await goOn.promise;
      caller.progress({ step: "start", message: "told to nobody" });
      finished.resolve("finished");
      return STATUS;
    });
    const socket = connect(socketPath);
    socket.write('{"version":1,"do":"switch","mode":"m"}\n');
    await asked.promise;
    socket.destroy();
    goOn.resolve();
    expect(await finished.promise).toBe("finished");
    expect(await exchange(socketPath, LINE)).toContain('"kind":"done"');
    expect(defects).toEqual([]);
  });

  test("of too many is told so, and served again when others have gone", async () => {
    const { socketPath } = await stand();
    const idle = await Promise.all(
      Array.from({ length: MAX_CONNECTIONS }, () => {
        const socket = connect(socketPath);
        sockets.push(socket);
        return new Promise<Socket>((connected) => socket.once("connect", () => connected(socket)));
      }),
    );
    expect(await exchange(socketPath, LINE)).toContain('"code":"SUPERVISOR_BUSY"');
    for (const socket of idle) socket.destroy();
    while ((await exchange(socketPath, LINE)).includes("SUPERVISOR_BUSY"));
    expect(await exchange(socketPath, LINE)).toContain('"kind":"done"');
  });

  test("with a lease keeps it as long as it stays", async () => {
    const released = deferred<string>();
    const { socketPath } = await stand((_request, caller) => {
      caller.gone.addEventListener("abort", () => released.resolve("released"));
      return Promise.resolve({ lease: "l1" });
    });
    const socket = connect(socketPath);
    const granted = new Promise<string>((said) =>
      socket.once("data", (bytes: Buffer) => said(bytes.toString())),
    );
    socket.write('{"version":1,"do":"lease","preset":"p"}\n');
    expect(await granted).toBe('{"kind":"done","result":{"lease":"l1"}}\n');
    socket.end();
    expect(await released.promise).toBe("released");
  });
});

describe("the socket", () => {
  test("has mode 0600, in a folder of mode 0700", async () => {
    const { directory, socketPath } = await stand();
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  test("keeps another user out, by its own mode and by its folder's", async (context) => {
    if (process.getuid?.() !== 0) context.skip("only root can become another user");
    const { directory, socketPath } = await stand();
    // The temporary folder itself is entered by its owner only; nobody shall get as far as the state directory.
    for (let path = resolve(directory, ".."); path !== "/"; path = resolve(path, ".."))
      if ((statSync(path).mode & 0o005) === 0) chmodSync(path, 0o755);
    const program = join(resolve(directory, ".."), "connect-as.mjs");
    cpSync(resolve(import.meta.dirname, "../../../test/fakes/connect-as.mjs"), program);
    chmodSync(program, 0o644);
    const asNobody = (): string =>
      execFileSync(process.execPath, [program, socketPath], {
        uid: 65_534,
        gid: 65_534,
        cwd: "/",
        encoding: "utf8",
      });
    expect(asNobody()).toBe("EACCES");
    chmodSync(directory, 0o755);
    expect(asNobody()).toBe("EACCES");
    chmodSync(socketPath, 0o666);
    expect(asNobody()).toBe("connected");
  });

  test("of a dead supervisor is replaced", async () => {
    const directory = join(temporaryDirectory(), "state");
    const lock = lockStateDirectory(directory);
    const socketPath = controlSocketPath(directory);
    // A child that is killed leaves its socket behind, as a supervisor does.
    const listen = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
    expect(spawnSync(process.execPath, ["-e", listen, socketPath]).signal).toBe("SIGKILL");
    expect(existsSync(socketPath)).toBe(true);
    await expect(askSupervisor({ do: "status" }, { socketPath, clock: realClock })).rejects.toMatchObject({
      code: "SUPERVISOR_ABSENT",
    });
    open.push(
      await startControlServer({
        socketPath,
        handle: () => Promise.resolve(STATUS),
        clock: realClock,
        onDefect: () => undefined,
      }),
    );
    expect(await askSupervisor({ do: "status" }, { socketPath, clock: realClock })).toEqual(STATUS);
    lock.release();
  });

  test("is gone once the supervisor has closed it", async () => {
    const { socketPath, server } = await stand();
    expect(existsSync(socketPath)).toBe(true);
    await server.close();
    expect(existsSync(socketPath)).toBe(false);
  });

  test("is not made over a file that is no socket", async () => {
    const directory = temporaryDirectory();
    const socketPath = controlSocketPath(directory);
    writeFileSync(socketPath, "mine");
    await expect(
      startControlServer({
        socketPath,
        handle: () => Promise.resolve(STATUS),
        clock: realClock,
        onDefect: () => undefined,
      }),
    ).rejects.toMatchObject({ code: "DIRECTORY_UNWRITABLE" });
  });

  test("with a path too long for the system is refused with the way out", async () => {
    const directory = join(temporaryDirectory(), "d".repeat(100));
    await expect(
      startControlServer({
        socketPath: controlSocketPath(directory),
        handle: () => Promise.resolve(STATUS),
        clock: realClock,
        onDefect: () => undefined,
      }),
    ).rejects.toMatchObject({
      code: "FLAG_INVALID",
      nextStep: "give a state directory with a shorter path: --state-dir <dir>",
    });
  });
});

test("closing lets an answer that is due go out first", async () => {
  const ask = deferred<void>();
  const answer = deferred<null>();
  const { socketPath, server } = await stand(() => {
    ask.resolve();
    return answer.promise;
  });
  const said = askSupervisor({ do: "shutdown", servers: "stop" }, { socketPath, clock: realClock });
  await ask.promise;
  const closed = server.close();
  answer.resolve(null);
  expect(await said).toBe(null);
  await closed;
});
