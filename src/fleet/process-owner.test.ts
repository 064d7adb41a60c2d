import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { type AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { fakeLlmLaunch } from "../../test/fakes/fake-llm.ts";
import { temporaryDirectory } from "../../test/fakes/temporary-directory.ts";
import { realClock } from "../core/clock.ts";
import { identityOf, isAlive } from "../core/process-identity.ts";
import { realProcessTable } from "./process-family.ts";
import { type ProcessOwner, createProcessOwner } from "./process-owner.ts";
import { SERVER_ID_VARIABLE } from "./server-environment.ts";
import type { ServerProcess } from "./world.ts";

interface Started {
  readonly owner: ProcessOwner;
  readonly server: ServerProcess;
  readonly serverId: string;
  readonly port: number;
  readonly log: string;
  /** Resolves with what stands in the log once it has this text. */
  readonly said: (text: string) => Promise<string>;
}

let starts = 0;

async function startFake(flags: readonly string[] = [], port?: number): Promise<Started> {
  const owner = createProcessOwner({ clock: realClock, environment: process.env });
  const folder = temporaryDirectory();
  const log = join(folder, "server.log");
  const serverId = `test-${process.pid}-${starts++}`;
  const chosen = port ?? (await freePort());
  const outputDescriptor = openSync(log, "a");
  const server = await owner.start({
    launch: fakeLlmLaunch(chosen, flags),
    serverId,
    cwd: folder,
    outputDescriptor,
  });
  closeSync(outputDescriptor);
  onTestFinished(async () => {
    await owner.stop(server, 0);
    owner.close();
  });
  const said = (text: string): Promise<string> =>
    until(() => {
      const all = readFileSync(log, "utf8");
      return all.includes(text) ? all : undefined;
    });
  return { owner, server, serverId, port: chosen, log, said };
}

async function until<T>(find: () => T | undefined): Promise<T> {
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    await realClock.sleepUntil(realClock.nowNs() + 5e6);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

const leftBehind = (log: string): number => Number(/left behind (\d+)/.exec(log)?.[1]);

test("a server runs in a session of its own, with our mark and nothing of ours that is not allowed", async () => {
  process.env["HF_TOKEN"] = "hf_secret";
  process.env["CUDA_VISIBLE_DEVICES"] = "0";
  onTestFinished(() => {
    delete process.env["HF_TOKEN"];
    delete process.env["CUDA_VISIBLE_DEVICES"];
  });
  const { server, serverId, said } = await startFake();
  await said("listening");
  const { pid } = server.identity;
  expect(realProcessTable.read(pid)).toMatchObject({ groupId: pid, sessionId: pid });
  const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  expect(environment).toContain(`${SERVER_ID_VARIABLE}=${serverId}`);
  expect(environment).toContain("CUDA_VISIBLE_DEVICES=0");
  expect(environment.filter((entry) => entry.includes("hf_secret"))).toEqual([]);
});

test("a server that obeys SIGTERM is gone without force, and how it ended is told", async () => {
  const { owner, server, port, said } = await startFake();
  await said("listening");
  expect(await owner.stop(server, 5_000)).toEqual({ kind: "gone", forced: false });
  expect(await server.exited).toEqual({ code: 0 });
  expect(await accepts(port)).toBe(false);
});

test("a server that takes its time within the grace is not forced", async () => {
  const { owner, server, said } = await startFake(["--fake-term-ms", "300"]);
  await said("listening");
  expect(await owner.stop(server, 20_000)).toEqual({ kind: "gone", forced: false });
  expect(await server.exited).toEqual({ code: 0 });
});

test("a server that ignores SIGTERM is ended by SIGKILL after the grace", async () => {
  const { owner, server, port, said } = await startFake(["--fake-ignore-term"]);
  await said("listening");
  expect(await owner.stop(server, 100)).toEqual({ kind: "gone", forced: true });
  expect(await server.exited).toEqual({ signal: "SIGKILL" });
  expect(await said("SIGTERM ignored")).toContain("SIGTERM ignored");
  expect(await accepts(port)).toBe(false);
});

for (const kind of ["group", "session", "port", "session-port"])
  test(`a grandchild (${kind}) that outlives its server is ended with it, and the port is free`, async () => {
    const { owner, server, serverId, port, said } = await startFake(["--fake-grandchild", kind]);
    const grandchild = identityOf(leftBehind(await said("listening")));
    expect(isAlive(grandchild)).toBe(true);
    expect(await owner.stop(server, 5_000)).toEqual({ kind: "gone", forced: true });
    expect(isAlive(grandchild)).toBe(false);
    expect(owner.findByServerId(serverId)).toEqual([]);
    expect(await accepts(port)).toBe(false);
  });

test("what a crashed server left behind is still found, told apart from it, and ended", async () => {
  const flags = [
    "--fake-grandchild",
    "session-port",
    "--fake-crash-after-ms",
    "50",
    "--fake-exit-code",
    "134",
  ];
  const { owner, server, serverId, port, said } = await startFake(flags);
  const grandchildPid = leftBehind(await said("listening"));
  expect(await server.exited).toEqual({ code: 134 });
  expect(await accepts(port)).toBe(true);
  expect(owner.findByServerId(serverId).map(({ pid }) => pid)).toEqual([grandchildPid]);
  expect(owner.adopt(server.identity, serverId)).toBeUndefined();
  expect(await owner.stop(server, 5_000)).toEqual({ kind: "gone", forced: true });
  expect(await accepts(port)).toBe(false);
});

test("a server is found by its mark before what it started", async () => {
  const { owner, server, serverId, said } = await startFake(["--fake-grandchild", "session"]);
  const grandchildPid = leftBehind(await said("listening"));
  expect(owner.findByServerId(serverId).map(({ pid }) => pid)).toEqual([server.identity.pid, grandchildPid]);
  expect(owner.findByServerId(serverId)[0]).toEqual(server.identity);
});

test("a server that crashes at once ends with its code, and its words are in the log", async () => {
  const { owner, server, said } = await startFake(["--fake-crash", "cuda-oom", "--fake-exit-code", "7"]);
  expect(await server.exited).toEqual({ code: 7 });
  expect(await said("cudaMalloc failed: out of memory")).toContain("unable to allocate CUDA0 buffer");
  expect(server.identity.startTicks).toMatch(/^\d+$/);
  expect(await owner.stop(server, 5_000)).toEqual({ kind: "gone", forced: false });
});

test("a server whose port is taken says so and ends", async () => {
  const first = await startFake();
  await first.said("listening");
  const second = await startFake([], first.port);
  expect(await second.server.exited).toEqual({ code: 1 });
  expect(await second.said("couldn't bind")).toContain(`port: ${first.port}`);
  expect(await accepts(first.port)).toBe(true);
});

test("a program that is not there is an operator error", async () => {
  const owner = createProcessOwner({ clock: realClock, environment: {} });
  const launch = { ...fakeLlmLaunch(0), command: "no-such-server" };
  const spec = { launch, serverId: "none", cwd: temporaryDirectory(), outputDescriptor: 1 };
  await expect(owner.start(spec)).rejects.toMatchObject({
    code: "PROCESS_FAILED",
    received: "no-such-server",
  });
  const long = { ...spec, launch: { ...launch, command: process.execPath, args: ["x".repeat(5_000_000)] } };
  await expect(owner.start(long)).rejects.toMatchObject({ code: "PROCESS_FAILED" });
});

test("output that a full disk refuses neither ends a server nor holds it up", async () => {
  const owner = createProcessOwner({ clock: realClock, environment: process.env });
  const port = await freePort();
  const outputDescriptor = openSync("/dev/full", "a");
  const server = await owner.start({
    launch: fakeLlmLaunch(port),
    serverId: `test-${process.pid}-full`,
    cwd: temporaryDirectory(),
    outputDescriptor,
  });
  closeSync(outputDescriptor);
  onTestFinished(async () => void (await owner.stop(server, 0)));
  while (!(await accepts(port))) await realClock.sleepUntil(realClock.nowNs() + 5e6);
  expect(isAlive(server.identity)).toBe(true);
});

test("200 MB of output at once reach the file, and neither hold the server up nor pass through us", async () => {
  const before = process.memoryUsage().arrayBuffers;
  const { log, port, said } = await startFake(["--fake-flood-mib", "200"]);
  await until(() => (statSync(log).size > 200 * 1024 * 1024 ? true : undefined));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * 1024 * 1024);
  expect((await said("the flood is over")).endsWith("the flood is over\n")).toBe(true);
  expect(await accepts(port)).toBe(true);
});

const OWNER_MODULE = pathToFileURL(join(import.meta.dirname, "../../dist/fleet/process-owner.js")).href;
const CLOCK_MODULE = pathToFileURL(join(import.meta.dirname, "../../dist/core/clock.js")).href;

test("a server outlives the kill -9 of who started it, writes on, and is adopted and stopped by the next", async () => {
  const folder = temporaryDirectory();
  const port = await freePort();
  const log = join(folder, "server.log");
  const serverId = `test-${process.pid}-orphan`;
  writeFileSync(
    join(folder, "starter.mjs"),
    `import { openSync } from "node:fs";
    import { createProcessOwner } from ${JSON.stringify(OWNER_MODULE)};
    import { realClock } from ${JSON.stringify(CLOCK_MODULE)};
    const owner = createProcessOwner({ clock: realClock, environment: process.env });
    const { identity } = await owner.start({
      launch: ${JSON.stringify(fakeLlmLaunch(port))}, serverId: ${JSON.stringify(serverId)},
      cwd: ${JSON.stringify(folder)}, outputDescriptor: openSync(${JSON.stringify(log)}, "a"),
    });
    process.stdout.write(JSON.stringify(identity));
    setInterval(() => undefined, 1000);`,
  );
  const starter = spawn(process.execPath, [join(folder, "starter.mjs")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const noted = await new Promise<string>((resolve) =>
    starter.stdout.once("data", (bytes) => resolve(`${bytes}`)),
  );
  const dead = new Promise((resolve) => starter.once("exit", resolve));
  starter.kill("SIGKILL");
  await dead;

  const owner = createProcessOwner({ clock: realClock, environment: process.env });
  const identity = JSON.parse(noted) as ReturnType<typeof identityOf>;
  expect(owner.findByServerId(serverId)).toEqual([identity]);
  const adopted = owner.adopt(identity, serverId);
  expect(adopted).toBeDefined();
  while (!(await accepts(port))) await realClock.sleepUntil(realClock.nowNs() + 5e6);
  expect(await owner.stop(adopted as ServerProcess, 5_000)).toEqual({ kind: "gone", forced: false });
  expect(readFileSync(log, "utf8")).toContain("cleaning up before exit");
  expect(await adopted?.exited).toEqual({});
});
