import { expect, test } from "vitest";
import { VirtualClock } from "../core/clock.ts";
import { sToNs } from "../core/units.ts";
import { retryAfterMs } from "./retry-after.ts";

const clock = new VirtualClock(sToNs(1_000));

test("seconds and dates are read, what is neither is unknown", () => {
  expect(retryAfterMs("7", clock)).toBe(7000);
  expect(retryAfterMs(" 0.5 ", clock)).toBe(500);
  // The virtual wall clock stands 1,000 s after the epoch.
  expect(retryAfterMs("Thu, 01 Jan 1970 00:17:00 GMT", clock)).toBe(20_000);
  expect(retryAfterMs("Thu, 01 Jan 1970 00:00:00 GMT", clock)).toBe(0);
  expect(retryAfterMs("soon", clock)).toBeUndefined();
  expect(retryAfterMs("", clock)).toBeUndefined();
  expect(retryAfterMs(undefined, clock)).toBeUndefined();
});
