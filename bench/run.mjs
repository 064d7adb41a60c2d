// `npm run bench`: runs every script of this folder that measures something, each several times in a
// process of its own, and prints medians beside their targets. `npm run bench -- help-time` runs one.
import { spawnSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

/** Each prints one JSON array of { figure, value, unit, atMost?, atLeast? }. */
const SCRIPTS = [
  { name: "help-time", runs: 7 },
  { name: "streaming", runs: 3 },
  { name: "recorder-cost", runs: 5 },
  { name: "stream-memory", runs: 3, nodeOptions: ["--expose-gc"] },
  { name: "bootstrap", runs: 5 },
  { name: "million-requests", runs: 1 },
  { name: "report", runs: 1 },
  { name: "profile", runs: 3 },
  { name: "supervisor-memory", runs: 3 },
  { name: "switch-overhead", runs: 3 },
  { name: "simulate", runs: 3 },
  { name: "route", runs: 5 },
];

const chosen = process.argv.slice(2);
const rows = [["figure", "median", "lowest", "highest", "runs", "target", "÷ target", ""]];
for (const script of SCRIPTS.filter(({ name }) => chosen.length === 0 || chosen.includes(name))) {
  const results = [];
  for (let run = 1; run <= script.runs; run++) {
    process.stderr.write(`${script.name}: run ${run} of ${script.runs}\n`);
    results.push(runOnce(script));
  }
  for (const [index, figure] of results[0].entries())
    rows.push(
      rowOf(
        figure,
        results.map((result) => result[index].value),
      ),
    );
}

const memoryGb = (totalmem() / 2 ** 30).toFixed(0);
console.log(
  `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${memoryGb} GiB, Linux ${release()}, Node ${process.version}\n`,
);
console.log(table(rows));

function runOnce({ name, nodeOptions = [] }) {
  const path = fileURLToPath(new URL(`${name}.mjs`, import.meta.url));
  const child = spawnSync(process.execPath, [...nodeOptions, path], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (child.status !== 0) throw new Error(`${name} failed`);
  return JSON.parse(child.stdout);
}

function rowOf({ figure, unit, atMost, atLeast }, values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
  const target = atMost ?? atLeast;
  const met = atMost === undefined ? middle >= atLeast : middle < atMost;
  return [
    `${figure}, ${unit}`,
    ...[middle, sorted[0], sorted[sorted.length - 1]].map(digits),
    String(values.length),
    target === undefined ? "" : `${atMost === undefined ? "≥" : "<"} ${target}`,
    target === undefined ? "" : (middle / target).toFixed(2),
    target === undefined ? "" : met ? "reached" : "missed",
  ];
}

/** Three significant digits, whole numbers from 100 on. */
function digits(value) {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function table(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) =>
      line
        .map((text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column])))
        .join("  "),
    )
    .map((line) => line.trimEnd())
    .join("\n");
}
