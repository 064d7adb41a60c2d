import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { realClock } from "../core/clock.ts";
import { plainEnvironment } from "../core/process.ts";
import type { GpuTrouble } from "./facts.ts";
import type { GpuStream } from "./gpu-stream.ts";
import { startGpuStream } from "./gpu-stream.ts";
import type { GpuRound } from "./gpu-rounds.ts";

const command = fileURLToPath(new URL("../../test/fakes/nvidia-smi.mjs", import.meta.url));

interface Watched {
  readonly stream: GpuStream;
  readonly rounds: readonly GpuRound[];
  readonly lost: Promise<GpuTrouble>;
  readonly roundsReach: (count: number) => Promise<void>;
}

function watch(mode: string, over: { command?: string; answerLimitMs?: number } = {}): Watched {
  const rounds: GpuRound[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  let lose: (trouble: GpuTrouble) => void = () => undefined;
  const lost = new Promise<GpuTrouble>((resolve) => {
    lose = resolve;
  });
  const stream = startGpuStream({
    clock: realClock,
    command,
    env: plainEnvironment({ FAKE_NVIDIA_SMI: mode }),
    intervalMs: 10,
    onRound: (round) => {
      rounds.push(round);
      for (const each of waiting) if (rounds.length >= each.count) each.resolve();
    },
    onLost: (trouble) => lose(trouble),
    ...over,
  });
  const roundsReach = (count: number): Promise<void> =>
    new Promise((resolve) => waiting.push({ count, resolve }));
  return { stream, rounds, lost, roundsReach };
}

/** Signal 0 only asks whether the process exists. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a streaming nvidia-smi", () => {
  test("each round holds both cards and stop leaves no child behind", async () => {
    const { stream, rounds, roundsReach } = watch("two-cards");
    await roundsReach(3);
    const pid = stream.pid;
    await stream.stop();
    expect(pid !== undefined && isAlive(pid)).toBe(false);
    expect(stream.pid).toBeUndefined();
    expect(rounds.every((round) => round.gpus.length === 2)).toBe(true);
    expect(rounds[0]?.gpus[1]).toMatchObject({ index: 1, throttleReasons: ["software-power-cap"] });
  });

  test("stop before the first row is as good as stop after it", async () => {
    const { stream, rounds } = watch("two-cards");
    await stream.stop();
    expect(stream.pid).toBeUndefined();
    expect(rounds).toEqual([]);
  });

  test("an older driver is asked again under the names it knows", async () => {
    const { stream, rounds, roundsReach } = watch("old-driver");
    await roundsReach(2);
    await stream.stop();
    expect(rounds[0]?.gpus[0]?.throttleReasons).toEqual(["software-power-cap"]);
  });

  test("a driver that knows neither name streams without the reasons", async () => {
    const { stream, rounds, roundsReach } = watch("older-driver");
    await roundsReach(2);
    await stream.stop();
    expect(rounds[0]?.gpus[0]).toMatchObject({ index: 0, powerW: 388.25 });
    expect(rounds[0]?.gpus[0]?.throttleReasons).toBeUndefined();
  });

  test("a child that dies midway says why, and what it had said is kept", async () => {
    const { rounds, lost } = watch("dies:3");
    expect(await lost).toMatchObject({ kind: "failed", reason: "a GPU has dropped off the bus" });
    expect(rounds).toHaveLength(3);
  });

  test("a child that hangs at its start is ended after the limit", async () => {
    const { stream, lost } = watch("hang", { answerLimitMs: 200 });
    expect(await lost).toMatchObject({ reason: "nvidia-smi did not answer within 0.2 s" });
    expect(stream.pid).toBeUndefined();
  });

  test("a child that falls silent midway is ended after the limit", async () => {
    const { rounds, lost } = watch("stalls:2", { answerLimitMs: 2_000 });
    expect(await lost).toMatchObject({ reason: "nvidia-smi did not answer within 2 s" });
    expect(rounds.length).toBe(2);
  });

  test("an absent program and a driver mismatch are told apart", async () => {
    expect(await watch("one-card", { command: "/nowhere/nvidia-smi" }).lost).toMatchObject({
      kind: "absent",
    });
    expect(await watch("mismatch").lost).toMatchObject({
      kind: "failed",
      reason: "the NVIDIA driver on disk is newer than the one in the kernel",
    });
  });
});
