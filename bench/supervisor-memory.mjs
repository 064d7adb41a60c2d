// What `slipway up` holds while it watches eight servers, at rest and after switches: its own process,
// read from /proc. `node bench/supervisor-memory.mjs <llama-server> <model.gguf>` has real servers.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const PRESETS = 8;
/** Two rounds of health and several of memory: what is held after the start or a switch, not during it. */
const WATCHED_MS = 35_000;
/** As an afternoon of work has; away and back, so that all eight run at the end as they did before. */
const SWITCHES = 14;

const [llamaServer, model] = process.argv.slice(2);
const program = fileURLToPath(new URL("../bin/slipway.js", import.meta.url));
const fakeServer = fileURLToPath(new URL("../test/fakes/fake-llm-server.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "slipway-bench-"));
const presets = join(folder, "presets");
const places = ["--state-dir", join(folder, "state")];
mkdirSync(join(presets, "modes"), { recursive: true });
const names = Array.from({ length: PRESETS }, (_, index) => `bench-${index}`);
for (const name of names) writePreset(`${name}.yaml`, { name, ...engine() });
writePreset("modes/eight.yaml", { name: "eight", presets: names });
writePreset("modes/four.yaml", { name: "four", presets: names.slice(0, PRESETS / 2) });

const up = spawn(process.execPath, [program, "up", "eight", ...places, "--presets-dir", presets], {
  cwd: folder,
  stdio: ["ignore", "pipe", "pipe"],
});
let said = "";
const ended = new Promise((resolve) => up.once("close", resolve));
try {
  await new Promise((resolve, reject) => {
    up.stderr.on("data", (bytes) => (said += bytes));
    up.stdout.on("data", (bytes) => (said += bytes).includes("eight is up") && resolve());
    up.once("close", () => reject(new Error(`it ended before it was up:\n${said}`)));
  });
  await sleep(WATCHED_MS);
  const atRest = held();
  for (let turn = 1; turn <= SWITCHES; turn++) switchTo(turn % 2 === 1 ? "four" : "eight");
  await sleep(WATCHED_MS);
  const afterSwitches = held();
  console.log(
    JSON.stringify([
      figure("resident", atRest.rss, 80),
      figure("resident, shared pages by their share", atRest.pss),
      figure(`resident after ${SWITCHES} switches`, afterSwitches.rss, 80),
      figure("the same, shared pages by their share", afterSwitches.pss),
      figure("highest", afterSwitches.highest),
    ]),
  );
} finally {
  up.kill("SIGTERM");
  await ended;
  rmSync(folder, { recursive: true, force: true });
}

function engine() {
  if (llamaServer !== undefined)
    return {
      engine: "llama-server",
      program: llamaServer,
      model,
      slots: 1,
      contextTokensPerSlot: 256,
      threads: 1,
      gpuLayers: 0,
      memory: { hostMib: 100, vramMib: 0 },
    };
  return {
    engine: "command",
    command: [process.execPath, fakeServer, "--host", "{host}", "--port", "{port}"],
    api: "llama-server",
    memory: { hostMib: 100, vramMib: 0 },
  };
}

function writePreset(file, content) {
  writeFileSync(join(presets, file), JSON.stringify(content));
}

function switchTo(mode) {
  const { status, stderr } = spawnSync(process.execPath, [program, "mode", "switch", mode, ...places], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the switch to ${mode} failed:\n${stderr}`);
}

function held() {
  const status = readFileSync(`/proc/${up.pid}/status`, "utf8");
  const shares = readFileSync(`/proc/${up.pid}/smaps_rollup`, "utf8");
  return {
    rss: megabytes(status, "VmRSS"),
    highest: megabytes(status, "VmHWM"),
    pss: megabytes(shares, "Pss"),
  };
}

/** The kernel's kB has 1,024 bytes, the target's MB a million. */
function megabytes(text, field) {
  return (Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text)[1]) * 1024) / 1e6;
}

function figure(what, value, atMost) {
  return {
    figure: `supervisor of ${PRESETS} presets: ${what}`,
    value,
    unit: "MB",
    ...(atMost === undefined ? {} : { atMost }),
  };
}
