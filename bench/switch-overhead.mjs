// What a switch costs beyond the engine's own stop and start, two ways: as the supervisor reckons it,
// and from outside, as the whole switch less what the same server takes when it is stopped, started and
// asked for a token alone. On a machine without GPU, and with a driver that answers after some 20 ms.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { realClock } from "../dist/core/clock.js";
import { askSupervisor } from "../dist/fleet/control/client.js";

const SWITCHES = 15;
/** With the starts of a shell and of this, some 20 ms: what nvidia-smi takes on a machine of one card. */
const DRIVER_SLEEP_MS = 10;

const program = fileURLToPath(new URL("../bin/slipway.js", import.meta.url));
const server = fileURLToPath(new URL("../test/fakes/fake-llm-server.mjs", import.meta.url));

/** The middle one. */
const median = (values) => values.toSorted((one, other) => one - other)[values.length >> 1];

async function timed(work) {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

/** A start until health, one token, and a stop, with nobody in between. */
async function serverAlone() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child;
  const start = await timed(async () => {
    child = spawn(process.execPath, [server, "--port", String(port)], { stdio: "ignore" });
    for (;;) {
      const answer = await fetch(`${url}/health`).catch(() => undefined);
      if (answer?.ok) return answer.arrayBuffer();
      await sleep(1);
    }
  });
  const body = JSON.stringify({ messages: [], max_tokens: 1, stream: true });
  const token = await timed(async () =>
    (await fetch(`${url}/v1/chat/completions`, { method: "POST", body })).arrayBuffer(),
  );
  const stop = await timed(() => {
    child.kill("SIGTERM");
    return once(child, "exit");
  });
  return start + token + stop;
}

/** One card with room for all, told after a while. */
function writeDriver(folder) {
  const card = "0, NVIDIA GeForce RTX 4090, GPU-0f3a9c51, 550.127.05, 24564, 1000, 23564, 8.9, 450.00, [N/A]";
  const lines = [
    "#!/bin/sh",
    `sleep ${DRIVER_SLEEP_MS / 1000}`,
    `case "$*" in *compute-apps*) ;; *) echo "${card}" ;; esac`,
    "",
  ];
  writeFileSync(join(folder, "nvidia-smi"), lines.join("\n"), { mode: 0o755 });
}

/** Switches to and fro between two modes of one preset each. */
async function measure(hasDriver) {
  const folder = mkdtempSync(join(tmpdir(), "slipway-bench-"));
  const presets = join(folder, "presets");
  mkdirSync(join(presets, "modes"), { recursive: true });
  for (const name of ["one", "other"]) {
    const command = [process.execPath, server, "--host", "{host}", "--port", "{port}"];
    const memory = { hostMib: 100, vramMib: 500 };
    const preset = { name, engine: "command", command, api: "llama-server", memory };
    writeFileSync(join(presets, `${name}.yaml`), JSON.stringify(preset));
    writeFileSync(
      join(presets, "modes", `${name}-up.yaml`),
      JSON.stringify({ name: `${name}-up`, presets: [name] }),
    );
  }
  if (hasDriver) writeDriver(folder);
  const env = { ...process.env, PATH: hasDriver ? `${folder}:${process.env.PATH}` : process.env.PATH };
  const state = join(folder, "state");
  const up = spawn(
    process.execPath,
    [program, "up", "one-up", "--state-dir", state, "--presets-dir", presets],
    {
      cwd: folder,
      env,
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  const ended = once(up, "close");
  try {
    await once(up.stdout, "data");
    const socketPath = join(state, "control.sock");
    const walls = [];
    const own = [];
    for (let done = 0; done < SWITCHES; done++) {
      const mode = done % 2 === 0 ? "other-up" : "one-up";
      walls.push(
        await timed(async () => {
          const report = await askSupervisor({ do: "switch", mode }, { socketPath, clock: realClock });
          if (report.outcome !== "committed") throw new Error(JSON.stringify(report));
          own.push(report.overheadMs);
        }),
      );
    }
    return { wallMs: median(walls), ownMs: median(own) };
  } finally {
    up.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

const alone = [];
for (let done = 0; done < SWITCHES; done++) alone.push(await serverAlone());
const aloneMs = median(alone);
const host = await measure(false);
const gpu = await measure(true);
const unit = "ms";
console.log(
  JSON.stringify([
    { figure: "a switch's own time", value: host.ownMs, unit, atMost: 100 },
    { figure: "a switch's own time, a driver of 20 ms", value: gpu.ownMs, unit, atMost: 100 },
    { figure: "a whole switch less its server alone", value: host.wallMs - aloneMs, unit },
    { figure: "a whole switch less its server alone, a driver of 20 ms", value: gpu.wallMs - aloneMs, unit },
    { figure: "a server alone: stop, start, one token", value: aloneMs, unit },
  ]),
);
