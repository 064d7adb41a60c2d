import { describe, expect, it } from "vitest";
import { OperatorError } from "../../core/errors.ts";
import { madeFile } from "../../../test/fakes/made-export.ts";
import { expectedFigures, profileFixture, unpackedFixture } from "../../../test/fakes/profile-fixtures.ts";
import type { ProfileFigures } from "../figures.ts";
import { valueOf } from "../figures.ts";
import { readProfile } from "../read-profile.ts";

function read(text: string, name = "report1.csv"): Promise<ProfileFigures> {
  return readProfile([madeFile(name, text)]);
}

const KERNEL_HEAD = (unit: string): string =>
  `Time (%),Total Time (${unit}),Instances,Avg (${unit}),Med (${unit}),Min (${unit}),Max (${unit}),StdDev (${unit}),Name\n`;

describe("reports of one recording", () => {
  it("agree with its export, in microseconds with thousands apart and chatter between", async () => {
    const stats = await readProfile([profileFixture("power-iteration-t4.stats.csv")]);
    const exported = await readProfile([unpackedFixture("power-iteration-t4.sqlite.gz")]);
    expect(valueOf(stats.kernelCount)).toBe(3689);
    expect(valueOf(stats.gpuTimeNs)).toBeCloseTo(1_131_742_684, 2);
    expect(
      valueOf(stats.kernels)?.map(({ name, family, instances }) => ({ name, family, instances })),
    ).toEqual(valueOf(exported.kernels)?.map(({ name, family, instances }) => ({ name, family, instances })));
    const copies = expectedFigures("power-iteration-t4").copies["2"];
    const [row] = valueOf(stats.memory) ?? [];
    expect(row?.operation).toBe("device-to-host");
    expect(row?.totalNs).toBeCloseTo(copies?.totalNs as number, 2);
    expect(row?.bytes).toBeCloseTo(copies?.bytes as number, 2);
    expect(valueOf(stats.cudaApi)?.map(({ name, calls }) => [name, calls])).toEqual(
      valueOf(exported.cudaApi)?.map(({ name, calls }) => [name, calls]),
    );
    expect(valueOf(stats.osRuntime)?.[0]).toMatchObject({ name: "poll", calls: 18 });
  });

  it("tell no busy time, and say why", async () => {
    const { devices, recordedNs } = await readProfile([profileFixture("power-iteration-t4.stats.csv")]);
    expect(devices).toMatchObject({ because: expect.stringContaining("no start times") as string });
    expect(recordedNs).toMatchObject({ because: expect.stringContaining("SQLite export") as string });
  });
});

describe("a report's heading", () => {
  it.each([
    ["ns", "1500", 1500],
    ["us", "1.5", 1500],
    ["ms", "0.0015", 1500],
    ["s", "0.0000015", 1500],
  ])("in %s gives nanoseconds", async (unit, total, ns) => {
    const figures = await read(`${KERNEL_HEAD(unit)}100.0,${total},3,1,1,1,1,0,k\n`);
    expect(valueOf(figures.gpuTimeNs)).toBeCloseTo(ns, 6);
  });

  it("of 2021 is read too", async () => {
    const head = "Time(%),Total Time (ns),Instances,Average,Minimum,Maximum,StdDev,Name\n";
    const sizes = "Total (KiB),Operations,Average,Minimum,Maximum,StdDev,Operation\n";
    const figures = await read(
      `${head}100.0,90,3,30.0,20,40,1.0,k\n\n${sizes}2.0,1,2.0,2.0,2.0,0,[CUDA memcpy HtoD]\n`,
    );
    expect(valueOf(figures.kernels)?.[0]).toMatchObject({ instances: 3, totalNs: 90, minNs: 20, maxNs: 40 });
    expect(valueOf(figures.memory)).toEqual([{ operation: "host-to-device", count: 1, bytes: 2048 }]);
  });

  it("does not tell API calls from OS calls: the banner does, else the file's name, else the calls", async () => {
    const head = "Time (%),Total Time (ns),Num Calls,Avg (ns),Med (ns),Min (ns),Max (ns),StdDev (ns),Name\n";
    const row = "100.0,5,1,5,5,5,5,0,poll\n";
    const api = "100.0,7,1,7,7,7,7,0,cudaLaunchKernel\n";
    const banner = await read(` ** OS Runtime Summary (osrt_sum):\n\n${head}${row}`);
    expect(valueOf(banner.osRuntime)?.[0]?.name).toBe("poll");
    const old = await read(` ** CUDA API Summary (cudaapisum):\n\n${head}${row}`);
    expect(valueOf(old.cudaApi)?.[0]?.name).toBe("poll");
    const named = await read(`${head}${row}`, "r_cuda_api_sum.csv");
    expect(valueOf(named.cudaApi)?.[0]?.name).toBe("poll");
    const bare = await read(`${head}${api}`);
    expect(valueOf(bare.cudaApi)?.[0]?.name).toBe("cudaLaunchKernel");
  });
});

describe("the trace of the GPU", () => {
  const HEAD =
    "Start (ns),Duration (ns),CorrId,GrdX,GrdY,GrdZ,BlkX,BlkY,BlkZ,Reg/Trd,StcSMem (MB),DymSMem (MB),Bytes (MB),Throughput (MB/s),SrcMemKd,DstMemKd,Device,Ctx,GreenCtx,Strm,Name\n";

  it("gives what an export gives: streams, gaps, copies", async () => {
    const figures = await read(
      `${HEAD}1800000000000000100,10,1,1,1,1,1,1,1,16,0,0,,,,,NVIDIA H100 (1),1,,7,"gemm<a, b>"
1800000000000000105,10,2,1,1,1,1,1,1,16,0,0,,,,,NVIDIA H100 (1),1,,8,gemm2
1800000000000000120,5,3,,,,,,,,,,0.002,0.1,Pageable,Device,NVIDIA H100 (1),1,,7,[CUDA memcpy Host-to-Device]
1800000000000000130,5,4,1,1,1,1,1,1,16,0,0,,,,,NVIDIA H100 (1),1,,7,softmax\n`,
    );
    const [device] = valueOf(figures.devices) ?? [];
    expect(device).toMatchObject({ device: "1", kernels: 3, gpuTimeNs: 25, busyNs: 20, spanNs: 35 });
    expect(device?.concurrency).toMatchObject({ maxKernels: 2, maxStreams: 2 });
    expect(valueOf(figures.memory)).toEqual([
      { operation: "host-to-device", count: 1, totalNs: 5, bytes: 2000, bytesPerS: 4e11 },
    ]);
  });
});

describe("the trace of launches", () => {
  const HEAD =
    "API Start (us),API Dur (us),Queue Start (us),Queue Dur (us),Kernel Start (us),Kernel Dur (us),Total Dur (us),PID,TID,DevId,API Function,GridXYZ,BlockXYZ,Kernel Name\n";

  it("tells what gaps waited for, and that it knows no streams", async () => {
    const figures = await read(
      `${HEAD}1.000,0.5,,,2.000,1.000,2.0,10,11,0,cudaLaunchKernel," 148    1    1"," 256    1    1",k
4.000,0.5,,,5.000,1.000,2.0,10,11,0,cudaLaunchKernel," 148    1    1"," 256    1    1",k\n`,
    );
    const [device] = valueOf(figures.devices) ?? [];
    expect(device).toMatchObject({ busyNs: 2000, spanNs: 4000, concurrency: { maxKernels: 1 } });
    expect(valueOf(device?.idle ?? expect.fail())).toMatchObject({ hostBoundNs: 1000, launchBoundNs: 1000 });
    expect(device?.streams).toMatchObject({ because: expect.stringContaining("streams") as string });
  });
});

describe("several files", () => {
  it("are one profile, as nsys writes a file for each report", async () => {
    const time = "Time (%),Total Time (ns),Count,Avg (ns),Med (ns),Min (ns),Max (ns),StdDev (ns),Operation\n";
    const size = "Total (MB),Count,Avg (MB),Med (MB),Min (MB),Max (MB),StdDev (MB),Operation\n";
    const figures = await readProfile([
      madeFile("a.csv", `${time}100.0,1000,2,500,500,500,500,0,[CUDA memset]\n`),
      madeFile("b.csv", `${size}3.0,2,1.5,1.5,1.5,1.5,0,[CUDA memset]\n`),
    ]);
    expect(valueOf(figures.memory)).toEqual([
      { operation: "memset", count: 2, totalNs: 1000, bytes: 3e6, bytesPerS: 3e12 },
    ]);
  });

  it("that tell one thing twice count it once, with a note", async () => {
    const table = `${KERNEL_HEAD("ns")}100.0,50,5,10,10,10,10,0,k\n`;
    const figures = await read(`${table}\n${table}`);
    expect(valueOf(figures.kernelCount)).toBe(5);
    expect(figures.notes).toEqual(["kernel sum: given more than once, the first table counts"]);
  });

  it("that are of different runs are noticed", async () => {
    const figures = await readProfile([
      unpackedFixture("power-iteration-t4.sqlite.gz"),
      madeFile("sum.csv", `${KERNEL_HEAD("ns")}100.0,50,5,10,10,10,10,0,k\n`),
    ]);
    expect(valueOf(figures.kernelCount)).toBe(3689);
    expect(figures.notes.at(-1)).toMatch(/3689 kernels and .* 5: they may be of different runs/);
  });
});

describe("a broken report", () => {
  const errorOf = (text: string): Promise<unknown> => read(text).catch((thrown: unknown) => thrown);

  it.each([
    ["a count that is no number", `${KERNEL_HEAD("ns")}100.0,50,many,1,1,1,1,0,k\n`],
    ["a time that is missing", `${KERNEL_HEAD("ns")}100.0,,3,1,1,1,1,0,k\n`],
    ["a heading without rows", KERNEL_HEAD("ns")],
    ["numbers of two languages", `${KERNEL_HEAD("ns")}1.5,"1.234.567,5",3,"1,234,567.5",1,1,1,0,k\n`],
    ["nothing at all", ""],
  ])("with %s is damaged, and never counts as 0", async (_, text) => {
    const thrown = await errorOf(text);
    expect(thrown).toBeInstanceOf(OperatorError);
    expect((thrown as OperatorError).code).toBe("PROFILE_DAMAGED");
  });

  it("names the record, the column and what stood there", async () => {
    const thrown = (await errorOf(`${KERNEL_HEAD("ns")}100.0,50,many,1,1,1,1,0,k\n`)) as OperatorError;
    expect(thrown.message).toMatch(/record 2: column "instances"/);
    expect(thrown.received).toBe("many");
  });
});
