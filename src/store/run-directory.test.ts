import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  sampleChunks,
  sampleEvent,
  sampleManifest,
  sampleRequest,
  sampleTelemetry,
  sampleTrial,
} from "../../test/fakes/sample-records.ts";
import { temporaryDirectory } from "../../test/fakes/temporary-directory.ts";
import { VirtualClock } from "../core/clock.ts";
import type { EventRecord, TelemetrySample } from "../record/event-record.ts";
import type { ChunkRecord, RequestRecord } from "../record/request-record.ts";
import { readRun } from "./read-run.ts";
import { createRunDirectory, openRunDirectory } from "./run-directory.ts";

const clock = new VirtualClock();

function create(runsDir: string, durable = false) {
  return createRunDirectory({ runsDir, manifest: sampleManifest(), durable, clock });
}

describe("a new run", () => {
  test("has its manifest and every record file from the first moment", () => {
    const runsDir = temporaryDirectory();
    const writer = create(runsDir);
    expect(readdirSync(writer.path).sort()).toEqual([
      "chunks.jsonl",
      "events.jsonl",
      "manifest.json",
      "requests.jsonl",
      "telemetry.jsonl",
      "trials.jsonl",
      "writer-1.lock",
    ]);
    expect(readRun(writer.path).manifest).toEqual(sampleManifest());
    writer.close("complete");
  });

  test.each([false, true])("has each line on disk when the call returns (durable: %s)", (durable) => {
    const writer = create(temporaryDirectory(), durable);
    const request = sampleRequest();
    writer.request(request, sampleChunks(request.requestId));
    expect(readFileSync(join(writer.path, "requests.jsonl"), "utf8")).toBe(`${JSON.stringify(request)}\n`);
    expect(statSync(join(writer.path, "chunks.jsonl")).size).toBeGreaterThan(0);
    writer.close("complete");
  });

  test("is never written over an old one", () => {
    const runsDir = temporaryDirectory();
    create(runsDir).close("complete");
    expect(() => create(runsDir)).toThrow(expect.objectContaining({ code: "RUN_EXISTS" }));
    // The refusal must not leave the old run locked.
    openRunDirectory({ path: join(runsDir, sampleManifest().runId), durable: false, clock }).close(
      "complete",
    );
  });

  test("ends with its status and the time of its end", () => {
    const writer = create(temporaryDirectory());
    writer.updateManifest({ plannedTrials: 7 });
    writer.close("interrupted");
    expect(readRun(writer.path).manifest).toEqual({
      ...sampleManifest(),
      plannedTrials: 7,
      status: "interrupted",
      endedIso: "1970-01-01T00:00:00.000Z",
    });
  });

  test("takes documents whole, text as it is and the rest as JSON", () => {
    const writer = create(temporaryDirectory());
    writer.writeDocument("report.md", "# Report\n");
    writer.writeDocument("analysis.json", { a: 1 });
    writer.writeDocument("analysis.json", { a: 2 });
    expect(readFileSync(join(writer.path, "report.md"), "utf8")).toBe("# Report\n");
    expect(JSON.parse(readFileSync(join(writer.path, "analysis.json"), "utf8"))).toEqual({ a: 2 });
    expect(() => writer.writeDocument("../escape.json", {})).toThrow("no name for a document");
    writer.close("complete");
    expect(() => writer.writeDocument("late.json", {})).toThrow("a closed run");
    expect(() => writer.event(sampleEvent())).toThrow("a closed run");
  });

  test("that cannot be made is refused with the path", () => {
    const file = join(temporaryDirectory(), "a-file");
    writeFileSync(file, "");
    expect(() => create(join(file, "runs"))).toThrow(
      expect.objectContaining({ code: "DIRECTORY_UNWRITABLE", received: "ENOTDIR" }),
    );
    expect(() => create(file)).toThrow(expect.objectContaining({ code: "DIRECTORY_UNWRITABLE" }));
  });
});

describe("a run that is taken up again", () => {
  test("loses its torn last line and keeps a line that lacks only its newline", () => {
    const writer = create(temporaryDirectory());
    writer.request(sampleRequest({ position: 0 }));
    writer.event(sampleEvent());
    writer.close("interrupted");
    const requests = join(writer.path, "requests.jsonl");
    const events = join(writer.path, "events.jsonl");
    writeFileSync(requests, `${readFileSync(requests, "utf8")}{"v":1,"requestId":"half`);
    writeFileSync(events, readFileSync(events, "utf8").trimEnd());

    const again = openRunDirectory({ path: writer.path, durable: false, clock });
    again.request(sampleRequest({ position: 1 }));
    again.close("complete");

    const run = readRun(writer.path);
    const positions: number[] = [];
    run.eachRequest((request) => positions.push(request.position));
    expect(positions).toEqual([0, 1]);
    const found: EventRecord[] = [];
    run.eachEvent((event) => found.push(event));
    expect(found.map((event) => event.kind)).toEqual(["trial-started", "run-resumed"]);
    expect(found[1]?.data?.["tornBytes"]).toMatchObject({ requests: 24, events: 0 });
    expect(run.notices.filter((notice) => notice.kind === "torn-line")).toEqual([]);
    expect(run.manifest).toMatchObject({ status: "complete" });
  });

  test("says that it runs, and no longer when it ended", () => {
    const writer = create(temporaryDirectory());
    writer.close("interrupted");
    const again = openRunDirectory({ path: writer.path, durable: false, clock });
    const { manifest } = readRun(writer.path);
    expect(manifest.status).toBe("running");
    expect("endedIso" in manifest).toBe(false);
    again.close("complete");
  });

  test("is refused where there is none", () => {
    const path = join(temporaryDirectory(), "nothing");
    expect(() => openRunDirectory({ path, durable: false, clock })).toThrow(
      expect.objectContaining({ code: "FILE_NOT_FOUND" }),
    );
    expect(existsSync(path)).toBe(false);
  });
});

describe("whatever is written is read back equal", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("\n", "\u2028", "\u0000", "é\r\n", "\ud800"),
  );
  // JSON has no negative zero.
  const number = fc.oneof(
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  );
  const count = fc.double({ min: 0, max: 1e7, noNaN: true });
  const amount = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });
  /** What no run can have done is not read back. */
  const inOrder = (scheduledNs: number, moments: readonly number[]): RequestRecord["stamps"] => {
    const [endNs = 0, firstTokenNs, sentNs] = [...moments].sort((one, other) => other - one);
    return {
      scheduledNs,
      endNs,
      ...(firstTokenNs === undefined ? {} : { firstTokenNs }),
      ...(sentNs === undefined ? {} : { sentNs }),
    };
  };
  const requests: fc.Arbitrary<RequestRecord> = fc
    .record({
      agent: text,
      step: text,
      model: text,
      position: fc.nat(),
      stamps: fc
        .tuple(number, fc.uniqueArray(fc.nat(1e14), { minLength: 1, maxLength: 3 }))
        .map(([scheduledNs, moments]) => inOrder(scheduledNs, moments)),
      tokens: fc.record({ input: count, output: count }, { requiredKeys: [] }),
      outcome: fc.oneof(
        fc.constant({ kind: "ok" as const }),
        fc.record({ kind: fc.constant("cancelled" as const), reason: text }),
        fc.record({
          kind: fc.constant("failed" as const),
          code: fc.constant("SERVER_ERROR" as const),
          message: text,
          afterFirstToken: fc.boolean(),
        }),
      ),
    })
    .map((over) => sampleRequest(over));
  const chunks: fc.Arbitrary<ChunkRecord> = fc.record(
    {
      v: fc.constant(1 as const),
      requestId: text,
      firstNs: number,
      gapsUs: fc.array(amount),
      tokens: fc.array(count),
    },
    { requiredKeys: ["v", "requestId", "firstNs", "gapsUs"] },
  );
  const events: fc.Arbitrary<EventRecord> = fc.record(
    {
      atNs: number,
      kind: text,
      message: text,
      data: fc.dictionary(text, fc.oneof(text, number, fc.array(text))),
    },
    { requiredKeys: ["atNs", "kind", "message"] },
  );
  const samples: fc.Arbitrary<TelemetrySample> = fc.record(
    {
      atNs: number,
      cpuPct: number,
      gpus: fc.array(fc.record({ index: fc.nat(), powerW: number }, { requiredKeys: ["index"] })),
      processes: fc.array(fc.record({ pid: fc.nat(), name: text })),
    },
    { requiredKeys: ["atNs"] },
  );

  test("for any records in any order", () => {
    const runsDir = temporaryDirectory();
    let serial = 0;
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(requests, fc.option(chunks, { nil: undefined })), {
          maxLength: 8,
          selector: ([request]) => request.requestId,
        }),
        fc.array(events, { maxLength: 8 }),
        fc.array(samples, { maxLength: 8 }),
        (written, happened, sampled) => {
          const manifest = sampleManifest({ runId: `run-${serial++}` });
          const writer = createRunDirectory({ runsDir, manifest, durable: false, clock });
          for (const [request, chunk] of written) writer.request(request, chunk);
          for (const event of happened) writer.event(event);
          for (const sample of sampled) writer.telemetry(sample);
          writer.trial(sampleTrial());
          writer.close("complete");

          const run = readRun(writer.path);
          const read = {
            requests: [] as unknown[],
            chunks: [] as unknown[],
            events: [] as unknown[],
            samples: [] as unknown[],
          };
          run.eachRequest((record) => read.requests.push(record));
          run.eachChunk((record) => read.chunks.push(record));
          run.eachEvent((record) => read.events.push(record));
          run.eachTelemetrySample((record) => read.samples.push(record));
          expect(read.requests).toEqual(written.map(([request]) => request));
          expect(read.chunks).toEqual(written.flatMap(([, chunk]) => chunk ?? []));
          expect(read.events).toEqual(happened);
          expect(read.samples).toEqual(sampled);
          expect(run.trials).toEqual([sampleTrial()]);
          expect(run.notices).toEqual([]);
        },
      ),
      { numRuns: 60, seed: 7 },
    );
  });

  test("and the samples of this suite break no rule", () => {
    const writer = create(temporaryDirectory());
    writer.telemetry(sampleTelemetry());
    writer.close("complete");
    const samples: TelemetrySample[] = [];
    readRun(writer.path).eachTelemetrySample((sample) => samples.push(sample));
    expect(samples).toEqual([sampleTelemetry()]);
  });
});
