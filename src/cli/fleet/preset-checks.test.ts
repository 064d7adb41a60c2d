import { describe, expect, test } from "vitest";
import type { MemorySources } from "../../fleet/memory-reader.ts";
import type { PreflightProbes } from "../../fleet/preflight/probes.ts";
import type { Preset } from "../../preset/preset.ts";
import { presetSchema } from "../../preset/preset.ts";
import { checkText } from "./preset-check-text.ts";
import { checkPresets } from "./preset-checks.ts";

const GIB = 1024 ** 3;

/** A machine of 16 GiB without GPUs, on paper. */
const MEMORY: MemorySources = {
  gpus: async () => ({ kind: "absent", reason: "no driver", nextStep: "none" }),
  computeApps: async () => undefined,
  host: () => ({ totalBytes: 16 * GIB, availableBytes: 8 * GIB, hostBytes: 16 * GIB }),
  treeOf: () => new Set(),
  treeMemory: () => undefined,
};

const PROBES: PreflightProbes = {
  file: (path) => (path === "/m.gguf" ? { kind: "file", bytes: 4 * GIB, head: "GGUF" } : { kind: "absent" }),
  program: (name) =>
    name === "llama-server" ? { kind: "found", path: "/bin/llama-server" } : { kind: "absent" },
  port: async (_host, port) => (port === 8081 ? { kind: "taken", pid: 7, name: "other" } : { kind: "free" }),
  freeDiskBytes: () => 10 * GIB,
};

const check = async (...presets: readonly object[]) =>
  checkPresets(
    presets.map((preset): Preset => presetSchema.parse(preset)),
    { memory: MEMORY, probes: PROBES, stateDirectory: "/state" },
  );

const LLAMA = { engine: "llama-server", model: "/m.gguf" };

describe("the checks of presets", () => {
  test("pass where everything is there and has room", async () => {
    const checks = await check({ ...LLAMA, name: "fine", memory: { hostMib: 5000 }, port: 8082 });
    expect(checkText(checks)).toMatchInlineSnapshot(`
      "✓ fine          model-file: /m.gguf: 4096 MiB
      ✓ fine          program: /bin/llama-server
      ✓ fine          port: port 8082 is free
      ✓ this machine  memory: fine 5000 MiB and a margin of 512 MiB make 5512 MiB; 8192 MiB are free
      ✓ this machine  host-memory: 8192 MiB of host memory are available, 4710 MiB are required (profile derived, model files 4096 MiB)
      ✓ this machine  disk: 10.0 GiB of disk are free under /state, for journal and logs
      "
    `);
    expect(checks.every(({ passed }) => passed)).toBe(true);
  });

  test("say what is missing and what to do about it, preset by preset, then of the machine", async () => {
    const checks = await check(
      { ...LLAMA, name: "lost", model: "/none.gguf", program: "/opt/none", memory: { hostMib: 9000 } },
      { ...LLAMA, name: "unsaid", port: 8081 },
    );
    expect(checkText(checks)).toMatchInlineSnapshot(`
      "✗ lost          model-file: /none.gguf does not exist
                      next: correct the path in the preset, or fetch the file
      ✗ lost          program: /opt/none does not exist
                      next: install it, or write its whole path into the preset
      ✓ unsaid        model-file: /m.gguf: 4096 MiB
      ✓ unsaid        program: /bin/llama-server
      ✗ unsaid        port: port 8081 is taken by other (pid 7)
                      next: write port: free, or end what listens there
      ✗ this machine  memory: lost 9000 MiB, unsaid – and a margin of 512 MiB make 9512 MiB; 8192 MiB are free: 1320 MiB too little
                      next: see the alternatives in the plan
      – unsaid        memory-unknown: how much memory it takes is not known, so it may not fit
                      next: declare memory.hostMib in the preset: what it holds at its fullest
      ✓ this machine  host-memory: 8192 MiB of host memory are available, 4710 MiB are required (profile derived, model files 4096 MiB)
      ✓ this machine  disk: 10.0 GiB of disk are free under /state, for journal and logs
      "
    `);
  });
});
