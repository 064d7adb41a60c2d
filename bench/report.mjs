// `slipway report` as a person calls it: of 135 blocks, and of a million requests.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { STUDY_MATRIX, writeMadeRun, writeMillionRequests } from "./made-run.mjs";

/** As in the study: 27 configurations of two agents, five runs of each, here with their solo trials. */
const STUDY = { agents: 2, repeats: 5, matrix: STUDY_MATRIX, perTrial: 40 };

if (process.argv[2] === undefined) {
  console.log(
    JSON.stringify([
      ...figures("report of 27 × 5 together trials", (folder) => writeMadeRun(folder, STUDY), 2),
      ...figures("report of a million requests", writeMillionRequests, 15),
    ]),
  );
} else {
  const { main } = await import("../dist/cli/main.js");
  const code = await main(["report", process.argv[2]]);
  if (code !== 0) process.exit(code);
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  process.stderr.write(`${JSON.stringify({ maxRSS, cpuUs: userCPUTime + systemCPUTime })}\n`);
}

/** Processor time too: on a machine that others use the wall says how busy they are. */
function figures(name, write, atMostSeconds) {
  const { seconds, cpuSeconds, peakMib, pageMb } = measured(write);
  return [
    { figure: name, value: seconds, unit: "s", atMost: atMostSeconds },
    { figure: `${name}: processor time`, value: cpuSeconds, unit: "s" },
    { figure: `${name}: peak memory`, value: peakMib, unit: "MiB", atMost: 1430 },
    { figure: `${name}: the page`, value: pageMb, unit: "MB", atMost: 2 },
  ];
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
    const { maxRSS, cpuUs } = JSON.parse(child.stderr.trim().split("\n").at(-1));
    return {
      seconds,
      cpuSeconds: cpuUs / 1e6,
      peakMib: maxRSS / 1024,
      pageMb: statSync(join(path, "report.html")).size / 1e6,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
