import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OperatorError } from "../../core/errors.ts";
import { madeFile } from "../../../test/fakes/made-export.ts";
import { profileFixture, unpackedFixture } from "../../../test/fakes/profile-fixtures.ts";
import type { ProfileFigures } from "../figures.ts";
import { valueOf } from "../figures.ts";
import { readProfile } from "../read-profile.ts";
import { EventScanner } from "./event-scanner.ts";

function read(text: string): Promise<ProfileFigures> {
  return readProfile([madeFile("trace.json", text)]);
}

/** As PyTorch 2.6 writes them, shortened. */
const KINETO = `{
  "schemaVersion": 1,
  "deviceProperties": [{"id": 0, "name": "NVIDIA A100", "totalGlobalMem": 42000000000, "numSms": 108}],
  "traceEvents": [
  {"ph": "M", "name": "process_name", "pid": 0, "tid": 0, "args": {"name": "python \\"ts\\": 5 }"}},
  {"ph": "X", "cat": "cuda_runtime", "name": "cudaLaunchKernel", "pid": 9, "tid": 9, "ts": 1700000000000010.000, "dur": 4.5, "args": {"correlation": 1}},
  {"ph": "X", "cat": "cuda_runtime", "name": "cudaGraphLaunch", "pid": 9, "tid": 9, "ts": 1700000000000030.000, "dur": 2, "args": {"correlation": 2}},
  {"ph": "X", "cat": "kernel", "name": "gemm", "pid": 0, "tid": 7, "ts": 1700000000000020.001, "dur": 5.002, "args": {"device": 0, "context": 1, "stream": 7, "correlation": 1}},
  {"ph": "X", "cat": "kernel", "name": "flash_fwd_kernel", "pid": 0, "tid": 20, "ts": 1700000000000035.001, "dur": 1.0, "args": {"device": 0, "context": 1, "stream": 20, "correlation": 2, "graph node id": 77}},
  {"ph": "X", "cat": "gpu_memcpy", "name": "Memcpy HtoD (Pageable -> Device)", "pid": 0, "tid": 7, "ts": 1700000000000026.000, "dur": 2.0, "args": {"device": 0, "context": 1, "stream": 7, "bytes": 4000}},
  {"ph": "X", "cat": "Trace", "name": "PyTorch Profiler (0)", "pid": "Spans", "tid": "PyTorch Profiler", "ts": 1700000000000000.000, "dur": 100.0}
  ],
  "traceName": "t"
}`;

describe("PyTorch's trace", () => {
  it("keeps nanoseconds of stamps since 1970, which a double of microseconds does not", async () => {
    const [device] = valueOf((await read(KINETO)).devices) ?? [];
    expect(device).toMatchObject({ gpuTimeNs: 6002, busyNs: 6002, spanNs: 16_000 });
    expect(valueOf(device?.gaps ?? expect.fail())).toMatchObject({ count: 1, totalNs: 9998 });
  });

  it("tells launches, copies, graphs, GPU and window", async () => {
    const figures = await read(KINETO);
    expect(valueOf(valueOf(figures.devices)?.[0]?.idle ?? expect.fail())).toEqual({
      // From 25.003 to 30 less the copy from 26 to 28, then from 30 to 35.001.
      hostBoundNs: 2997,
      transferNs: 2000,
      launchBoundNs: 5001,
      alreadyLaunchedNs: 0,
      unknownNs: 0,
    });
    expect(valueOf(figures.graphs)).toEqual({ kind: "nodes", kernels: 1, launches: 1 });
    expect(valueOf(figures.gpus)).toEqual([{ name: "NVIDIA A100", memoryBytes: 42e9, multiprocessors: 108 }]);
    expect(valueOf(figures.recordedNs)).toBe(100_000);
    expect(valueOf(figures.memory)).toMatchObject([{ operation: "host-to-device", bytes: 4000 }]);
    expect(valueOf(figures.families)?.map(({ family }) => family)).toEqual(["GEMM", "attention"]);
  });

  it("may be packed", async () => {
    const path = madeFile("trace.json.gz", gzipSync(KINETO));
    expect(valueOf((await readProfile([path])).kernelCount)).toBe(2);
  });
});

it("one recording through two formats gives the same figures", async () => {
  const [asSqlite, asJson] = await Promise.all([
    readProfile([unpackedFixture("power-iteration-t4.sqlite.gz")]),
    readProfile([profileFixture("power-iteration-t4.chrome.json.gz")]),
  ]);
  expect(asJson.kernelCount).toEqual(asSqlite.kernelCount);
  expect(asJson.gpuTimeNs).toEqual(asSqlite.gpuTimeNs);
  expect(asJson.families).toEqual(asSqlite.families);
  const [[json], [exported]] = [valueOf(asJson.devices) ?? [], valueOf(asSqlite.devices) ?? []];
  expect(json?.gaps).toEqual(exported?.gaps);
  expect(json?.concurrency).toEqual(exported?.concurrency);
  expect({ busyNs: json?.busyNs, spanNs: json?.spanNs }).toEqual({
    busyNs: exported?.busyNs,
    spanNs: exported?.spanNs,
  });
});

describe("the scanner of events", () => {
  function scanned(
    text: string,
    cuts: readonly number[],
  ): { events: unknown[]; beside: [string, unknown][] } {
    const events: unknown[] = [];
    const beside: [string, unknown][] = [];
    const scanner = new EventScanner("t.json", {
      event: (event) => events.push(JSON.parse(event)),
      beside: (key, value) => beside.push([key, JSON.parse(value)]),
    });
    const edges = [0, ...[...cuts].map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
    for (let piece = 0; piece + 1 < edges.length; piece++)
      scanner.feed(text.slice(edges[piece], edges[piece + 1]));
    scanner.end();
    return { events, beside };
  }
  const key = fc
    .string({ maxLength: 5 })
    .filter((text) => JSON.stringify(text) === `"${text}"` && text !== "traceEvents");

  it("finds what JSON.parse finds, wherever the file is cut into chunks", () => {
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 5 }),
        fc.uniqueArray(fc.tuple(key, fc.jsonValue()), { maxLength: 3, selector: ([name]) => name }),
        fc.array(fc.nat(5000), { maxLength: 6 }),
        fc.constantFrom(undefined, 1),
        (events, others, cuts, indent) => {
          const entries = [...others.slice(0, 1), ["traceEvents", events] as const, ...others.slice(1)];
          const text = JSON.stringify(Object.fromEntries(entries), null, indent);
          const reread = Object.entries(JSON.parse(text) as object).filter(
            ([name]) => name !== "traceEvents",
          );
          expect(scanned(text, cuts)).toEqual({
            events: JSON.parse(JSON.stringify(events)) as unknown,
            beside: reread,
          });
          const bare = JSON.stringify(events, null, indent);
          expect(scanned(bare, cuts).events).toEqual(JSON.parse(bare));
        },
      ),
    );
  });
});

describe("a broken trace", () => {
  it.each([
    ["cut in an event", KINETO.slice(0, 900)],
    ["cut after its list", KINETO.slice(0, KINETO.lastIndexOf("]") + 1)],
    ["with an event that is no JSON", '[{"ph": "X" "ts": 1}]'],
    ["without events", '{"a": 1}'],
    ["whose events are no list", '{"traceEvents": 5}'],
    ["with more behind its end", `${KINETO}{}`],
    ["whose brackets do not match", '{"traceEvents": [{"a": 1}}]'],
    ["that only opens", `[${"[".repeat(100_000)}`],
  ])("%s is damaged", async (_, text) => {
    const thrown = await read(text).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(OperatorError);
    expect((thrown as OperatorError).code).toMatch(/^PROFILE_(DAMAGED|FORMAT_UNKNOWN)$/);
  });

  it("that lacks only its last bracket is read, as viewers do, with a note", async () => {
    const figures = await read('[{"ph":"X","cat":"kernel","name":"k","ts":1,"dur":2,"pid":0,"tid":7},\n');
    expect(valueOf(figures.kernelCount)).toBe(1);
    expect(figures.notes).toEqual(["the list of events has no end; the file may be cut short"]);
  });

  it("leaves out events without usable times, and says how many", async () => {
    const figures = await read(
      '[{"ph":"X","cat":"kernel","name":"k","ts":1,"dur":-2},{"ph":"X","cat":"kernel","ts":"1"},{"ph":"X","cat":"kernel","name":"k","ts":1e300,"dur":1},7]',
    );
    expect(figures.kernelCount).toMatchObject({ because: "no event of a kernel is in the trace" });
    expect(figures.notes).toEqual(["4 events have no usable start and duration, and are left out"]);
  });
});
