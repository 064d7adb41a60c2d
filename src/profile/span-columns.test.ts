import fc from "fast-check";
import { expect, it } from "vitest";
import { SpanColumns } from "./span-columns.ts";

it("gives back every interval in order of start, equal starts as they came", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.nat(9)), { maxLength: 60 }),
      (list) => {
        const columns = new SpanColumns();
        for (const [index, [start, length]] of list.entries())
          columns.push(start, start + length, index % 5, index, index / 2);
        const seen: number[][] = [];
        columns.visit((...span) => seen.push(span));
        const expected = list
          .map(([start, length], index) => [start, start + length, index % 5, index, index / 2])
          .sort((one, other) => (one[0] as number) - (other[0] as number));
        expect(seen).toEqual(expected);
      },
    ),
  );
});

it("holds more than one page", () => {
  const columns = new SpanColumns();
  for (let index = 0; index < 150_000; index++) columns.push(150_000 - index, 150_001, 0, 0, Number.NaN);
  let before = 0;
  columns.visit((start) => {
    expect(start === before + 1).toBe(true);
    before = start;
  });
  expect(before).toBe(150_000);
});
