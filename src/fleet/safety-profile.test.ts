import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { STUDY_003_PROFILE, derivedProfile, hostFloorBytes, safetyProfile } from "./safety-profile.ts";

const MIB = 1_048_576;
const GIB = 1024 * MIB;

describe("the profile of study 003", () => {
  test("has the study's thresholds", () => {
    expect(hostFloorBytes(STUDY_003_PROFILE.hostFloor, 1)).toBe(13 * GIB);
    expect(STUDY_003_PROFILE.poolAfterBootBytes).toBe(400 * MIB);
    expect(STUDY_003_PROFILE.watchdog).toEqual({
      hostAvailableBytes: 8 * GIB,
      poolFreeBytes: 200 * MIB,
      sustainedMs: 15_000,
      pollMs: 5_000,
    });
  });
});

describe("the derived profile", () => {
  const gpu = (hostGib: number, cardGib: number) =>
    derivedProfile({ hostTotalBytes: hostGib * GIB, pool: { kind: "gpu", totalBytes: cardGib * GIB } });

  test("asks for 0.9 of the model's file and a GiB on an ordinary host", () => {
    // 14 GiB × 0.9 + 1 GiB.
    expect(hostFloorBytes(gpu(32, 24).hostFloor, 14 * GIB)).toBe(Math.ceil(12.6 * GIB) + GIB);
  });

  test("asks a small box for less than the study did", () => {
    const small = gpu(4, 8);
    expect(hostFloorBytes(small.hostFloor, GIB)).toBe(Math.ceil(0.9 * GIB) + 512 * MIB);
    expect(small.watchdog.hostAvailableBytes).toBe(256 * MIB);
    // A third of the study's card.
    expect(small.poolAfterBootBytes).toBe(Math.floor((400 * MIB) / 3));
    expect(small.watchdog.poolFreeBytes).toBe(Math.floor((200 * MIB) / 3));
    expect(small.poolMarginBytes).toBe(512 * MIB);
  });

  test("counts a budget as the size of the pool", () => {
    const profile = derivedProfile({
      hostTotalBytes: 24 * GIB,
      pool: { kind: "host", totalBytes: 24 * GIB, budgetBytes: 800 * MIB },
    });
    expect(profile.poolMarginBytes).toBe(100 * MIB);
  });

  test("never asks for more than the study's machine did, and never for more than the machine has", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: MIB, max: 2_000 * GIB }),
        fc.integer({ min: 1024 * MIB, max: 2_000 * GIB }),
        fc.constantFrom("gpu" as const, "host" as const),
        (hostTotalBytes, totalBytes, kind) => {
          const profile = safetyProfile("derived", { hostTotalBytes, pool: { kind, totalBytes } });
          expect(profile.poolAfterBootBytes).toBeLessThanOrEqual(STUDY_003_PROFILE.poolAfterBootBytes);
          expect(profile.watchdog.poolFreeBytes).toBeLessThanOrEqual(profile.poolAfterBootBytes);
          expect(profile.watchdog.hostAvailableBytes).toBeLessThanOrEqual(
            STUDY_003_PROFILE.watchdog.hostAvailableBytes,
          );
          expect(hostFloorBytes(profile.hostFloor, 0)).toBeLessThan(hostTotalBytes);
          expect(profile.poolMarginBytes).toBeLessThan(totalBytes);
        },
      ),
    );
  });
});
