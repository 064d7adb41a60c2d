/**
 * Files that were cut, overwritten or spliced: each is read, or refused with a code. The mutations
 * are drawn by fast-check, whose failure message carries the seed. More runs than the default:
 * SLIPWAY_FUZZ_RUNS=10000.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { OperatorError } from "../core/errors.ts";
import { kernelTable, madeExport, runtimeTable, stringTable } from "../../test/fakes/made-export.ts";
import { profileFixture } from "../../test/fakes/profile-fixtures.ts";
import { temporaryDirectory } from "../../test/fakes/temporary-directory.ts";
import { valueOf } from "./figures.ts";
import { readProfile } from "./read-profile.ts";

const RUNS = Number(process.env["SLIPWAY_FUZZ_RUNS"] ?? 150);

interface Mutation {
  readonly cutAt: number;
  readonly writes: readonly { readonly at: number; readonly bytes: Uint8Array }[];
  readonly splice: { readonly from: number; readonly length: number; readonly to: number } | undefined;
}

/** Places are shares of the file's length. */
const place = fc.double({ min: 0, max: 1, noNaN: true });
const mutation: fc.Arbitrary<Mutation> = fc.record({
  cutAt: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, place),
  writes: fc.array(fc.record({ at: place, bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }) }), {
    maxLength: 12,
  }),
  splice: fc.option(fc.record({ from: place, length: fc.nat(4096), to: place }), { nil: undefined }),
});

function mutated(original: Buffer, { cutAt, writes, splice }: Mutation): Buffer {
  const bytes = Buffer.from(original);
  const at = (share: number): number => Math.min(Math.floor(share * bytes.length), bytes.length - 1);
  for (const write of writes) bytes.set(write.bytes.subarray(0, bytes.length - at(write.at)), at(write.at));
  if (splice !== undefined) bytes.copyWithin(at(splice.to), at(splice.from), at(splice.from) + splice.length);
  return bytes.subarray(0, Math.floor(cutAt * bytes.length));
}

function smallExport(): string {
  return madeExport({
    StringIds: stringTable({ 1: "gemm", 2: "cudaLaunchKernel_v7000", 3: "read" }) as never,
    CUPTI_ACTIVITY_KIND_KERNEL: kernelTable(
      Array.from({ length: 120 }, (_, n) => ({ start: n * 10, end: n * 10 + 7, correlation: n })),
    ) as never,
    CUPTI_ACTIVITY_KIND_RUNTIME: runtimeTable(
      Array.from({ length: 120 }, (_, n) => ({
        start: n * 10 - 5,
        end: n * 10 - 2,
        correlation: n,
        name: 2,
      })),
    ) as never,
    OSRT_API: { columns: ["start", "end", "nameId"], rows: [[0, 5, 3]] },
    NVTX_EVENTS: { columns: ["start", "end", "eventType", "text"], rows: [[0, 9, 59, "step"]] },
    META_DATA_EXPORT: { columns: ["name", "value"], rows: [["EXPORT_SCHEMA_VERSION", "3.20.2"]] },
  });
}

const JSON_TRACE = JSON.stringify({
  traceEvents: Array.from({ length: 40 }, (_, n) => ({
    ph: "X",
    cat: n % 3 === 0 ? "cuda_runtime" : "kernel",
    name: "k",
    ts: n * 3.5,
    dur: 2,
    pid: 0,
    tid: 7,
    args: { correlation: n, stream: 7, device: 0 },
  })),
});

it.each([
  ["an export", "trace.sqlite", () => readFileSync(smallExport())],
  ["reports of nsys stats", "stats.csv", () => readFileSync(profileFixture("power-iteration-t4.stats.csv"))],
  ["counters of ncu", "ncu.csv", () => readFileSync(profileFixture("copy-blocked-t4.csv"))],
  ["a Chrome trace", "trace.json", () => Buffer.from(JSON_TRACE)],
  [
    "a packed Chrome trace",
    "trace.json.gz",
    () => readFileSync(profileFixture("power-iteration-t4.chrome.json.gz")),
  ],
])(
  "%s, mutated, is read or refused with a code",
  async (_, name, original) => {
    const bytes = original();
    const path = join(temporaryDirectory(), name);
    await fc.assert(
      fc.asyncProperty(mutation, async (how) => {
        writeFileSync(path, mutated(bytes, how));
        try {
          const figures = await readProfile([path]);
          const kernels = valueOf(figures.kernelCount);
          if (kernels !== undefined) expect(kernels).toBeGreaterThan(0);
          for (const device of valueOf(figures.devices) ?? []) {
            expect(device.gpuTimeNs).toBeGreaterThanOrEqual(device.busyNs);
            expect(device.utilisationOfSpan ?? 0).toBeLessThanOrEqual(1);
          }
        } catch (thrown) {
          if (!(thrown instanceof OperatorError)) throw thrown;
          expect(thrown.code).toMatch(/^PROFILE_/);
          expect(thrown.nextStep).not.toBe("");
        }
      }),
      { numRuns: RUNS },
    );
  },
  3_600_000,
);
