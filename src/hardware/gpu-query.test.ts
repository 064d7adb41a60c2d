import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { realClock } from "../core/clock.ts";
import { plainEnvironment } from "../core/process.ts";
import type { SmiOptions } from "./gpu-query.ts";
import { queryComputeApps, queryGpus } from "./gpu-query.ts";
import { readKernelFile } from "./text-reader.ts";

const command = fileURLToPath(new URL("../../test/fakes/nvidia-smi.mjs", import.meta.url));
const smi = (mode: string): SmiOptions => ({
  clock: realClock,
  command,
  env: plainEnvironment({ FAKE_NVIDIA_SMI: mode }),
});

describe("asking nvidia-smi once", () => {
  test("every card is found", async () => {
    const query = await queryGpus(smi("two-cards"));
    expect(query).toMatchObject({
      kind: "found",
      gpus: [
        { index: 0, name: "NVIDIA GeForce RTX 4090", memoryTotalBytes: 25_757_220_864 },
        { index: 1, memoryUsedBytes: 1_049_624_576 },
      ],
    });
  });

  test("a machine without nvidia-smi is an ordinary answer", async () => {
    expect(await queryGpus({ ...smi("two-cards"), command: "/nowhere/nvidia-smi" })).toMatchObject({
      kind: "absent",
      reason: "nvidia-smi is not on the PATH",
    });
  });

  test("a driver that does not know a field is asked again without it", async () => {
    const query = await queryGpus(smi("older-driver"));
    expect(query).toMatchObject({ kind: "found", gpus: [{ index: 0, powerLimitW: 450 }, { index: 1 }] });
    expect(JSON.stringify(query)).not.toContain("computeCapability");
  });

  test("a driver mismatch is a failure with its remedy", async () => {
    expect(await queryGpus(smi("mismatch"))).toEqual({
      kind: "failed",
      reason: "the NVIDIA driver on disk is newer than the one in the kernel",
      nextStep: "reboot, or unload and load the nvidia kernel modules",
    });
  });

  test("a card full of N/A is found with its name alone", async () => {
    expect(await queryGpus(smi("unknowns"))).toEqual({
      kind: "found",
      gpus: [{ index: 0, name: "NVIDIA GeForce GTX 780" }],
    });
  });

  test("a lost card beside a good one leaves the good one", async () => {
    expect(await queryGpus(smi("lost-card"))).toMatchObject({ kind: "found", gpus: [{ index: 0 }] });
  });

  test("a program that hangs is given up after the limit", async () => {
    expect(await queryGpus({ ...smi("hang"), answerLimitMs: 200 })).toMatchObject({
      kind: "failed",
      reason: "nvidia-smi did not answer within 0.2 s",
    });
  });

  test("a file that may not be executed is a failure, not an absent program", async () => {
    const fixture = fileURLToPath(new URL("../../test/fixtures/nvidia-smi/no-devices.txt", import.meta.url));
    expect(await queryGpus({ ...smi("one-card"), command: fixture })).toMatchObject({ kind: "failed" });
  });

  test("processes on the GPU are listed, and unknown where the driver fails", async () => {
    expect(await queryComputeApps(smi("one-card"))).toEqual([
      { pid: 4242, name: "/usr/local/bin/ollama", vramBytes: 6_442_450_944 },
    ]);
    expect(await queryComputeApps(smi("mismatch"))).toBeUndefined();
  });

  test("a kernel file that does not exist reads as unknown", () => {
    expect(readKernelFile("/nowhere/at/all")).toBeUndefined();
  });
});
