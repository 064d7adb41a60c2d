import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { OperatorError } from "../../core/errors.ts";
import { madeFile } from "../../../test/fakes/made-export.ts";
import { profileFixture } from "../../../test/fakes/profile-fixtures.ts";
import type { NcuLaunch } from "../figures.ts";
import { valueOf } from "../figures.ts";
import { readProfile } from "../read-profile.ts";

async function launchesOf(text: string): Promise<readonly NcuLaunch[]> {
  const { ncu } = await readProfile([madeFile("ncu.csv", text)]);
  return valueOf(ncu) ?? expect.fail("no launches");
}

const HEAD =
  '"ID","Process ID","Process Name","Host Name","Kernel Name","Context","Stream","Section Name","Metric Name","Metric Unit","Metric Value"\n';
const row = (metric: string, unit: string, value: string, id = 0): string =>
  `"${id}","1","p","h","gemm<float, 4>(int)","1","7","S","${metric}","${unit}","${value}"\n`;

describe("the details page", () => {
  it("of a recorded kernel gives what the tool printed", async () => {
    const { ncu, kernels } = await readProfile([profileFixture("copy-blocked-t4.csv")]);
    const [launch, ...others] = valueOf(ncu) ?? [];
    expect(others).toEqual([]);
    // Read off the file by eye: 61.84 % of 320.06 GB/s is 197.9, and it reports 196.46.
    expect(launch).toMatchObject({
      id: "0",
      family: "copy",
      durationNs: 21_058_944,
      dramPctOfPeak: 61.84,
      memoryPctOfPeak: 61.84,
      theoreticalOccupancyPct: 100,
      registersPerThread: 32,
      wavesPerMultiprocessor: 6.4,
    });
    expect((launch?.achievedBytesPerS ?? 0) / 1e9).toBeCloseTo(196.46, 1);
    expect(kernels).toMatchObject({ kind: "unknown", because: expect.stringContaining("clock") as string });
  });

  it("reads the same numbers where a European locale printed them", async () => {
    const english = readFileSync(profileFixture("copy-blocked-t4.csv"), "utf8");
    const european = english.replace(/"([\d,]+(?:\.\d+)?)",\r?\n/g, (_, number: string) => {
      const swapped = number.replace(/[.,]/g, (mark) => (mark === "." ? "," : "."));
      return `"${swapped}",\n`;
    });
    expect(european).not.toBe(english);
    expect(await launchesOf(european)).toEqual(await launchesOf(english));
  });

  it("tells one heading's two meanings by the unit, and scales units", async () => {
    const [launch] = await launchesOf(
      HEAD +
        row("Memory Throughput", "%", "61.5") +
        row("Memory Throughput", "Gbyte/second", "196.25") +
        row("Duration", "usecond", "3.5"),
    );
    expect(launch).toMatchObject({ memoryPctOfPeak: 61.5, achievedBytesPerS: 196.25e9, durationNs: 3500 });
  });

  it("leaves out what is n/a, and keeps the rest", async () => {
    const [launch] = await launchesOf(
      HEAD + row("DRAM Throughput", "%", "n/a") + row("Achieved Occupancy", "%", "50.25"),
    );
    expect(launch).not.toHaveProperty("dramPctOfPeak");
    expect(launch).toMatchObject({ achievedOccupancyPct: 50.25 });
  });

  it("may stand below what the profiler and the program printed", async () => {
    const before = '==PROF== Connected to process 1 (/bin/p)\nloss "0.5", and so on\n==WARNING== x, y\n';
    const launches = await launchesOf(
      `${before}${HEAD}${row("Duration", "ns", "5")}${row("Duration", "ns", "7", 1)}`,
    );
    expect(launches.map(({ durationNs }) => durationNs)).toEqual([5, 7]);
  });

  it("of --metrics carries the counters' own names", async () => {
    const [launch] = await launchesOf(
      HEAD + row("dram__throughput.avg.pct_of_peak_sustained_elapsed", "%", "41"),
    );
    expect(launch).toMatchObject({ dramPctOfPeak: 41 });
  });
});

describe("the raw page", () => {
  it("is wide, with a row of units below its heading", async () => {
    const launches = await launchesOf(
      `==PROF== Disconnected
"ID","Kernel Name","gpu__time_duration.sum","dram__bytes.sum.per_second","sm__throughput.avg.pct_of_peak_sustained_elapsed","launch__registers_per_thread"
"","","us","Gbyte/s","%","register/thread"
"0","mul_mat_q<(ggml_type)8>","12.50","300.1","70.5","64"
"1","rms_norm_f32","1.25","n/a","2.5","32"
`,
    );
    expect(launches).toEqual([
      {
        id: "0",
        name: "mul_mat_q<(ggml_type)8>",
        family: "quantised matmul",
        durationNs: 12_500,
        achievedBytesPerS: 300.1e9,
        computePctOfPeak: 70.5,
        registersPerThread: 64,
      },
      {
        id: "1",
        name: "rms_norm_f32",
        family: "norm",
        durationNs: 1_250,
        computePctOfPeak: 2.5,
        registersPerThread: 32,
      },
    ]);
  });
});

it("a heading without metrics is damaged", async () => {
  const thrown = await launchesOf(HEAD).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(OperatorError);
  expect((thrown as OperatorError).code).toBe("PROFILE_DAMAGED");
});
