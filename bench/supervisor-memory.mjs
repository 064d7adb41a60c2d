// What `slipway up` holds while it watches eight servers: its own process, read from /proc.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const PRESETS = 8;
/** Two rounds of health and several of memory: what is held after the start, not during it. */
const WATCHED_MS = 35_000;

const program = fileURLToPath(new URL("../bin/slipway.js", import.meta.url));
const server = fileURLToPath(new URL("../test/fakes/fake-llm-server.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "slipway-bench-"));
const presets = join(folder, "presets");
mkdirSync(join(presets, "modes"), { recursive: true });
const names = Array.from({ length: PRESETS }, (_, index) => `fake-${index}`);
const command = [process.execPath, server, "--host", "{host}", "--port", "{port}"];
for (const name of names)
  writeFileSync(
    join(presets, `${name}.yaml`),
    JSON.stringify({
      name,
      engine: "command",
      command,
      api: "llama-server",
      memory: { hostMib: 100, vramMib: 0 },
    }),
  );
writeFileSync(join(presets, "modes", "eight.yaml"), JSON.stringify({ name: "eight", presets: names }));

const up = spawn(
  process.execPath,
  [program, "up", "eight", "--state-dir", join(folder, "state"), "--presets-dir", presets],
  { cwd: folder, stdio: ["ignore", "pipe", "pipe"] },
);
let said = "";
const ended = new Promise((resolve) => up.once("close", resolve));
try {
  await new Promise((resolve, reject) => {
    up.stderr.on("data", (bytes) => (said += bytes));
    up.stdout.on("data", (bytes) => (said += bytes).includes("eight is up") && resolve());
    up.once("close", () => reject(new Error(`it ended before it was up:\n${said}`)));
  });
  await sleep(WATCHED_MS);
  const status = readFileSync(`/proc/${up.pid}/status`, "utf8");
  // The kernel's kB has 1,024 bytes, the target's MB a million.
  const megabytes = (field) =>
    (Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)[1]) * 1024) / 1e6;
  console.log(
    JSON.stringify([
      { figure: "supervisor of 8 presets: resident", value: megabytes("VmRSS"), unit: "MB", atMost: 80 },
      { figure: "supervisor of 8 presets: highest", value: megabytes("VmHWM"), unit: "MB" },
    ]),
  );
} finally {
  up.kill("SIGTERM");
  await ended;
  rmSync(folder, { recursive: true, force: true });
}
