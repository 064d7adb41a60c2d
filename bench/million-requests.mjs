// A run of a million requests, read back and analysed in a process of its own.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { analyseRun } from "../dist/analysis/analyse-run.js";
import { readRun } from "../dist/store/read-run.js";
import { writeMillionRequests } from "./made-run.mjs";

const REQUESTS = 1_000_000;

if (process.argv[2] === undefined) {
  const folder = mkdtempSync(join(tmpdir(), "slipway-bench-"));
  try {
    const startMs = performance.now();
    const path = writeMillionRequests(folder);
    const writeUs = ((performance.now() - startMs) / REQUESTS) * 1000;
    const plain = readInChild(path, "requests");
    const withChunks = readInChild(path, "chunks");
    console.log(
      JSON.stringify([
        { figure: "a million requests: writing, each with its chunks", value: writeUs, unit: "µs" },
        { figure: "a million requests: read and analysed", value: plain.seconds, unit: "s", atMost: 10 },
        { figure: "a million requests: processor time", value: plain.cpuSeconds, unit: "s" },
        { figure: "a million requests: peak memory", value: plain.peakMib, unit: "MiB", atMost: 1024 },
        { figure: "the same with all chunk stamps", value: withChunks.seconds, unit: "s" },
        { figure: "the same with all chunk stamps: processor time", value: withChunks.cpuSeconds, unit: "s" },
        { figure: "the same with all chunk stamps: peak memory", value: withChunks.peakMib, unit: "MiB" },
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
} else {
  const [, , path, what] = process.argv;
  const startMs = performance.now();
  const { totals } = analyseRun(readRun(path), { chunks: what === "chunks" });
  const seconds = (performance.now() - startMs) / 1000;
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
  console.log(JSON.stringify({ seconds, cpuSeconds, peakMib: maxRSS / 1024, totals }));
}

function readInChild(path, what) {
  const script = fileURLToPath(import.meta.url);
  const child = spawnSync(process.execPath, [script, path, what], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.status !== 0) throw new Error("the run could not be read back");
  return JSON.parse(child.stdout);
}
