import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gustafsonShare, karpFlatt, LAWS, uslPeak } from "./laws.ts";

describe("the laws of scaling", () => {
  it("gives Amdahl's textbook speedups", () => {
    const speedup = (serial: number, processors: number): number =>
      LAWS.amdahl.throughput(processors, [1, serial]);
    // Hennessy and Patterson, Computer Architecture: 100 processors are to give a speedup of 80, so the serial share may be 0.25 %.
    expect(speedup(0.0025, 100)).toBeCloseTo(80.16, 2);
    // A tenth serial: ten processors give 1 ÷ (0.1 + 0.9/10), and no number gives more than ten.
    expect(speedup(0.1, 10)).toBeCloseTo(5.263, 3);
    expect(speedup(0.1, 1e9)).toBeCloseTo(10, 6);
  });

  it("gives the scaled speedup of 1,024 processors that Gustafson published", () => {
    // "Reevaluating Amdahl's law", 1988: serial shares of 0.4, 0.6 and 0.7 % give about 1,020, 1,018 and 1,016.
    expect(LAWS.gustafson.throughput(1024, [1, 0.004])).toBeCloseTo(1019.9, 1);
    expect(LAWS.gustafson.throughput(1024, [1, 0.006])).toBeCloseTo(1017.9, 1);
    expect(LAWS.gustafson.throughput(1024, [1, 0.007])).toBeCloseTo(1016.8, 1);
  });

  it("finds Karp and Flatt's serial share, which undoes Amdahl's law", () => {
    // (1/1.82 − 1/2) ÷ (1/2): a speedup of 1.82 on two.
    expect(karpFlatt(1.82, 2)).toBeCloseTo(0.0989, 4);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 2, max: 500 }),
        (serial, agents) => {
          const speedup = LAWS.amdahl.throughput(agents, [1, serial]);
          expect(karpFlatt(speedup, agents)).toBeCloseTo(serial, 9);
          expect(gustafsonShare(LAWS.gustafson.throughput(agents, [1, serial]), agents)).toBeCloseTo(
            serial,
            9,
          );
        },
      ),
    );
    expect(karpFlatt(1, 1)).toBeUndefined();
    expect(gustafsonShare(1, 1)).toBeUndefined();
  });

  it("puts the largest throughput of the USL at N*", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        fc.double({ min: 1e-5, max: 0.1, noNaN: true }),
        (sigma, kappa) => {
          const peak = uslPeak(sigma, kappa) as number;
          const at = (agents: number): number => LAWS.usl.throughput(agents, [1, sigma, kappa]);
          expect(at(peak)).toBeGreaterThan(at(peak * 1.01));
          expect(at(peak)).toBeGreaterThan(at(peak * 0.99));
        },
      ),
    );
    expect(uslPeak(0.1, 0)).toBeUndefined();
  });

  it("has its knee, half of all that Amdahl's curve can give, at (1 − s) ÷ s", () => {
    const serial = 0.02;
    // 98 % ÷ 2 %; the limit is 1 ÷ s = 50. At the knee N = 49 + … the curve gives N ÷ (1 + s(N − 1)).
    expect(LAWS.amdahl.throughput((1 - serial) / serial, [1, serial])).toBeCloseTo(25, 9);
  });
});
