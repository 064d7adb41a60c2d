import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import {
  certificatePath,
  certify,
  describeMachine,
  loadCertificate,
  saveCertificate,
} from "./certificate.ts";
import type { CertifiedCell } from "./certificate.ts";
import { describeErrors } from "./error-figures.ts";
import { renderCertificate } from "./render.ts";

const MACHINE = { cpuModel: "Test CPU", logicalCores: 2, os: "Linux 6.1", nodeVersion: "v20.20.2" };

/** A cell whose 700 events are all off by `errorMs`, but the worst 8 by `worstMs`: that is above 1 in 100. */
function cell(streams: number, tokensPerS: number, errorMs: number, worstMs = errorMs): CertifiedCell {
  const figures = describeErrors([...Array<number>(692).fill(errorMs), ...Array<number>(8).fill(worstMs)]);
  return {
    plan: { streams, tokensPerS, pattern: "spread", seconds: 1 },
    events: 700,
    brokenStreams: 0,
    offeredEventsPerS: streams * tokensPerS,
    writtenEventsPerS: streams * tokensPerS - 1,
    firstEvents: describeErrors([errorMs]),
    startBurst: figures,
    steady: figures,
    all: figures,
    sharedStampPct: 0,
    emitterLag: { events: 700, p50Ms: 0.01, p99Ms: 0.5, maxMs: 1 },
  };
}

const FACTS = { machine: MACHINE, createdIso: "2026-01-01T00:00:00.000Z", grid: "custom" as const };

function verdictOf(...cells: CertifiedCell[]) {
  return certify(FACTS, cells).verdict;
}

describe("the verdict", () => {
  test("names the highest rate whose median error is under 5 ms, as it was written and not as it was offered", () => {
    expect(verdictOf(cell(512, 100, 4.9), cell(512, 200, 5.1)).highestEventsPerS).toBe(51_199);
  });

  test("has no rate when none was kept up with", () => {
    expect(verdictOf(cell(512, 200, 6))).not.toHaveProperty("highestEventsPerS");
  });

  test("trusts a concurrency only when every smaller one of that rate held too", () => {
    const held = [cell(1, 50, 0.1), cell(8, 50, 0.1), cell(512, 50, 0.1)];
    expect(verdictOf(...held, cell(64, 50, 11)).trusted).toEqual([{ tokensPerS: 50, streams: 8 }]);
    expect(verdictOf(...held).trusted).toEqual([{ tokensPerS: 50, streams: 512 }]);
  });

  test("asks 99 of 100 events to be within 10 ms", () => {
    expect(verdictOf(cell(8, 50, 0.1, 9.9)).trusted[0]?.streams).toBe(8);
    expect(verdictOf(cell(8, 50, 0.1, 10.1)).trusted[0]?.streams).toBe(0);
  });

  test("judges each rate on its own, and both patterns of arrival together", () => {
    const lockstep = { ...cell(64, 50, 12), plan: { ...cell(64, 50, 0).plan, pattern: "lockstep" as const } };
    expect(verdictOf(cell(64, 100, 0.1), cell(16, 50, 0.1), cell(64, 50, 0.1), lockstep).trusted).toEqual([
      { tokensPerS: 50, streams: 16 },
      { tokensPerS: 100, streams: 64 },
    ]);
  });

  test("trusts no cell that lost a stream", () => {
    expect(verdictOf({ ...cell(8, 50, 0.1), brokenStreams: 1 })).toEqual({
      trusted: [{ tokensPerS: 50, streams: 0 }],
    });
  });

  test("does not judge a cell by the tail of too few events", () => {
    const few = describeErrors([0.1, 0.1, 40]);
    expect(verdictOf({ ...cell(1, 10, 0.1), all: few }).trusted).toEqual([{ tokensPerS: 10, streams: 1 }]);
  });
});

describe("error figures", () => {
  test("are mean, median, p99 and maximum, the p99 only from 662 events on", () => {
    const upTo = (n: number) => describeErrors(Array.from({ length: n }, (_, index) => index));
    expect(upTo(661)).toEqual({ events: 661, biasMs: 330, p50Ms: 330, maxMs: 660 });
    // Type 7: rank 0.99 · 700 = 693 of the 701 values 0 … 700.
    expect(upTo(701).p99Ms).toBeCloseTo(693, 9);
  });

  test("of nothing are absent", () => {
    expect(describeErrors([])).toEqual({ events: 0 });
  });
});

describe("keeping it", () => {
  const folder = mkdtempSync(join(tmpdir(), "slipway-certificate-"));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const certificate = certify({ ...FACTS, grid: "quick" }, [cell(8, 50, 0.1)]);

  test("what was saved is loaded, absent figures staying absent", () => {
    const path = join(folder, "deep", "certificate.json");
    saveCertificate(path, certificate);
    expect(loadCertificate(path)).toEqual(certificate);
    expect(JSON.parse(readFileSync(path, "utf8")).v).toBe(1);
  });

  test("a missing file, a torn one and one of another version are no certificate", () => {
    const path = join(folder, "certificate.json");
    expect(loadCertificate(path)).toBeUndefined();
    saveCertificate(path, certificate);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.slice(0, -20));
    expect(loadCertificate(path)).toBeUndefined();
    writeFileSync(path, text.replace('"v": 1', '"v": 2'));
    expect(loadCertificate(path)).toBeUndefined();
  });

  test("its place follows the machine and the Node version, under the operator's cache", () => {
    const path = certificatePath(MACHINE, { XDG_CACHE_HOME: "/cache", HOME: "/home/me" });
    expect(path).toMatch(/^\/cache\/slipway\/certificate-[0-9a-f]{16}\.json$/);
    expect(certificatePath({ ...MACHINE, nodeVersion: "v22.0.0" }, { XDG_CACHE_HOME: "/cache" })).not.toBe(
      path,
    );
    expect(certificatePath(MACHINE, { HOME: "/home/me" })).toMatch(/^\/home\/me\/\.cache\/slipway\//);
  });

  test("this machine can be described", () => {
    expect(describeMachine()).toMatchObject({ nodeVersion: process.version, os: expect.stringMatching(/ /) });
    expect(describeMachine().logicalCores).toBeGreaterThan(0);
  });
});

test("the rendered certificate shows each cell, the absent as a dash, and the verdict in words", () => {
  const cells = [cell(8, 50, 0.125, 9), cell(512, 200, 6)];
  expect(renderCertificate(certify(FACTS, cells))).toMatchInlineSnapshot(`
    "Error certificate (custom), 2026-01-01T00:00:00.000Z
    Test CPU, 2 cores, Linux 6.1, Node v20.20.2
    Receive − write of streamed events, milliseconds; the emitter ran beside it on this machine.

    streams × tok/s  events/s  TTFT p50   max  start p50   p99   max  steady p50   p99   max  shared %  emitter late p99
             8 × 50       399      0.13  0.13       0.13  9.00  9.00        0.13  9.00  9.00       0.0              0.50
          512 × 200    102399      6.00  6.00       6.00  6.00  6.00        6.00  6.00  6.00       0.0              0.50

    Kept up with 399 events/s.
    At 50 tok/s per stream, trust figures up to 8 streams.
    At 200 tok/s per stream, 512 streams are too many to trust; fewer were not tried.
    "
  `);
});

test("a certificate that was measured on a busy machine says so", () => {
  const measured = (loadAverage1Before: number) =>
    renderCertificate(certify({ ...FACTS, loadAverage1Before }, [cell(1, 50, 0.1)]));
  expect(measured(1.6)).toContain("Other programs were running (load average 1.6)");
  expect(measured(0.2)).not.toContain("Other programs");
});
