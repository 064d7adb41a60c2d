import { readFileSync, readdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { OperatorError } from "../../core/errors.ts";
import type { MadeKernel, MadeTables } from "../../../test/fakes/made-export.ts";
import {
  kernelTable,
  madeExport,
  madeFile,
  runtimeTable,
  stringTable,
} from "../../../test/fakes/made-export.ts";
import { expectedFigures, unpackedFixture } from "../../../test/fakes/profile-fixtures.ts";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import type { ProfileFigures } from "../figures.ts";
import { valueOf } from "../figures.ts";
import { readProfile } from "../read-profile.ts";

const STRINGS = stringTable({ 1: "k", 2: "cudaLaunchKernel_v7000", 3: "cudaGraphLaunch_v10000" });
const KERNEL = "CUPTI_ACTIVITY_KIND_KERNEL";
const RUNTIME = "CUPTI_ACTIVITY_KIND_RUNTIME";

function read(tables: MadeTables, statements: readonly string[] = []): Promise<ProfileFigures> {
  return readProfile([madeExport(tables, statements)]);
}

function ofKernels(kernels: readonly MadeKernel[], more: MadeTables = {}): Promise<ProfileFigures> {
  return read({ StringIds: STRINGS as never, [KERNEL]: kernelTable(kernels) as never, ...more });
}

async function codeOf(reading: Promise<unknown>): Promise<string> {
  return reading.then(
    () => "none",
    (thrown: unknown) => (thrown instanceof OperatorError ? thrown.code : `not ours: ${String(thrown)}`),
  );
}

describe.each(["power-iteration-t4", "h100-2gpu-1s"] as const)("the recording %s", (name) => {
  const expected = expectedFigures(name);

  it("gives the figures that were worked out without this reader, to the nanosecond", async () => {
    const figures = await readProfile([unpackedFixture(`${name}.sqlite.gz`)]);
    const devices = valueOf(figures.devices) ?? [];
    expect(devices.map(({ device }) => device)).toEqual(Object.keys(expected.devices));
    for (const device of devices) {
      const { maxKernels, gaps, idle, ...sums } = expected.devices[device.device] ?? expect.fail();
      expect(device).toMatchObject(sums);
      expect(device.concurrency.maxKernels).toBe(maxKernels);
      expect(valueOf(device.gaps)).toMatchObject({ ...gaps, p99Ns: expect.closeTo(gaps.p99Ns, 3) });
      expect(valueOf(device.idle)).toMatchObject(idle);
    }
    expect(valueOf(figures.recordedNs)).toBe(expected.recordedNs);
    expect(valueOf(figures.kernels)?.slice(0, 5)).toMatchObject(expected.kernels);
  });

  it("accounts for copies, calls and ranges", async () => {
    const figures = await readProfile([unpackedFixture(`${name}.sqlite.gz`)]);
    const memory = valueOf(figures.memory) ?? [];
    const names: Record<string, string> = {
      1: "host-to-device",
      2: "device-to-host",
      8: "device-to-device",
    };
    for (const [kind, copies] of Object.entries(expected.copies))
      expect(memory.find(({ operation }) => operation === names[kind])).toMatchObject(copies);
    const [count, totalNs, bytes] = expected.memsets ?? [];
    expect(memory.find(({ operation }) => operation === "memset")).toEqual(
      count === undefined ? undefined : expect.objectContaining({ count, totalNs, bytes }),
    );
    const sums = (rows: readonly { calls: number; totalNs: number }[] | undefined): [number, number] => [
      (rows ?? []).reduce((sum, row) => sum + row.calls, 0),
      (rows ?? []).reduce((sum, row) => sum + row.totalNs, 0),
    ];
    expect(sums(valueOf(figures.cudaApi))).toEqual(expected.apiCalls);
    expect(sums(valueOf(figures.nvtx))).toEqual(expected.ranges);
  });

  it("is left as it was, with nothing beside it", async () => {
    const path = unpackedFixture(`${name}.sqlite.gz`);
    const before = { bytes: readFileSync(path), facts: statSync(path, { bigint: true }) };
    await readProfile([path]);
    expect(readFileSync(path).equals(before.bytes)).toBe(true);
    expect(statSync(path, { bigint: true }).mtimeNs).toBe(before.facts.mtimeNs);
    expect(readdirSync(dirname(path))).toEqual([`${name}.sqlite`]);
  });
});

describe("what an export lacks", () => {
  it("is unknown with its reason, and never 0", async () => {
    const figures = await read({ StringIds: STRINGS as never });
    expect(figures.kernelCount).toEqual({
      kind: "unknown",
      because: "the table CUPTI_ACTIVITY_KIND_KERNEL is missing",
    });
    for (const [name, told] of Object.entries(figures))
      if (name !== "sources" && name !== "notes")
        expect(told, name).toMatchObject({ kind: "unknown", because: expect.stringMatching(/./) as string });
  });

  it("is told from what is there and empty, as old exporters write every table", async () => {
    const figures = await ofKernels([], {
      [RUNTIME]: runtimeTable([]) as never,
      OSRT_API: { columns: ["start", "end", "nameId"], rows: [] },
    });
    expect(figures.kernels).toEqual({
      kind: "unknown",
      because: "the table CUPTI_ACTIVITY_KIND_KERNEL is empty",
    });
    expect(figures.osRuntime).toEqual({ kind: "unknown", because: "the table OSRT_API is empty" });
  });

  it("is told where a column is missing", async () => {
    const figures = await read({
      StringIds: STRINGS as never,
      [KERNEL]: { columns: ["start", "end", "shortName"], rows: [[5, 9, 1]] },
      TARGET_INFO_GPU: { columns: ["id"], rows: [[0]] },
    });
    expect(valueOf(figures.kernelCount)).toBe(1);
    const [device] = valueOf(figures.devices) ?? [];
    expect(device?.streams).toEqual({
      kind: "unknown",
      because: "the table CUPTI_ACTIVITY_KIND_KERNEL has no column streamId",
    });
    expect(device?.concurrency).toEqual({ maxKernels: 1 });
    expect(figures.gpus).toMatchObject({ because: "the table TARGET_INFO_GPU has no column name" });
  });

  it("does not need the newest names of its own metadata", async () => {
    const figures = await ofKernels([{ start: 0, end: 1 }], {
      EXPORT_META_DATA: {
        columns: ["name", "value"],
        rows: [
          ["EXPORT_SCHEMA_VERSION", "2.9.1"],
          ["EXPORT_PRODUCT_VERSION", "2022.2.1"],
        ],
      },
    });
    expect(figures.sources[0]?.detail).toBe("Nsight Systems 2022.2.1, schema 2.9.1");
    expect(figures.notes).toEqual([]);
  });

  it("may be newer than any that was tried, and says so", async () => {
    const figures = await ofKernels([{ start: 0, end: 1 }], {
      META_DATA_EXPORT: { columns: ["name", "value"], rows: [["EXPORT_SCHEMA_VERSION", "4.1.0"]] },
    });
    expect(figures.notes[0]).toMatch(/schema 4.1.0 is newer/);
  });
});

describe("stamps of an export", () => {
  const HUGE = 1_800_000_000_000_000_001n;

  it("beyond 2^53 keep every nanosecond", async () => {
    const figures = await ofKernels([
      { start: HUGE, end: HUGE + 3n },
      { start: HUGE + 10n, end: HUGE + 11n },
    ]);
    expect(valueOf(figures.devices)?.[0]).toMatchObject({ gpuTimeNs: 4, busyNs: 4, spanNs: 11 });
  });

  it("may be negative, and need not be in order", async () => {
    const figures = await ofKernels([
      { start: 30, end: 35 },
      { start: -20, end: -10 },
      { start: 0, end: 5 },
    ]);
    expect(valueOf(figures.devices)?.[0]).toMatchObject({ gpuTimeNs: 20, busyNs: 20, spanNs: 55 });
  });

  it("that are no times leave their row out, with a note", async () => {
    const figures = await read({
      StringIds: STRINGS as never,
      [KERNEL]: {
        columns: ["start", "end", "deviceId", "streamId", "demangledName"],
        rows: [
          ["soon", 9, 0, 7, 1],
          [null, 9, 0, 7, 1],
          [20, 10, 0, 7, 1],
          [20, 25, 0, 7, 1],
        ],
      },
    });
    expect(valueOf(figures.kernelCount)).toBe(1);
    expect(figures.notes).toEqual([
      "3 rows of CUPTI_ACTIVITY_KIND_KERNEL have no usable start and end, and are left out",
    ]);
  });
});

describe("processes and devices", () => {
  it("number streams for themselves: the same number in two processes is two streams", async () => {
    const figures = await ofKernels([
      { start: 0, end: 10, process: 1 },
      { start: 5, end: 15, process: 2 },
    ]);
    expect(valueOf(figures.devices)?.[0]?.concurrency).toEqual({
      maxKernels: 2,
      maxStreams: 2,
      sameStreamOverlaps: 0,
      sameStreamOverlapNs: 0,
    });
  });

  it("number GPUs for themselves, and are put right where the export has the GPU's own number", async () => {
    const kernels = [
      { start: 0, end: 10, process: 1 },
      { start: 5, end: 15, process: 2 },
    ];
    const figures = await ofKernels(kernels, {
      TARGET_INFO_CUDA_DEVICE: {
        columns: ["gpuId", "cudaId", "pid"],
        rows: [
          [3, 0, 1],
          [5, 0, 2],
        ],
      },
    });
    expect(valueOf(figures.devices)?.map(({ device }) => device)).toEqual(["3", "5"]);
  });

  it("number launches for themselves: a number of another process launches nothing here", async () => {
    const kernels = [
      { start: 0, end: 10, correlation: 1 },
      { start: 50, end: 60, correlation: 2 },
    ];
    const calls = [
      { start: 30, end: 35, name: 2, correlation: 2, process: 2 },
      { start: 40, end: 45, name: 2, correlation: 2, process: 1 },
    ];
    const figures = await ofKernels(kernels, { [RUNTIME]: runtimeTable(calls) as never });
    expect(valueOf(valueOf(figures.devices)?.[0]?.idle ?? expect.fail())).toMatchObject({
      hostBoundNs: 30,
      launchBoundNs: 10,
    });
  });
});

describe("CUDA graphs", () => {
  const launch = { start: 100, end: 110, name: 3, correlation: 9 };

  it("recorded whole hide their kernels, which is said, and count as busy beside the kernels", async () => {
    const figures = await ofKernels([{ start: 0, end: 100 }], {
      [RUNTIME]: runtimeTable([launch]) as never,
      CUPTI_ACTIVITY_KIND_GRAPH_TRACE: {
        columns: ["start", "end", "deviceId", "contextId", "streamId", "globalPid", "graphId"],
        rows: [
          [50, 500, 0, 1, 7, 0, 1],
          [600, 1000, 0, 1, 7, 0, 1],
        ],
      },
    });
    expect(valueOf(figures.graphs)).toEqual({
      kind: "hidden",
      launches: 2,
      graphTimeNs: 850,
      kernelsOutside: 1,
    });
    const [device] = valueOf(figures.devices) ?? [];
    expect(device).toMatchObject({ busyNs: 100, withGraphs: { busyNs: 900, spanNs: 1000 } });
  });

  it("that were launched and left no kernel behind are recognised by their launches", async () => {
    const figures = await ofKernels([{ start: 0, end: 10 }], { [RUNTIME]: runtimeTable([launch]) as never });
    expect(valueOf(figures.graphs)).toEqual({ kind: "hidden", launches: 1, kernelsOutside: 1 });
  });

  it("recorded by node are in the table like any kernel", async () => {
    const figures = await ofKernels([{ start: 120, end: 130, graphNode: 4, correlation: 9 }], {
      [RUNTIME]: runtimeTable([launch]) as never,
    });
    expect(valueOf(figures.graphs)).toEqual({ kind: "nodes", kernels: 1, launches: 1 });
  });

  it("are none where none was launched", async () => {
    const calls = [{ start: 0, end: 1, name: 2 }];
    const figures = await ofKernels([{ start: 5, end: 6 }], { [RUNTIME]: runtimeTable(calls) as never });
    expect(valueOf(figures.graphs)).toEqual({ kind: "none" });
  });
});

describe("tables that stand in few exports", () => {
  it("give memory in use at its highest, of the device alone", async () => {
    const figures = await ofKernels([{ start: 0, end: 1 }], {
      CUDA_GPU_MEMORY_USAGE_EVENTS: {
        columns: ["start", "bytes", "memKind", "memoryOperationType"],
        rows: [
          [0, 100, 2, 0],
          [30, 50, 2, 0],
          [20, 100, 2, 1],
          [40, 999, 1, 0],
        ],
      },
    });
    expect(valueOf(figures.memoryUsage)).toEqual({
      events: 3,
      allocations: 2,
      frees: 1,
      peakBytes: 100,
      endBytes: 50,
    });
  });

  it("give sampled metrics by name, and switches between contexts", async () => {
    const figures = await ofKernels([{ start: 0, end: 1 }], {
      GPU_METRICS: {
        columns: ["timestamp", "typeId", "metricId", "value"],
        rows: [
          [0, 2n ** 60n, 7, 10],
          [1, 2n ** 60n, 7, 30],
        ],
      },
      TARGET_INFO_GPU_METRICS: {
        columns: ["metricId", "metricName"],
        rows: [[7, "DRAM Read Bandwidth [Throughput %]"]],
      },
      GPU_CONTEXT_SWITCH_EVENTS: { columns: ["timestamp"], rows: [[1], [2], [3]] },
    });
    expect(valueOf(figures.gpuMetrics)).toEqual([
      { name: "DRAM Read Bandwidth [Throughput %]", samples: 2, mean: 20, max: 30 },
    ]);
    expect(valueOf(figures.contextSwitches)).toBe(3);
  });
});

describe("files that are not what they seem", () => {
  it("are refused where they are SQLite of something else", async () => {
    expect(await codeOf(read({ songs: { columns: ["title"], rows: [["x"]] } }))).toBe(
      "PROFILE_FORMAT_UNKNOWN",
    );
  });

  it("do not run what a schema defines: a view is no table, and computes nothing", async () => {
    const endless =
      "CREATE VIEW CUPTI_ACTIVITY_KIND_KERNEL AS WITH RECURSIVE n(start) AS (SELECT 1 UNION ALL SELECT start + 1 FROM n) SELECT start, start + 1 AS end FROM n";
    const figures = await read({ StringIds: STRINGS as never }, [endless]);
    expect(figures.kernelCount).toMatchObject({ because: `the table ${KERNEL} is missing` });
  });

  it("keep their own text out of the queries, whatever their tables are called", async () => {
    const figures = await read(
      { StringIds: STRINGS as never, [KERNEL]: kernelTable([{ start: 0, end: 1 }]) as never },
      [`CREATE TABLE "x'); SELECT 1; --" (a)`, `CREATE TABLE OSRT_API ("start; --", "end", nameId)`],
    );
    expect(valueOf(figures.kernelCount)).toBe(1);
    expect(figures.osRuntime).toMatchObject({ because: "the table OSRT_API has no column start" });
  });

  it("are refused in write-ahead mode, with the way out", async () => {
    const path = madeExport({ StringIds: STRINGS as never });
    const bytes = readFileSync(path);
    // The format's two version bytes; 2 means a write-ahead log.
    bytes[18] = 2;
    bytes[19] = 2;
    const thrown = await readProfile([madeFile("wal.sqlite", bytes)]).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: "PROFILE_DAMAGED" });
    expect((thrown as OperatorError).nextStep).toContain("journal_mode = DELETE");
  });

  it("leave no temporary folder behind, read or refused", async () => {
    const paths = [
      unpackedFixture("power-iteration-t4.sqlite.gz"),
      madeExport({ songs: { columns: ["title"], rows: [] } }),
    ];
    const folder = temporaryDirectory();
    vi.stubEnv("TMPDIR", folder);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await Promise.all(paths.map((path) => codeOf(readProfile([path]))))).toEqual([
      "none",
      "PROFILE_FORMAT_UNKNOWN",
    ]);
    expect(readdirSync(folder)).toEqual([]);
  });
});
