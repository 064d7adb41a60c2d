/** A directory of its own for each test, removed afterwards. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "slipway-test-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
