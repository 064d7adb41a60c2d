import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freeDiskBytes } from "./disk-space.ts";

test("a folder that is not there yet lies on the disk of the one above it", () => {
  const total = statfsSync(tmpdir());
  const free = freeDiskBytes(join(tmpdir(), "slipway-not-there", "deeper"));
  expect(free).toBeGreaterThan(0);
  expect(free).toBeLessThanOrEqual(total.blocks * total.bsize);
});
