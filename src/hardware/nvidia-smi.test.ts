import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  GPU_FACT_FIELDS,
  GPU_READING_FIELDS,
  explainFailure,
  parseComputeApps,
  parseGpuFacts,
  parseGpuReading,
  parseThrottleMask,
  refusedField,
  withoutRefused,
} from "./nvidia-smi.ts";

const fixture = (name: string): string =>
  readFileSync(new URL(`../../test/fixtures/nvidia-smi/${name}`, import.meta.url), "utf8");
const rows = (name: string): string[] => fixture(name).trimEnd().split("\n");
const facts = (name: string): unknown[] => rows(name).map((line) => parseGpuFacts(GPU_FACT_FIELDS, line));
const readings = (name: string): unknown[] =>
  rows(name).map((line) => parseGpuReading(GPU_READING_FIELDS, line));

describe("what a card is", () => {
  test("a consumer card's row gives every figure in bytes and watts", () => {
    expect(facts("facts-rtx4090.csv")).toEqual([
      {
        index: 0,
        name: "NVIDIA GeForce RTX 4090",
        uuid: "GPU-5e1a0c3b-92d4-4c7f-8a11-3f9d2b6c7e55",
        driverVersion: "550.127.05",
        memoryTotalBytes: 25_757_220_864,
        memoryUsedBytes: 19_095_617_536,
        memoryFreeBytes: 6_156_189_696,
        computeCapability: "8.9",
        powerLimitW: 450,
      },
    ]);
  });

  test("MIG is told per card, and a used memory of 0 stays 0", () => {
    const [whole, sliced] = facts("facts-two-a100-mig.csv");
    expect(whole).toMatchObject({ index: 0, mig: "disabled", memoryUsedBytes: 0 });
    expect(sliced).toMatchObject({ index: 1, mig: "enabled", memoryUsedBytes: 91_226_112 });
  });

  test("a board that shares the host's memory has no memory figures rather than zeros", () => {
    expect(facts("facts-gb10-unified.csv")).toEqual([
      {
        index: 0,
        name: "NVIDIA GB10",
        uuid: "GPU-c0ffee00-1f2e-4d3c-8b4a-5a6978879605",
        driverVersion: "580.82.09",
        computeCapability: "12.1",
      },
    ]);
  });

  test("error words in cells are unknown", () => {
    expect(facts("facts-errors.csv")).toEqual([
      {
        index: 0,
        name: "NVIDIA GeForce GTX 780",
        uuid: "GPU-a230e637-0000-4000-8000-34a437b874d8",
        driverVersion: "470.256.02",
        memoryTotalBytes: 3_168_796_672,
        computeCapability: "3.5",
      },
    ]);
  });
});

describe("a moment of a card", () => {
  test("a busy and an idle card are read with their throttle reasons", () => {
    expect(readings("readings-two-cards.csv").slice(0, 2)).toEqual([
      {
        index: 0,
        memoryUsedBytes: 19_095_617_536,
        memoryFreeBytes: 6_156_189_696,
        utilizationPct: 97,
        memoryUtilizationPct: 61,
        powerW: 388.25,
        smClockMhz: 2520,
        memoryClockMhz: 10_251,
        temperatureC: 71,
        throttleReasons: ["software-power-cap"],
      },
      {
        index: 1,
        memoryUsedBytes: 4_194_304,
        memoryFreeBytes: 25_247_612_928,
        utilizationPct: 0,
        memoryUtilizationPct: 0,
        powerW: 21.07,
        smClockMhz: 210,
        memoryClockMhz: 405,
        temperatureC: 38,
        throttleReasons: ["gpu-idle"],
      },
    ]);
  });

  test("a sliced card has no utilisation, and an empty mask says that nothing throttles", () => {
    expect(readings("readings-mig.csv")).toEqual([
      {
        index: 0,
        memoryUsedBytes: 91_226_112,
        memoryFreeBytes: 84_895_858_688,
        powerW: 62.19,
        smClockMhz: 1155,
        memoryClockMhz: 1593,
        temperatureC: 33,
        throttleReasons: [],
      },
    ]);
  });

  test("whatever is not a number is unknown, and an unreadable mask is no empty one", () => {
    expect(readings("readings-errors.csv")).toEqual([
      { index: 0, memoryUsedBytes: 536_870_912, memoryFreeBytes: 2_631_925_760 },
    ]);
  });

  test("the mask is read under its older name too", () => {
    expect(parseGpuReading(["index", "clocks_throttle_reasons.active"], "3, 0x0000000000000048")).toEqual({
      index: 3,
      throttleReasons: ["hardware-slowdown", "hardware-thermal"],
    });
  });

  test("lines that are no rows are no readings", () => {
    for (const name of ["driver-mismatch.txt", "no-devices.txt", "lost-card.txt"])
      expect(readings(name).filter((reading) => reading !== undefined)).toEqual([]);
  });

  test("no cell, however odd, becomes a 0 that was not there", () => {
    fc.assert(
      fc.property(
        fc.string().filter((cell) => !/[,\d]/.test(cell)),
        (cell) => {
          const reading = parseGpuReading(["index", "power.draw", "temperature.gpu"], `0, ${cell}, ${cell}`);
          expect(reading).toEqual({ index: 0 });
        },
      ),
    );
  });
});

describe("throttle masks", () => {
  test("bits are named as NVML documents them, and an unknown bit is kept as a number", () => {
    expect(parseThrottleMask("0x00000000000001ff")).toEqual([
      "gpu-idle",
      "application-clocks",
      "software-power-cap",
      "hardware-slowdown",
      "sync-boost",
      "software-thermal",
      "hardware-thermal",
      "hardware-power-brake",
      "display-clocks",
    ]);
    expect(parseThrottleMask("0x8000000000000020")).toEqual(["software-thermal", "0x8000000000000000"]);
  });
});

describe("drivers that refuse a field", () => {
  test("the refused field is asked under its older name, then not at all, and nothing else changes", () => {
    const refused = refusedField('Field "clocks_event_reasons.active" is not a valid field to query.');
    const older = withoutRefused(["index", refused ?? "", "power.draw"], refused ?? "");
    expect(older).toEqual(["index", "clocks_throttle_reasons.active", "power.draw"]);
    expect(withoutRefused(older, "clocks_throttle_reasons.active")).toEqual(["index", "power.draw"]);
    expect(refusedField("0, 512, 97")).toBeUndefined();
  });
});

describe("processes on the GPU", () => {
  test("a process on two cards is one entry, names may hold commas, an unknown size stays unknown", () => {
    expect(parseComputeApps(rows("compute-apps.csv"))).toEqual([
      { pid: 2841, name: "/usr/local/bin/ollama", vramBytes: 18_685_624_320 },
      {
        pid: 31_777,
        name: "/opt/venv/bin/python3, -m, vllm.entrypoints.openai.api_server",
        vramBytes: 19_327_352_832,
      },
      { pid: 905, name: "C:\\Windows\\System32\\dwm.exe" },
    ]);
  });

  test("the text for no processes is no process", () => {
    expect(parseComputeApps(["No running processes found", ""])).toEqual([]);
  });
});

describe("why there is no answer", () => {
  const reasonFor = (name: string): string => explainFailure(fixture(name), 1).reason;

  test("each known text names its cause", () => {
    expect(reasonFor("driver-mismatch.txt")).toBe(
      "the NVIDIA driver on disk is newer than the one in the kernel",
    );
    expect(reasonFor("driver-not-loaded.txt")).toBe("the NVIDIA driver is not loaded");
    expect(reasonFor("no-devices.txt")).toBe("the NVIDIA driver runs but sees no GPU");
    expect(reasonFor("container-lost.txt")).toBe("this container has lost its access to the GPU");
    expect(reasonFor("lost-card.txt")).toBe("a GPU has dropped off the bus");
  });

  test("an unknown text is quoted, and silence is said to be silence", () => {
    expect(explainFailure("\nsomething new\nmore", 255).reason).toBe("nvidia-smi said: something new");
    expect(explainFailure("", 9).reason).toBe("nvidia-smi ended with exit code 9 and said nothing");
  });
});
