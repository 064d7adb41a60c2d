import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { VirtualClock, realClock } from "../core/clock.ts";
import { OperatorError } from "../core/errors.ts";
import { plainEnvironment } from "../core/process.ts";
import { msToNs } from "../core/units.ts";
import type { TextReader } from "../hardware/text-reader.ts";
import type { EventRecord, TelemetrySample } from "../record/event-record.ts";
import { MemorySink } from "../record/record-sink.ts";
import { startTelemetry } from "./telemetry.ts";

const fake = fileURLToPath(new URL("../../test/fakes/nvidia-smi.mjs", import.meta.url));
const smi = (mode: string) => ({ command: fake, env: plainEnvironment({ FAKE_NVIDIA_SMI: mode }) });
const NO_SMI = { command: "/nowhere/nvidia-smi" };

/** A sink that can be waited on. */
class WatchedSink extends MemorySink {
  readonly #waiting: { readonly fits: () => boolean; readonly resolve: () => void }[] = [];

  override telemetry(sample: TelemetrySample): void {
    super.telemetry(sample);
    this.#look();
  }
  override event(event: EventRecord): void {
    super.event(event);
    this.#look();
  }
  until(fits: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ fits, resolve });
      this.#look();
    });
  }
  #look(): void {
    for (const each of this.#waiting) if (each.fits()) each.resolve();
  }
}

const gpuSamples = (sink: MemorySink): readonly TelemetrySample[] =>
  sink.samples.filter((sample) => sample.gpus !== undefined);
const hostSamples = (sink: MemorySink): readonly TelemetrySample[] =>
  sink.samples.filter((sample) => sample.gpus === undefined);

/** /proc of a little machine: a server with pid 900, this process, and a CPU that is half busy. */
function littleMachine(clock: VirtualClock, over: { serverStart?: () => number } = {}): TextReader {
  const stat = (pid: number, name: string, cpuTicks: number, start: number): string =>
    `${pid} (${name}) S 1 1 1 0 -1 0 0 0 0 0 ${cpuTicks} 0 0 0 20 0 1 0 ${start} 1 1 1`;
  return (path) => {
    const ticks = Math.round(clock.nowNs() / 1e7);
    switch (path) {
      case "/proc/meminfo":
        return "MemTotal:        1048576 kB\nMemAvailable:     524288 kB\n";
      case "/proc/stat":
        return `cpu  ${ticks} 0 0 ${ticks} 0 0 0 0 0 0\n`;
      case "/proc/loadavg":
        return "1.25 0.80 0.40 2/300 12345\n";
      case "/proc/900/comm":
        return "llama-server\n";
      case "/proc/901/comm":
        return "bash\n";
      case "/proc/900/stat":
        // A quarter of a core: 25 ticks of 10 ms in each second.
        return stat(900, "llama-server", Math.round(ticks / 4), over.serverStart?.() ?? 77);
      case "/proc/900/status":
        return "VmRSS:\t    4096 kB\n";
      default:
        return undefined;
    }
  };
}

describe("the host", () => {
  test("is sampled on the grid, with the servers that run on it", async () => {
    const clock = new VirtualClock();
    const sink = new MemorySink();
    const telemetry = startTelemetry({
      clock,
      sink,
      smi: NO_SMI,
      read: littleMachine(clock),
      listPids: () => [900, 901],
    });
    await clock.advanceTo(msToNs(1000));
    await telemetry.stop();
    expect(sink.samples.map((sample) => sample.atNs)).toEqual([0, 500_000_000, 1_000_000_000]);
    expect(sink.samples[0]).toEqual({
      atNs: 0,
      memoryAvailableBytes: 536_870_912,
      memoryTotalBytes: 1_073_741_824,
      loadAverage1: 1.25,
      processes: [{ pid: 900, name: "llama-server", rssBytes: 4_194_304 }],
    });
    expect(sink.samples[2]).toMatchObject({ cpuPct: 50, processes: [{ pid: 900 }] });
    // 13 of 100 ticks after half a second (rounded up from 12.5), 25 after a whole one.
    expect(sink.samples[2]?.processes?.[0]?.cpuPct).toBe(24);
  });

  test("a machine without /proc still has its memory, and nothing is made up", async () => {
    const clock = new VirtualClock();
    const sink = new MemorySink();
    const telemetry = startTelemetry({ clock, sink, smi: NO_SMI, read: () => undefined, listPids: () => [] });
    await clock.advanceTo(msToNs(500));
    await telemetry.stop();
    expect(Object.keys(sink.samples[1] ?? {})).toEqual(["atNs", "memoryAvailableBytes", "memoryTotalBytes"]);
  });

  test("a server that starts later is taken up, and a process number used again is dropped", async () => {
    const clock = new VirtualClock();
    const sink = new MemorySink();
    let pids = [901];
    let start = 77;
    const read = littleMachine(clock, { serverStart: () => start });
    const telemetry = startTelemetry({
      clock,
      sink,
      intervalMs: 5_000,
      smi: NO_SMI,
      read,
      listPids: () => pids,
    });
    pids = [900, 901];
    await clock.advanceTo(msToNs(15_000));
    start = 78;
    await clock.advanceTo(msToNs(20_000));
    await telemetry.stop();
    expect(sink.samples.map((sample) => sample.processes?.length ?? 0)).toEqual([0, 0, 1, 1, 0]);
  });

  test("an external agent is sampled once it is named", async () => {
    const clock = new VirtualClock();
    const sink = new MemorySink();
    const read = littleMachine(clock);
    const telemetry = startTelemetry({ clock, sink, smi: NO_SMI, read, listPids: () => [] });
    telemetry.watch(900, "agent collector");
    await clock.advanceTo(msToNs(500));
    await telemetry.stop();
    expect(sink.samples[1]?.processes).toEqual([{ pid: 900, name: "agent collector", rssBytes: 4_194_304 }]);
  });

  test("after stop no sample comes any more", async () => {
    const clock = new VirtualClock();
    const sink = new MemorySink();
    const telemetry = startTelemetry({ clock, sink, smi: NO_SMI, read: littleMachine(clock) });
    await telemetry.stop();
    const before = sink.samples.length;
    await clock.advanceTo(msToNs(5000));
    expect(sink.samples).toHaveLength(before);
  });

  test("a full disk ends sampling and comes out of stop", async () => {
    const clock = new VirtualClock();
    const full = new OperatorError("DISK_FULL", { message: "no space left", nextStep: "free some" });
    let calls = 0;
    const sink = {
      telemetry: () => {
        calls += 1;
        if (calls === 2) throw full;
      },
      event: () => undefined,
    };
    const telemetry = startTelemetry({ clock, sink, smi: NO_SMI, read: littleMachine(clock) });
    await clock.advanceTo(msToNs(5000));
    await expect(telemetry.stop()).rejects.toBe(full);
    expect(calls).toBe(2);
  });
});

describe("the GPUs", () => {
  test("both cards come in one sample, and a process on them with its memory once per question", async () => {
    const sink = new WatchedSink();
    const telemetry = startTelemetry({ clock: realClock, sink, intervalMs: 10, smi: smi("two-cards") });
    const withVram = (): readonly TelemetrySample[] =>
      sink.samples.filter((sample) => sample.processes?.some((each) => each.vramBytes !== undefined));
    await sink.until(() => withVram().length > 0 && gpuSamples(sink).length > 2);
    const overhead = await telemetry.stop();
    expect(gpuSamples(sink).every((sample) => sample.gpus?.length === 2)).toBe(true);
    expect(withVram()).toHaveLength(1);
    expect(withVram()[0]?.processes).toContainEqual({
      pid: 4242,
      name: "/usr/local/bin/ollama",
      vramBytes: 6_442_450_944,
    });
    expect(overhead.gpuSamples).toBe(gpuSamples(sink).length);
  });

  test("an absent GPU is one event and absent data", async () => {
    const sink = new WatchedSink();
    const telemetry = startTelemetry({ clock: realClock, sink, intervalMs: 10, smi: NO_SMI });
    await sink.until(() => sink.events.length > 0 && sink.samples.length > 1);
    await telemetry.stop();
    expect(sink.events.map((event) => event.kind)).toEqual(["telemetry-gpu-absent", "telemetry-overhead"]);
    expect(gpuSamples(sink)).toEqual([]);
  });

  test("a stream that dies midway is an event with its reason, and the host goes on", async () => {
    const sink = new WatchedSink();
    const telemetry = startTelemetry({ clock: realClock, sink, intervalMs: 10, smi: smi("dies:2") });
    await sink.until(() => sink.events.length > 0);
    const before = hostSamples(sink).length;
    await sink.until(() => hostSamples(sink).length > before);
    await telemetry.stop();
    expect(sink.events[0]).toMatchObject({
      kind: "telemetry-gpu-lost",
      message: "no GPU figures from here on: a GPU has dropped off the bus",
      data: { gpuSamples: 2 },
    });
  });

  test("a stream that never begins is given up after its limit", async () => {
    const sink = new WatchedSink();
    const options = { ...smi("hang"), answerLimitMs: 150 };
    const telemetry = startTelemetry({ clock: realClock, sink, intervalMs: 10, smi: options });
    await sink.until(() => sink.events.length > 0);
    await telemetry.stop();
    expect(sink.events[0]?.message).toContain("did not answer within 0.15 s");
  });

  test("what it cost is the return value and the last event", async () => {
    const sink = new WatchedSink();
    const telemetry = startTelemetry({ clock: realClock, sink, intervalMs: 10, smi: smi("one-card") });
    await sink.until(() => gpuSamples(sink).length > 1);
    const overhead = await telemetry.stop();
    const { hostSamples: hosts, gpuSamples: gpus, loopHeldMs, loopHeldMsMax, wallMs } = overhead;
    expect([hosts, gpus]).toEqual([hostSamples(sink).length, gpuSamples(sink).length]);
    expect(overhead.loopHeldMsPerSample).toBeCloseTo(loopHeldMs / (hosts + gpus), 9);
    expect(loopHeldMsMax).toBeLessThanOrEqual(loopHeldMs);
    expect(loopHeldMs).toBeLessThan(wallMs);
    expect(sink.events.at(-1)).toMatchObject({ kind: "telemetry-overhead", data: { ...overhead } });
  });
});
