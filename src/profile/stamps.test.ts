import fc from "fast-check";
import { expect, it } from "vitest";
import { RelativeStamps } from "./stamps.ts";

it("keeps every nanosecond of stamps since 1970, in nanoseconds and in microseconds", () => {
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), (differenceNs) => {
      const base = 1_800_000_000_123_456_000n;
      const later = base + BigInt(differenceNs);
      const inNs = new RelativeStamps();
      expect(inNs.read(String(base), 1)).toBe(0);
      expect(inNs.read(String(later), 1)).toBe(differenceNs);
      const inUs = new RelativeStamps();
      expect(inUs.read(`${base / 1000n}.000`, 1000)).toBe(0);
      expect(inUs.read(`${later / 1000n}.${String(later % 1000n).padStart(3, "0")}`, 1000)).toBe(
        differenceNs,
      );
    }),
  );
});

it.each(["", "1e9", "now", "1.2.3", "9".repeat(40), "0x10"])("makes no stamp of %j", (text) => {
  expect(new RelativeStamps().read(text, 1)).toBeUndefined();
});
