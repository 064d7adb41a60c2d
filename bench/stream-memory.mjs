// Memory of one open stream: that of 1,000 of them, a second into their answers, over 1,000.
import { spawn } from "node:child_process";
import { once, setMaxListeners } from "node:events";
import { fileURLToPath } from "node:url";
import { realClock as clock } from "../dist/core/clock.js";
import { generate } from "../dist/engines/generate.js";
import { createHttpTransport } from "../dist/engines/http-transport.js";
import { openAiDataPlane } from "../dist/engines/openai/data-plane.js";
import { timetableRequest } from "../dist/measure/selftest/wire.js";

const STREAMS = 1_000;
const TOKENS_PER_S = 20;

const emitterPath = fileURLToPath(new URL("../dist/measure/selftest/emitter-main.js", import.meta.url));
const emitter = spawn(process.execPath, [emitterPath], { stdio: ["ignore", "pipe", "inherit"] });
const [firstLine] = await once(emitter.stdout, "data");
const url = `http://127.0.0.1:${String(firstLine).trim().split(" ")[1]}`;
const transport = createHttpTransport(url, { clock });
const limits = { gapMs: 60_000, totalMs: 60_000, loadingMs: 0 };
const abort = new AbortController();
setMaxListeners(0, abort.signal);
const target = { plane: openAiDataPlane(), transport, url, shown: (text) => text };
const open = (events) =>
  generate(
    target,
    timetableRequest({ firstNs: clock.nowNs(), gapNs: 1e9 / TOKENS_PER_S, phaseNs: 0, events }),
    {
      clock,
      limits,
      signal: abort.signal,
    },
  );

await open(5);
const before = settled();
const streams = Array.from({ length: STREAMS }, () => open(1_000_000));
await clock.sleepUntil(clock.nowNs() + 1e9);
const after = settled();
abort.abort(new Error("measured"));
await Promise.all(streams);
await transport.close();
emitter.kill();

const kibPerStream = (bytes) => bytes / STREAMS / 1024;
console.log(
  JSON.stringify([
    {
      figure: "one open stream: heap and buffers",
      value: kibPerStream(after.held - before.held),
      unit: "KiB",
    },
    { figure: "one open stream: resident memory", value: kibPerStream(after.rss - before.rss), unit: "KiB" },
  ]),
);

function settled() {
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { held: heapUsed + external, rss };
}
