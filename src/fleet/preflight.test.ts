import { describe, expect, test } from "vitest";
import { gpuReading, llamaPreset, presetOf, vllmPreset } from "../../test/fakes/fleet-presets.ts";
import type { Check } from "./check.ts";
import { declaredNeed } from "./memory-need.ts";
import type { PreflightQuestion } from "./preflight.ts";
import { mayGoOn, preflight } from "./preflight.ts";
import type { FileLook, PortLook, PreflightProbes } from "./preflight/probes.ts";
import { STUDY_003_PROFILE, derivedProfile } from "./safety-profile.ts";

const MIB = 1_048_576;
const GIB = 1024 * MIB;

const gguf = (bytes: number): FileLook => ({ kind: "file", bytes, head: "GGUF\u0003" });

interface PaperMachine {
  readonly files?: Readonly<Record<string, FileLook>>;
  readonly programs?: readonly string[];
  readonly ports?: Readonly<Record<number, PortLook>>;
  readonly diskBytes?: number;
}

function probes({
  files = {},
  programs = ["llama-server", "vllm"],
  ports = {},
  diskBytes = 10 * GIB,
}: PaperMachine): PreflightProbes {
  return {
    file: (path) => files[path] ?? { kind: "absent" },
    program: (name) =>
      programs.includes(name) ? { kind: "found", path: `/bin/${name}` } : { kind: "absent" },
    port: (_host, port) => Promise.resolve(ports[port] ?? { kind: "free" }),
    freeDiskBytes: () => diskBytes,
  };
}

const chat = llamaPreset("chat", { memory: { vramMib: 14_000 } });
const files = { "/models/chat.gguf": gguf(12 * GIB), "/models/small.gguf": gguf(GIB) };

async function checksOf(
  question: Partial<PreflightQuestion>,
  machine: PaperMachine = {},
): Promise<readonly Check[]> {
  const reading = question.reading ?? gpuReading(23);
  const whole: PreflightQuestion = {
    incoming: [chat],
    outgoing: [],
    reading,
    profile: derivedProfile({ hostTotalBytes: 32 * GIB, pool: reading }),
    needOf: (preset) => declaredNeed(preset, reading),
    stateDirectory: "/state",
    ...question,
  };
  return preflight(whole, probes({ files, ...machine }));
}

const find = (checks: readonly Check[], id: string): Check | undefined =>
  checks.find((check) => check.id === id);

test("a preset that has all it needs passes every check", async () => {
  const checks = await checksOf({});
  expect(checks.filter((check) => !check.passed)).toEqual([]);
  expect(mayGoOn(checks)).toBe(true);
  expect(checks.map(({ id }) => id)).toEqual([
    "model-file",
    "program",
    "vram",
    "foreign-gpu-users",
    "host-memory",
    "disk",
  ]);
});

describe("files", () => {
  test.each<[what: string, look: FileLook | undefined, words: string]>([
    ["absent", undefined, "does not exist"],
    ["a folder", { kind: "folder" }, "is a folder"],
    ["closed", { kind: "closed", reason: "EACCES" }, "cannot be read: EACCES"],
    ["empty", { kind: "file", bytes: 0, head: "" }, "is empty"],
    [
      "a saved web page",
      { kind: "file", bytes: 900, head: "<!DOCTYPE html>" },
      'begins with "<!DOCTYPE html>"',
    ],
  ])("a model that is %s refuses", async (_, look, words) => {
    const checks = await checksOf({}, { files: look === undefined ? {} : { "/models/chat.gguf": look } });
    expect(mayGoOn(checks)).toBe(false);
    const check = find(checks, "model-file");
    expect(check).toMatchObject({
      preset: "chat",
      passed: false,
      severity: "error",
      remedy: expect.any(String),
    });
    expect(check?.message).toContain(words);
  });

  test("the vision encoder and the draft model are looked at too", async () => {
    const preset = llamaPreset("chat", {
      mmproj: "/m/eye.gguf",
      draftModel: "/m/draft.gguf",
      memory: { vramMib: 1 },
    });
    const checks = await checksOf({ incoming: [preset] }, { files: { ...files, "/m/eye.gguf": gguf(1) } });
    expect(find(checks, "mmproj-file")?.passed).toBe(true);
    expect(find(checks, "draft-file")).toMatchObject({
      passed: false,
      message: "/m/draft.gguf does not exist",
    });
  });

  test("all parts of a split model must be there, and the first is the one to name", async () => {
    const part = (number: number): string => `/m/big-0000${number}-of-00003.gguf`;
    const split = (path: string) => llamaPreset("chat", { model: path, memory: { vramMib: 1 } });
    const two = { [part(1)]: gguf(GIB), [part(2)]: gguf(GIB) };
    const lacking = await checksOf({ incoming: [split(part(1))] }, { files: two });
    expect(find(lacking, "model-file")?.message).toBe(`${part(3)} does not exist`);
    const whole = { ...two, [part(3)]: gguf(GIB) };
    const complete = await checksOf({ incoming: [split(part(1))] }, { files: whole });
    expect(find(complete, "model-file")).toMatchObject({
      passed: true,
      message: `${part(1)}: 3072 MiB in 3 parts`,
    });
    const second = await checksOf({ incoming: [split(part(2))] }, { files: whole });
    expect(find(second, "model-file")).toMatchObject({ passed: false, remedy: `name ${part(1)}` });
  });

  test("a vLLM model that is a path has to be a model's folder, and a name is vLLM's to find", async () => {
    const here = vllmPreset("here", { model: "/m/here", memory: { vramMib: 22_200 } });
    expect(find(await checksOf({ incoming: [here] }), "model-file")?.message).toContain(
      "/m/here/config.json",
    );
    const named = vllmPreset("named", { memory: { vramMib: 22_200 } });
    expect(find(await checksOf({ incoming: [named] }), "model-file")).toBeUndefined();
  });
});

describe("programs and ports", () => {
  test.each<[host: string, warns: boolean]>([
    ["127.0.0.1", false],
    ["::1", false],
    ["0.0.0.0", true],
    ["192.168.0.9", true],
  ])("a server on %s that others reach is a warning: %s", async (host, warns) => {
    const checks = await checksOf({ incoming: [llamaPreset("chat", { host, memory: { vramMib: 14_000 } })] });
    expect(find(checks, "open-host")?.severity).toBe(warns ? "warning" : undefined);
    expect(mayGoOn(checks)).toBe(true);
  });

  test("a program that is not there refuses", async () => {
    const checks = await checksOf({}, { programs: [] });
    expect(find(checks, "program")).toMatchObject({
      severity: "error",
      message: "llama-server is not on the PATH",
    });
  });

  const fixed = llamaPreset("chat", { port: 8080, memory: { vramMib: 14_000 } });
  const taken = { 8080: { kind: "taken", pid: 77, name: "nginx" } } as const;

  test("a taken port refuses and names who has it", async () => {
    const checks = await checksOf({ incoming: [fixed] }, { ports: taken });
    expect(find(checks, "port")).toMatchObject({
      passed: false,
      message: "port 8080 is taken by nginx (pid 77)",
    });
  });

  test("a port of a server that is about to stop is free, that of a stranger with the same preset's number is not", async () => {
    const outgoing = (pid: number) => [{ preset: llamaPreset("old", { port: 8080 }), pids: new Set([pid]) }];
    const ours = await checksOf({ incoming: [fixed], outgoing: outgoing(77) }, { ports: taken });
    expect(find(ours, "port")?.passed).toBe(true);
    const strangers = await checksOf({ incoming: [fixed], outgoing: outgoing(78) }, { ports: taken });
    expect(find(strangers, "port")?.passed).toBe(false);
  });

  test("two presets that want one port are both refused", async () => {
    const other = llamaPreset("small", { port: 8080, memory: { vramMib: 1_000 } });
    const checks = await checksOf({ incoming: [fixed, other] });
    expect(checks.filter(({ id }) => id === "port").map(({ message }) => message)).toEqual([
      "port 8080 is wanted by small too",
      "port 8080 is wanted by chat too",
    ]);
  });

  test("a model in an Ollama that somebody else keeps needs that server, at Ollama's own port", async () => {
    const preset = presetOf({ name: "tag", engine: "ollama", model: "qwen3:8b", memory: { vramMib: 6_000 } });
    expect(find(await checksOf({ incoming: [preset] }), "server")).toMatchObject({
      passed: false,
      message: "nothing listens at port 11434, where ollama should be running",
    });
    const there = await checksOf({ incoming: [preset] }, { ports: { 11434: { kind: "taken" } } });
    expect(find(there, "server")?.passed).toBe(true);
    expect(find(there, "port")).toBeUndefined();
  });
});

describe("GPU memory", () => {
  const small = llamaPreset("small", { memory: { vramMib: 4_000 } });

  test("the sum of all incoming presets counts, and a margin of 512 MiB", async () => {
    // 14,000 + 4,000 + 512 MiB.
    const needed = 18_512 * MIB;
    const at = async (freeBytes: number) =>
      find(await checksOf({ incoming: [chat, small], reading: gpuReading(0, { freeBytes }) }), "vram");
    expect((await at(needed))?.passed).toBe(true);
    const short = await at(needed - MIB);
    expect(short).toMatchObject({ passed: false, severity: "error" });
    expect(short?.message).toBe(
      "chat 13.7 GiB, small 4000 MiB and a margin of 512 MiB make 18.1 GiB; 18.1 GiB are free: 1 MiB too little",
    );
  });

  test("what servers that stay have still to take is not free for others, and is named", async () => {
    // 14,000 + 987 + 512 MiB.
    const at = async (freeMib: number) => {
      const reading = gpuReading(0, { freeBytes: freeMib * MIB, promisedBytes: 987 * MIB });
      return find(await checksOf({ reading }), "vram");
    };
    expect((await at(15_499))?.passed).toBe(true);
    expect(await at(15_498)).toMatchObject({
      passed: false,
      message:
        "chat 13.7 GiB, 987 MiB that servers which stay have still to take, and a margin of 512 MiB " +
        "make 15.1 GiB; 15.1 GiB are free: 1 MiB too little",
    });
  });

  test("what the outgoing give back counts: as measured, else as declared", async () => {
    const reading = gpuReading(2);
    const outgoing = { preset: llamaPreset("old", { memory: { vramMib: 13_000 } }) };
    expect(find(await checksOf({ reading, outgoing: [outgoing] }), "vram")?.passed).toBe(true);
    const measured = [{ ...outgoing, heldBytes: 10_000 * MIB }];
    expect(find(await checksOf({ reading, outgoing: measured }), "vram")?.passed).toBe(false);
  });

  test("a need that nobody knows is a warning that names the field to declare", async () => {
    const unknown = llamaPreset("small");
    const checks = await checksOf({ incoming: [unknown] });
    expect(find(checks, "memory-unknown")).toMatchObject({
      preset: "small",
      severity: "warning",
      remedy: expect.stringContaining("memory.vramMib"),
    });
    expect(mayGoOn(checks)).toBe(true);
  });

  test("foreign users are named, and the largest is in the remedy", async () => {
    const reading = gpuReading(5, {
      foreignBytes: 18 * GIB,
      foreignUsers: [
        { pid: 7, name: "Xorg", bytes: 300 * MIB },
        { pid: 9, name: "python", bytes: 17 * GIB },
      ],
    });
    const checks = await checksOf({ reading });
    expect(find(checks, "foreign-gpu-users")?.message).toContain("python (pid 9, 17.0 GiB)");
    expect(find(checks, "vram")?.remedy).toContain("end python (pid 9, 17.0 GiB)");
  });

  test("vLLM's share counts where nothing is declared, and a declaration below it is a warning", async () => {
    // 0.9 of 24 GiB and 512 MiB are 22.1 GiB.
    const undeclared = vllmPreset("embedder");
    expect(find(await checksOf({ incoming: [undeclared], reading: gpuReading(22) }), "vram")?.passed).toBe(
      false,
    );
    expect(find(await checksOf({ incoming: [undeclared], reading: gpuReading(22.2) }), "vram")?.passed).toBe(
      true,
    );
    const declared = vllmPreset("embedder", { memory: { vramMib: 2_500 } });
    expect(find(await checksOf({ incoming: [declared] }), "vllm-share")).toMatchObject({
      severity: "warning",
      // 2,500 of 24,576 MiB.
      remedy: expect.stringContaining("gpuMemoryFraction to 0.10"),
    });
  });

  test("several cards are listed each for itself", async () => {
    const cards = [0, 1].map((index) => ({ index, totalBytes: 24 * GIB, freeBytes: (index + 1) * 11 * GIB }));
    const checks = await checksOf({ reading: gpuReading(33, { totalBytes: 48 * GIB, cards }) });
    expect(find(checks, "several-gpus")?.message).toContain("GPU 0: 11.0 GiB free, GPU 1: 22.0 GiB free");
  });

  test("a driver that does not answer refuses what needs a GPU", async () => {
    const gpuTrouble = { reason: "mismatch", nextStep: "reboot" };
    const reading = {
      kind: "host",
      totalBytes: 32 * GIB,
      freeBytes: 30 * GIB,
      hostAvailableBytes: 30 * GIB,
      gpuTrouble,
    } as const;
    expect(find(await checksOf({ reading }), "gpu-driver")).toMatchObject({
      severity: "error",
      remedy: "reboot",
    });
  });
});

describe("host memory and disk", () => {
  test("0.9 of all model files and 1 GiB must be available", async () => {
    const small = llamaPreset("small", { memory: { vramMib: 1_000 } });
    // 0.9 × (12 + 1) + 1 = 12.7 GiB.
    const at = async (hostGib: number) =>
      find(
        await checksOf({
          incoming: [chat, small],
          reading: gpuReading(23, { hostAvailableBytes: hostGib * GIB }),
        }),
        "host-memory",
      );
    expect((await at(12.71))?.passed).toBe(true);
    expect(await at(12.69)).toMatchObject({ passed: false, severity: "error" });
  });

  test("study 003's profile refuses under 13 GiB, whatever the model", async () => {
    const small = llamaPreset("small", { memory: { vramMib: 1_000 } });
    const at = async (hostGib: number) =>
      find(
        await checksOf({
          incoming: [small],
          profile: STUDY_003_PROFILE,
          reading: gpuReading(23, { hostAvailableBytes: hostGib * GIB }),
        }),
        "host-memory",
      );
    expect((await at(13))?.passed).toBe(true);
    expect((await at(12.9))?.passed).toBe(false);
  });

  test("without a GPU a budget of host memory is the pool", async () => {
    const reading = {
      kind: "host",
      totalBytes: 24 * GIB,
      freeBytes: 500 * MIB,
      hostAvailableBytes: 20 * GIB,
      budgetBytes: 800 * MIB,
    } as const;
    // 800 MiB give a margin of 100.
    const of = async (hostMib: number) =>
      find(await checksOf({ incoming: [llamaPreset("small", { memory: { hostMib } })], reading }), "memory");
    expect((await of(400))?.passed).toBe(true);
    expect(await of(401)).toMatchObject({
      passed: false,
      remedy: expect.stringContaining("raise the budget"),
    });
  });

  test.each<[mib: number, passes: boolean, severity: string]>([
    [600, true, "info"],
    [100, false, "warning"],
    [63, false, "error"],
  ])("%d MiB of free disk: passed %s, %s", async (mib, passes, severity) => {
    const checks = await checksOf({}, { diskBytes: mib * MIB });
    expect(find(checks, "disk")).toMatchObject({ passed: passes, severity });
  });
});
