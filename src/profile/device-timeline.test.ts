import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DeviceTimeline } from "./device-timeline.ts";

interface Kernel {
  readonly start: number;
  readonly end: number;
  readonly stream: number;
}

/** Small numbers, so that stamps coincide often. */
const kernel: fc.Arbitrary<Kernel> = fc
  .record({ start: fc.nat(60), length: fc.nat(12), stream: fc.nat(3) })
  .map(({ start, length, stream }) => ({ start, end: start + length, stream }));
const kernels = fc.array(kernel, { minLength: 1, maxLength: 40 });

function folded(list: readonly Kernel[]): { timeline: DeviceTimeline; gaps: [number, number][] } {
  const gaps: [number, number][] = [];
  const timeline = new DeviceTimeline((from, to) => gaps.push([from, to]));
  for (const one of [...list].sort((a, b) => a.start - b.start))
    timeline.add(one.start, one.end, one.stream, Number.NaN);
  return { timeline, gaps };
}

/** Nanoseconds in which at least one kernel runs, one by one. */
function busyUnits(list: readonly Kernel[]): number[] {
  const units: number[] = [];
  for (let unit = 0; unit < 80; unit++)
    if (list.some(({ start, end }) => start <= unit && unit < end)) units.push(unit);
  return units;
}

describe("a device's timeline", () => {
  it("is busy for as long as anything runs, however much overlaps", () => {
    fc.assert(
      fc.property(kernels, (list) => {
        expect(folded(list).timeline.busyNs).toBe(busyUnits(list).length);
      }),
    );
  });

  it("adds up: busy and gaps are the span, the sum is no less than the union", () => {
    fc.assert(
      fc.property(kernels, (list) => {
        const { timeline, gaps } = folded(list);
        const idle = gaps.reduce((sum, [from, to]) => sum + to - from, 0);
        expect(timeline.busyNs + idle).toBe(timeline.spanNs);
        expect(timeline.gpuTimeNs).toBeGreaterThanOrEqual(timeline.busyNs);
        expect(timeline.spanNs).toBe(
          Math.max(...list.map(({ end }) => end)) - Math.min(...list.map(({ start }) => start)),
        );
      }),
    );
  });

  it("has gaps in which nothing runs, and a kernel at both ends of each", () => {
    fc.assert(
      fc.property(kernels, (list) => {
        for (const [from, to] of folded(list).gaps) {
          expect(list.some(({ start, end }) => start < to && end > from)).toBe(false);
          expect(list.some(({ end }) => end === from)).toBe(true);
          expect(list.some(({ start }) => start === to)).toBe(true);
        }
      }),
    );
  });

  it("counts at each start what has begun and not ended, an end coming before a start of the same stamp", () => {
    fc.assert(
      fc.property(kernels, (list) => {
        const ordered = [...list].sort((a, b) => a.start - b.start);
        let [most, mostStreams] = [0, 0];
        for (const [index, one] of ordered.entries()) {
          const running = ordered.slice(0, index).filter(({ end }) => end > one.start);
          most = Math.max(most, running.length + 1);
          mostStreams = Math.max(
            mostStreams,
            new Set([...running.map(({ stream }) => stream), one.stream]).size,
          );
        }
        const { concurrency } = folded(list).timeline;
        expect(concurrency.maxKernels).toBe(most);
        expect(concurrency.maxStreams).toBe(mostStreams);
      }),
    );
  });

  it("keeps streams apart: each has its own union, and their kernels are all kernels", () => {
    fc.assert(
      fc.property(kernels, (list) => {
        const { streams } = folded(list).timeline;
        for (const [stream, figures] of streams) {
          const own = list.filter((one) => one.stream === stream);
          expect(figures.kernels).toBe(own.length);
          expect(figures.busyNs).toBe(busyUnits(own).length);
        }
        expect([...streams.values()].reduce((sum, { kernels: count }) => sum + count, 0)).toBe(list.length);
      }),
    );
  });

  it("tells overlap within one stream from concurrency", () => {
    const { concurrency } = folded([
      { start: 0, end: 10, stream: 1 },
      { start: 6, end: 20, stream: 1 },
    ]).timeline;
    expect(concurrency).toEqual({
      maxKernels: 2,
      maxStreams: 1,
      sameStreamOverlaps: 1,
      sameStreamOverlapNs: 4,
    });
  });

  it("does not slow down where everything overlaps", () => {
    const all = Array.from({ length: 100_000 }, (_, start) => ({
      start,
      end: 1e9 + start,
      stream: start % 50,
    }));
    expect(folded(all).timeline.concurrency.maxKernels).toBe(100_000);
  });
});
