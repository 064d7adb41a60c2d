/** Puts a made run on disk, so that commands find it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MadeRun } from "./recorded-run.ts";

/** Returns the run's directory, `<runsDir>/<runId>`. */
export function storeRun(runsDir: string, run: MadeRun): string {
  const path = join(runsDir, run.manifest.runId);
  mkdirSync(path, { recursive: true });
  const lines = (records: readonly unknown[]): string =>
    records.map((record) => `${JSON.stringify(record)}\n`).join("");
  writeFileSync(join(path, "manifest.json"), JSON.stringify(run.manifest));
  writeFileSync(join(path, "trials.jsonl"), lines(run.trials));
  writeFileSync(join(path, "requests.jsonl"), lines(run.requests));
  return path;
}
