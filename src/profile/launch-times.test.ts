import fc from "fast-check";
import { expect, it } from "vitest";
import { LaunchTimes } from "./launch-times.ts";

it("remembers the earliest call of each process and number, and knows what it does not know", () => {
  const call = fc.tuple(fc.nat(2), fc.nat(5000), fc.nat(100));
  fc.assert(
    fc.property(fc.array(call, { maxLength: 50 }), (calls) => {
      const times = new LaunchTimes();
      const expected = new Map<string, number>();
      for (const [process, number, startNs] of calls) {
        times.set(process, number, startNs);
        expected.set(
          `${process}/${number}`,
          Math.min(startNs, expected.get(`${process}/${number}`) ?? startNs),
        );
      }
      for (let process = 0; process < 3; process++)
        for (let number = 0; number < 5000; number += 7)
          expect(times.get(process, number)).toBe(expected.get(`${process}/${number}`) ?? Number.NaN);
    }),
    { numRuns: 20 },
  );
});

it("gives up on numbers scattered beyond its memory, and says so", () => {
  const times = new LaunchTimes();
  for (let number = 0; number < 40_000; number++) times.set(1, number * 1024, 1);
  expect(times.full).toBe(true);
  expect(times.get(1, 39_999 * 1024)).toBeNaN();
  expect(times.get(1, 0)).toBe(1);
});

it("takes no number for what is none", () => {
  const times = new LaunchTimes();
  times.set(1, Number.NaN, 5);
  expect(times.get(1, Number.NaN)).toBeNaN();
  expect(times.get(1, 2.5)).toBeNaN();
  expect(times.get(1, -3)).toBeNaN();
});
