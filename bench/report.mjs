// `slipway report` as a person calls it: of 135 trials, and of a million requests.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeMadeRun } from "./made-run.mjs";

const TRIALS = 135;
const REQUESTS_PER_TRIAL = 40;
const REQUESTS = 1_000_000;

if (process.argv[2] === undefined) {
  const study = measured((folder) => writeMadeRun(folder, TRIALS * REQUESTS_PER_TRIAL, REQUESTS_PER_TRIAL));
  const million = measured((folder) => writeMadeRun(folder, REQUESTS));
  console.log(
    JSON.stringify([
      { figure: "report of 135 trials", value: study.seconds, unit: "s", atMost: 2 },
      { figure: "report of 135 trials: the page", value: study.pageMb, unit: "MB", atMost: 2 },
      { figure: "report of a million requests", value: million.seconds, unit: "s", atMost: 15 },
      {
        figure: "report of a million requests: peak memory",
        value: million.peakMib,
        unit: "MiB",
        atMost: 1430,
      },
      { figure: "report of a million requests: the page", value: million.pageMb, unit: "MB", atMost: 2 },
    ]),
  );
} else {
  const { main } = await import("../dist/cli/main.js");
  const code = await main(["report", process.argv[2]]);
  if (code !== 0) process.exit(code);
  process.stderr.write(`peak ${process.resourceUsage().maxRSS}\n`);
}

/** Starting Node is part of it. */
function measured(write) {
  const folder = mkdtempSync(join(tmpdir(), "slipway-bench-"));
  try {
    const path = write(folder);
    const startMs = performance.now();
    const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), path], { encoding: "utf8" });
    const seconds = (performance.now() - startMs) / 1000;
    if (child.status !== 0) throw new Error(`the report failed: ${child.stderr}`);
    return {
      seconds,
      peakMib: Number(/peak (\d+)/.exec(child.stderr)?.[1]) / 1024,
      pageMb: statSync(join(path, "report.html")).size / 1e6,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
