import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { realClock } from "../../core/clock.ts";
import { plainEnvironment } from "../../core/process.ts";
import type { DoctorFacts, FoundServer } from "./gather.ts";
import { findOnPath, gatherFacts, inspectRunsPlace } from "./gather.ts";
import { diagnose } from "./judge.ts";
import { renderDiagnosis } from "./render.ts";

const GIB = 1_073_741_824;
const PLAIN = { color: false, columns: 100 };

const BARE: DoctorFacts = {
  slipwayVersion: "0.1.0",
  nodeVersion: "v20.20.2",
  platform: "linux",
  host: {
    hostname: "bare",
    os: "Debian GNU/Linux 12 (bookworm) (Linux 6.1.0)",
    cpuModel: "AMD EPYC",
    logicalCores: 2,
    memoryBytes: 24 * GIB,
    memoryAvailableBytes: 22 * GIB,
    gpus: [],
    gpuTrouble: {
      kind: "absent",
      reason: "nvidia-smi is not on the PATH",
      nextStep: "install the NVIDIA driver if this machine has an NVIDIA GPU; nothing to do otherwise",
    },
  },
  servers: [],
  runs: { path: "/home/ada/runs", freeBytes: 80 * GIB },
  tools: [
    { name: "nvidia-smi", use: "GPU figures" },
    { name: "ollama", use: "a server with many models" },
  ],
  certified: false,
};

const OLLAMA: FoundServer = {
  url: "http://127.0.0.1:11434",
  kind: "ollama",
  version: "0.12.3",
  models: ["gemma3:latest", "qwen3:4b"],
  settings: [
    {
      name: "local",
      url: "http://127.0.0.1:11434",
      engine: "ollama",
      model: "gemma3:latest",
      contextTokens: 4096,
      modelLayers: 34,
      simulated: false,
      settings: {},
    },
  ],
};

const WITH_GPU: DoctorFacts = {
  ...BARE,
  host: {
    hostname: "desk",
    os: "Ubuntu 24.04.1 LTS (Linux 6.8.0-45-generic)",
    cpuModel: "AMD Ryzen 9 7950X 16-Core Processor",
    logicalCores: 32,
    cpuGovernor: "powersave",
    memoryBytes: 62 * GIB,
    memoryLimitBytes: 32 * GIB,
    memoryAvailableBytes: 30 * GIB,
    gpus: [
      {
        index: 0,
        name: "NVIDIA GeForce RTX 4090",
        driverVersion: "550.127.05",
        memoryTotalBytes: 24 * GIB,
        memoryFreeBytes: 6 * GIB,
        computeCapability: "8.9",
        powerLimitW: 450,
      },
    ],
  },
  servers: [OLLAMA],
  tools: [
    { name: "nvidia-smi", use: "GPU figures", path: "/usr/bin/nvidia-smi" },
    { name: "ollama", use: "a server with many models", path: "/usr/local/bin/ollama" },
    { name: "ncu", use: "counters of single GPU kernels" },
  ],
  certified: true,
};

const finding = (facts: DoctorFacts, what: string) =>
  diagnose(facts).findings.find((each) => each.what === what);

describe("the whole answer", () => {
  test("on a bare machine", async () => {
    const text = renderDiagnosis(BARE, diagnose(BARE), PLAIN);
    await expect(text).toMatchFileSnapshot("../../../test/fixtures/doctor/bare-machine.txt");
  });

  test("on a machine with a GPU and Ollama", async () => {
    const text = renderDiagnosis(WITH_GPU, diagnose(WITH_GPU), PLAIN);
    await expect(text).toMatchFileSnapshot("../../../test/fixtures/doctor/gpu-and-ollama.txt");
  });

  test("colour touches the marks alone", () => {
    const colored = renderDiagnosis(WITH_GPU, diagnose(WITH_GPU), { ...PLAIN, color: true });
    expect(colored).toContain("\u001B[32m✓\u001B[39m");
    const bare = [31, 32, 33, 39].reduce((text, code) => text.replaceAll(`\u001B[${code}m`, ""), colored);
    expect(bare).toBe(renderDiagnosis(WITH_GPU, diagnose(WITH_GPU), PLAIN));
  });
});

describe("what works", () => {
  test("a bare machine can benchmark the simulated engine, and so something works", () => {
    const diagnosis = diagnose(BARE);
    expect(diagnosis.can).toEqual([
      "benchmark the simulated engine",
      "record memory, CPU and processes",
      "keep runs on disk",
    ]);
    expect(diagnosis.anythingWorks).toBe(true);
  });

  test("everything that does not work has a next step", () => {
    for (const facts of [BARE, WITH_GPU])
      for (const each of diagnose(facts).findings)
        if (each.state !== "works") expect(each.nextStep).not.toBe("");
  });

  test("nothing can be benchmarked where no run can be kept, even with a server there", () => {
    const diagnosis = diagnose({
      ...WITH_GPU,
      runs: { path: "/r", problem: "/r cannot be written (EROFS)" },
    });
    expect(diagnosis.anythingWorks).toBe(false);
    expect(diagnosis.cannot).toContain("benchmark real servers");
  });

  test("a full disk is as bad as none, a small one only limits", () => {
    const withFree = (freeBytes: number) =>
      finding({ ...BARE, runs: { path: "/r", freeBytes } }, "keep runs on disk")?.state;
    expect([withFree(1_000_000), withFree(GIB / 2), withFree(2 * GIB)]).toEqual([
      "missing",
      "limited",
      "works",
    ]);
  });

  test("a Node that is too old is named, and the oldest that will do is not", () => {
    expect(finding({ ...BARE, nodeVersion: "v18.20.4" }, "run on this Node")?.why).toBe(
      "Node v18.20.4 is older than 20.19",
    );
    expect(diagnose({ ...BARE, nodeVersion: "v20.19.0" }).anythingWorks).toBe(true);
    expect(diagnose({ ...BARE, nodeVersion: "v20.18.9" }).anythingWorks).toBe(false);
    expect(finding({ ...BARE, nodeVersion: "v22.1.0" }, "run on this Node")).toBeUndefined();
  });

  test("a server without a model is not one to benchmark", () => {
    const empty = { ...OLLAMA, models: [], settings: [] };
    expect(finding({ ...BARE, servers: [empty] }, "benchmark real servers")).toMatchObject({
      state: "missing",
      nextStep: "give it a model, for example: ollama pull gemma3",
    });
    const loading = { ...empty, kind: "llama-server" as const, problem: "the server is loading" };
    expect(finding({ ...BARE, servers: [loading] }, "benchmark real servers")?.why).toContain(
      "answers: the server is loading",
    );
  });

  test("the simulated engine is no real server", () => {
    const simulated = { ...OLLAMA, kind: "simulated" as const };
    expect(finding({ ...BARE, servers: [simulated] }, "benchmark real servers")?.state).toBe("missing");
  });

  test("slots are told apart: several, one, and not told", () => {
    const withSlots = (...slots: (number | undefined)[]) => {
      const settings = slots.map((each) => ({
        ...OLLAMA.settings[0]!,
        ...(each === undefined ? {} : { slots: each }),
      }));
      return finding({ ...BARE, servers: [{ ...OLLAMA, settings }] }, "serve several agents in one batch")
        ?.state;
    };
    expect([withSlots(1, 4), withSlots(1), withSlots(undefined)]).toEqual(["works", "missing", "limited"]);
  });

  test("two servers allow the scenarios with two instances", () => {
    const second = { ...OLLAMA, url: "http://127.0.0.1:11435" };
    expect(finding({ ...BARE, servers: [OLLAMA, second] }, "run two instances side by side")?.state).toBe(
      "works",
    );
    const llama = { ...OLLAMA, kind: "llama-server" as const };
    expect(finding({ ...BARE, servers: [llama] }, "run two instances side by side")).toMatchObject({
      nextStep: expect.stringContaining("llama-server -m <model> --port 8081"),
    });
  });

  test("sliced cards and boards without memory of their own are limited, and say how", () => {
    const gpu = WITH_GPU.host.gpus[0]!;
    const withGpu = (gpus: DoctorFacts["host"]["gpus"]) =>
      finding({ ...BARE, host: { ...BARE.host, gpus } }, "record GPU figures");
    expect(withGpu([{ ...gpu, mig: "enabled" }])?.why).toContain("in MIG slices");
    expect(withGpu([{ index: 0, name: "NVIDIA GB10" }])?.why).toContain("shares the host's memory");
    expect(withGpu([gpu])?.state).toBe("works");
  });

  test("outside Linux the figures of single processes are missing, not the host's memory", () => {
    expect(finding({ ...BARE, platform: "darwin" }, "record host memory")?.state).toBe("limited");
  });
});

describe("looking at a machine", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "slipway-doctor-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test("a server on the loopback address is found with its models and settings", async () => {
    const answers: Readonly<Record<string, unknown>> = {
      "/api/version": { version: "0.12.3" },
      "/api/tags": { models: [{ name: "tiny:latest", model: "tiny:latest" }] },
      "/api/ps": { models: [] },
      "/api/show": { model_info: { "general.architecture": "llama", "llama.block_count": 4 } },
    };
    const server = createServer((request, response) => {
      const answer = answers[request.url ?? ""];
      response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer ?? { error: "not found" }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const facts = await gatherFacts({
        clock: realClock,
        env: { PATH: folder },
        runsDir: join(folder, "runs"),
        certified: false,
        slipwayVersion: "0.1.0",
        ports: [port],
        smi: {
          command: fileURLToPath(new URL("../../../test/fakes/nvidia-smi.mjs", import.meta.url)),
          env: plainEnvironment({ FAKE_NVIDIA_SMI: "one-card" }),
        },
      });
      expect(facts.servers).toMatchObject([
        {
          url: `http://127.0.0.1:${port}`,
          kind: "ollama",
          version: "0.12.3",
          models: ["tiny:latest"],
          settings: [{ model: "tiny:latest", modelLayers: 4 }],
        },
      ]);
      expect(facts.host.gpus).toHaveLength(1);
      expect(diagnose(facts).can).toContain("benchmark real servers");
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test("a runs folder that is not there yet is judged by the one above it", () => {
    const place = inspectRunsPlace(join(folder, "a", "b"));
    expect(place.problem).toBeUndefined();
    expect(place.freeBytes).toBeGreaterThan(0);
  });

  test("a file in the place of the runs folder is a problem", () => {
    const file = join(folder, "runs");
    writeFileSync(file, "");
    expect(inspectRunsPlace(file).problem).toBe(`${file} is not a folder`);
  });

  test("a tool is found only if it can be executed", () => {
    const tool = join(folder, "nsys");
    writeFileSync(tool, "#!/bin/sh\n");
    chmodSync(tool, 0o644);
    expect(findOnPath("nsys", `/nowhere:${folder}`)).toBeUndefined();
    chmodSync(tool, 0o755);
    expect(findOnPath("nsys", `/nowhere::${folder}`)).toBe(tool);
  });
});
