import { describe, expect, it } from "vitest";
import { BYTES_PER_MIB } from "../core/units.ts";
import { imageRoom } from "./image-room.ts";

describe("room for images", () => {
  // Study 003, "Headroom interpretation": free at idle, what it expected to be left, and its verdict.
  it.each([
    ["N3 ctx128K", 1_102, 700, "risky"],
    ["N3 ctx64K", 2_972, 2_400, "comfortable"],
    ["N5 ctx64K", 1_044, 600, "risky"],
    ["N5 ctx32K", 3_154, 2_500, "comfortable"],
    ["N7 ctx32K", 1_898, 1_300, "marginal"],
  ] as const)(
    "%s with %d MiB free keeps about %d MiB after one image: %s",
    (_name, freeMib, leftMib, verdict) => {
      const room = imageRoom(freeMib * BYTES_PER_MIB);
      expect(room.verdict).toBe(verdict);
      expect(Math.abs(room.freeAfterOneBytes / BYTES_PER_MIB - leftMib)).toBeLessThan(150);
    },
  );
});
