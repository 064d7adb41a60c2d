// What recording costs apart from the socket: decoding an event, and turning a finished request
// into its lines on disk.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realClock } from "../dist/core/clock.js";
import { openAiDataPlane } from "../dist/engines/openai/data-plane.js";
import { toRequestRecord } from "../dist/measure/to-record.js";
import { createRunDirectory } from "../dist/store/run-directory.js";
import { manifest } from "./made-run.mjs";

const EVENTS_PER_REQUEST = 200;
const REQUESTS = 2_000;
const END = Buffer.from(
  'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
);

/** One event as vLLM and llama-server send it: one read, one event. */
const event = Buffer.from(
  `data: ${JSON.stringify({
    id: "chatcmpl-0123456789abcdef",
    object: "chat.completion.chunk",
    created: 1_700_000_000,
    model: "llama-3.1-8b-instruct",
    choices: [{ index: 0, delta: { content: " token" }, finish_reason: null }],
  })}\n\n`,
);

const folder = mkdtempSync(join(tmpdir(), "slipway-bench-"));
const writer = createRunDirectory({
  runsDir: folder,
  manifest: manifest(),
  durable: false,
  clock: realClock,
});
const plane = openAiDataPlane();
let [decodeNs, recordNs] = [0, 0];
for (let request = -200; request < REQUESTS; request++) {
  const originNs = realClock.nowNs();
  const decoder = plane.createDecoder({ stream: true });
  const startNs = realClock.nowNs();
  for (let index = 0; index < EVENTS_PER_REQUEST; index++) decoder.push(event, startNs + index * 1e6, false);
  const decodedNs = realClock.nowNs();
  decoder.push(END, decodedNs, false);
  const decoded = decoder.finish(false);
  const completion = {
    sentNs: originNs,
    firstByteNs: startNs,
    endNs: decodedNs,
    decoded,
    outcome: { kind: "ok" },
    simulated: true,
  };
  const { record, chunks } = toRequestRecord({
    completion,
    requestId: `t/a/${request}`,
    trialId: "t",
    agent: "a",
    phase: "measured",
    position: request,
    step: "turn",
    endpoint: "e",
    engine: "openai",
    model: "m",
    originNs,
    scheduledNs: originNs,
    promptCold: true,
    promptHash: "0123456789abcdef",
  });
  writer.request(record, chunks);
  const writtenNs = realClock.nowNs();
  // The first requests, which compile the code, are not counted.
  if (request < 0) continue;
  decodeNs += decodedNs - startNs;
  recordNs += writtenNs - decodedNs;
}
writer.close("complete");
rmSync(folder, { recursive: true });
console.log(
  JSON.stringify([
    { figure: "recorder: decoding one event", value: decodeNs / REQUESTS / EVENTS_PER_REQUEST, unit: "ns" },
    {
      figure: `recorder: one request of ${EVENTS_PER_REQUEST} events to disk`,
      value: recordNs / REQUESTS / 1e3,
      unit: "µs",
    },
  ]),
);
