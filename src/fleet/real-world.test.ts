import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, type Server, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { fakeLlmPreset } from "../../test/fakes/fake-llm.ts";
import { temporaryDirectory } from "../../test/fakes/temporary-directory.ts";
import { realClock } from "../core/clock.ts";
import { plainEnvironment } from "../core/process.ts";
import { randomStream } from "../core/random.ts";
import { queryGpus } from "../hardware/gpu-query.ts";
import type { LaunchDescription } from "../preset/launch.ts";
import { type Preset, presetSchema } from "../preset/preset.ts";
import type { MemoryReading } from "./memory.ts";
import { type RealWorld, createRealWorld } from "./real-world.ts";
import type { Health, ServerClient, ServerProcess } from "./world.ts";

const NO_MEMORY: MemoryReading = { kind: "host", totalBytes: 1, freeBytes: 1, hostAvailableBytes: 1 };

function realWorld(): { readonly world: RealWorld; readonly asked: (readonly number[])[] } {
  const asked: (readonly number[])[] = [];
  const world = createRealWorld({
    clock: realClock,
    random: randomStream(1, "real-world"),
    stateDirectory: temporaryDirectory(),
    environment: process.env,
    memory: async (pids) => {
      asked.push(pids);
      return NO_MEMORY;
    },
    preflight: async () => [],
  });
  onTestFinished(() => world.close());
  return { world, asked };
}

interface Running {
  readonly world: RealWorld;
  readonly preset: Preset;
  readonly server: ServerProcess;
  readonly client: ServerClient;
  readonly launch: LaunchDescription & { kind: "process" };
  readonly asked: (readonly number[])[];
}

async function run(flags: readonly string[] = []): Promise<Running> {
  const { world, asked } = realWorld();
  const preset = fakeLlmPreset("coder", flags);
  const launch = world.describe(preset, await world.reservePort(preset)) as Running["launch"];
  const server = await world.start(launch, preset, `world-${process.pid}-${launch.url.split(":").at(-1)}`);
  const client = world.connect(preset, launch);
  onTestFinished(async () => {
    await world.stop(server, 0);
    await client.close();
  });
  return { world, preset, server, client, launch, asked };
}

/** Every health that was answered until this one. */
async function healthUntil(client: ServerClient, kind: Health["kind"]): Promise<ReadonlySet<Health["kind"]>> {
  const kinds = new Set<Health["kind"]>();
  while (!kinds.has(kind)) {
    kinds.add((await client.health()).kind);
    await realClock.sleepUntil(realClock.nowNs() + 5e6);
  }
  return kinds;
}

test("a slow server is loading before it is healthy, gives a token, and leaves nothing behind", async () => {
  const { world, server, client, asked } = await run(["--fake-start-ms", "300", "--parallel", "2"]);
  expect(await healthUntil(client, "healthy")).toContain("loading");
  expect(await client.canary()).toMatchObject({ kind: "token" });
  expect(await client.activity()).toMatchObject({ slots: 2, generatedTokens: 1 });
  await world.memory();
  expect(await world.stop(server, 5_000)).toEqual({ kind: "gone", forced: false });
  await server.exited;
  await world.memory();
  expect(asked).toEqual([[server.identity.pid], []]);
  expect(world.findByServerId(server.serverId)).toEqual([]);
  expect(world.logTail("coder", 1)).toEqual(["cleaning up before exit..."]);
});

test("a request that takes its time keeps its slot busy until it is done", async () => {
  const { client, launch } = await run(["--fake-slow-drain-ms", "400"]);
  await healthUntil(client, "healthy");
  const body = JSON.stringify({ messages: [], max_tokens: 4 });
  const answer = fetch(`${launch.url}/v1/chat/completions`, { method: "POST", body });
  while ((await client.activity()).busySlots !== 1) await realClock.sleepUntil(realClock.nowNs() + 5e6);
  expect((await answer).status).toBe(200);
  while ((await client.activity()).busySlots !== 0) await realClock.sleepUntil(realClock.nowNs() + 5e6);
  expect(await client.activity()).toMatchObject({ generatedTokens: 4 });
});

test("a server that stalls is healthy all the while, and its token does not come", async () => {
  const { client } = await run(["--fake-stall"]);
  await healthUntil(client, "healthy");
  const canary = client.canary();
  while ((await client.activity()).busySlots !== 1) await realClock.sleepUntil(realClock.nowNs() + 5e6);
  expect(await client.health()).toEqual({ kind: "healthy" });
  await client.close();
  expect(await canary).toMatchObject({ kind: "silent" });
});

test("a server that never becomes healthy says loading for as long as it is asked", async () => {
  const { client } = await run(["--fake-never-healthy"]);
  await healthUntil(client, "loading");
  for (let round = 0; round < 5; round++) expect(await client.health()).toEqual({ kind: "loading" });
});

for (const [kind, words] of [
  ["cuda-oom", "cudaMalloc failed: out of memory"],
  ["host-oom", "std::bad_alloc"],
  ["model-not-found", "failed to open GGUF file"],
  ["unknown-flag", "error: invalid argument"],
  ["driver-mismatch", "CUDA driver version is insufficient"],
] as const)
  test(`a server that crashes at its start (${kind}) leaves its words, without those of an earlier start`, async () => {
    const first = await run(["--fake-crash", kind, "--fake-exit-code", "3"]);
    expect(await first.server.exited).toEqual({ code: 3 });
    expect(first.world.logTail("coder", 20).join("\n")).toContain(words);
    expect(await first.client.health()).toMatchObject({ kind: "down" });
    const again = first.world.describe(fakeLlmPreset("coder", ["--fake-crash", "silent"]), 1);
    const second = await first.world.start(
      again as Running["launch"],
      first.preset,
      `world-${process.pid}-again`,
    );
    await second.exited;
    expect(first.world.logTail("coder", 20)).toEqual([]);
  });

test("a server that crashes later is seen to end, with its words last", async () => {
  const { world, server, client } = await run(["--fake-crash-after-ms", "200", "--fake-crash", "cuda-oom"]);
  await healthUntil(client, "healthy");
  expect(await server.exited).toEqual({ code: 1 });
  expect(world.logTail("coder", 1)).toEqual(["srv    load_model: failed to load model"]);
});

function listen(host: string): Promise<{ readonly port: number; readonly server: Server }> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, host, () =>
      resolve({ port: (server.address() as AddressInfo).port, server }),
    );
    onTestFinished(() => void server.close());
  });
}

test("a fixed port that somebody has, on this address or on all, is refused with who has it", async () => {
  const { world } = realWorld();
  for (const host of ["127.0.0.1", "0.0.0.0"]) {
    const { port } = await listen(host);
    await expect(world.reservePort(fakeLlmPreset("coder", [], { port }))).rejects.toMatchObject({
      code: "PORT_IN_USE",
      received: port,
      message: expect.stringContaining(`(${process.pid})`) as string,
    });
  }
});

test("a fixed port that is free is given as it is, and one of a server that somebody keeps is not looked at", async () => {
  const { world } = realWorld();
  const { port, server } = await listen("127.0.0.1");
  const ollama = presetSchema.parse({ name: "chat", engine: "ollama", model: "gemma3", port });
  expect(await world.reservePort(ollama)).toBe(port);
  await new Promise((resolve) => server.close(resolve));
  expect(await world.reservePort(fakeLlmPreset("coder", [], { port }))).toBe(port);
});

test("free ports are never promised twice", async () => {
  const { world } = realWorld();
  const preset = fakeLlmPreset("coder");
  const ports = await Promise.all(Array.from({ length: 200 }, () => world.reservePort(preset)));
  expect(new Set(ports).size).toBe(200);
});

test("an address that is not this machine's is the preset's mistake", async () => {
  const { world } = realWorld();
  const elsewhere = fakeLlmPreset("coder", [], { host: "192.0.2.1" });
  await expect(world.reservePort(elsewhere)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    received: "192.0.2.1",
  });
});

test("a state directory that cannot hold logs is an operator error", () => {
  const file = join(temporaryDirectory(), "file");
  writeFileSync(file, "");
  const options = {
    clock: realClock,
    random: randomStream(1, "real-world"),
    stateDirectory: file,
    environment: {},
    memory: async () => NO_MEMORY,
    preflight: async () => [],
  };
  expect(() => createRealWorld(options)).toThrow(
    expect.objectContaining({ code: "DIRECTORY_UNWRITABLE" }) as Error,
  );
});

test("what the scripted servers claim is what the scripted driver reports, freed late, and never above the card", async () => {
  const folder = temporaryDirectory();
  const claims = [
    "--fake-claims",
    folder,
    "--fake-claim-total-mib",
    "4096",
    "--fake-claim-release-ms",
    "60000",
  ];
  const driver = fileURLToPath(new URL("../../test/fakes/nvidia-smi.mjs", import.meta.url));
  const freeMib = async (releaseMs: number): Promise<number> => {
    const env = plainEnvironment({
      FAKE_NVIDIA_SMI: "ledger",
      FAKE_CLAIMS: folder,
      FAKE_TOTAL_MIB: "4096",
      FAKE_RELEASE_MS: `${releaseMs}`,
    });
    const answer = await queryGpus({ command: driver, env, clock: realClock });
    const bytes = answer.kind === "found" ? answer.gpus[0]?.memoryFreeBytes : undefined;
    return (bytes ?? Number.NaN) / (1024 * 1024);
  };
  const first = await run([...claims, "--fake-claim-mib", "3000"]);
  await healthUntil(first.client, "healthy");
  expect(await freeMib(60_000)).toBe(1096);
  await first.world.stop(first.server, 5_000);
  expect(await freeMib(60_000)).toBe(1096);
  const second = await run([...claims, "--fake-claim-mib", "1097"]);
  expect(await second.server.exited).toEqual({ code: 1 });
  expect(second.world.logTail("coder", 20).join("\n")).toContain("out of memory");
  expect(readFileSync(join(folder, "over-budget.log"), "utf8")).toMatch(/^\d+: 4097 of 4096 MiB\n$/);
  expect(await freeMib(0)).toBe(4096);
});
