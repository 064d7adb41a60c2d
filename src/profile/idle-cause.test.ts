import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CoveredTime, IdleTally } from "./idle-cause.ts";

const interval = fc.record({ start: fc.nat(50), length: fc.integer({ min: 1, max: 10 }) });

function covered(intervals: readonly { start: number; length: number }[]): CoveredTime {
  const time = new CoveredTime();
  for (const { start, length } of [...intervals].sort((a, b) => a.start - b.start))
    time.add(start, start + length);
  return time;
}

describe("what an idle device waited for", () => {
  it("is the host until the launch begins, and the launch from then on", () => {
    const idle = new IdleTally(new CoveredTime());
    idle.addGap(100, 150, 130);
    expect(idle.split()).toEqual({
      transferNs: 0,
      launchBoundNs: 20,
      alreadyLaunchedNs: 0,
      hostBoundNs: 30,
      unknownNs: 0,
    });
  });

  it("is the launch for the whole gap where the kernel was queued before", () => {
    const idle = new IdleTally(new CoveredTime());
    idle.addGap(100, 150, 20);
    expect(idle.split()).toMatchObject({ launchBoundNs: 50, alreadyLaunchedNs: 50, hostBoundNs: 0 });
  });

  it("is neither while a copy runs", () => {
    const idle = new IdleTally(covered([{ start: 110, length: 30 }]));
    idle.addGap(100, 150, 120);
    expect(idle.split()).toMatchObject({ transferNs: 30, hostBoundNs: 10, launchBoundNs: 10 });
  });

  it("is not decided where no launch is known", () => {
    const idle = new IdleTally(new CoveredTime());
    idle.addGap(100, 150, Number.NaN);
    expect(idle.split()).toBeUndefined();
  });

  it("adds up to the gaps, nanosecond by nanosecond", () => {
    fc.assert(
      fc.property(
        fc.array(interval, { maxLength: 8 }),
        fc.uniqueArray(fc.nat(60), { minLength: 2, maxLength: 12 }),
        fc.array(fc.option(fc.nat(60), { nil: Number.NaN }), { minLength: 6, maxLength: 6 }),
        (copies, stamps, launches) => {
          const edges = [...stamps].sort((a, b) => a - b);
          const tally = new IdleTally(covered(copies));
          const counted = { transferNs: 0, launchBoundNs: 0, hostBoundNs: 0, unknownNs: 0 };
          for (let gap = 0; gap + 1 < edges.length; gap += 2) {
            const [from, to] = [edges[gap] as number, edges[gap + 1] as number];
            const launch = launches[gap / 2] as number;
            tally.addGap(from, to, launch);
            for (let unit = from; unit < to; unit++) {
              if (copies.some(({ start, length }) => start <= unit && unit < start + length))
                counted.transferNs++;
              else if (Number.isNaN(launch)) counted.unknownNs++;
              else if (unit < launch) counted.hostBoundNs++;
              else counted.launchBoundNs++;
            }
          }
          const split = tally.split();
          if (split !== undefined) expect(split).toMatchObject(counted);
          else expect(counted.hostBoundNs + counted.launchBoundNs).toBe(0);
        },
      ),
    );
  });
});
