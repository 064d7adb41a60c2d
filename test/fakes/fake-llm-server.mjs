#!/usr/bin/env node
/**
 * A stand-in for llama-server, as a process: answers what the fleet asks of one, and misbehaves as
 * its flags say. Imports next to nothing, so that it starts within some 50 ms.
 *
 *   --host <address> --port <n> --parallel <n>   as llama-server's; other flags of the real one are accepted
 *   --fake-start-ms <n>          listens at once, answers 503 "loading" until then
 *   --fake-never-healthy         … for ever
 *   --fake-until <file>          … until this file is there
 *   --fake-stall                 answers health, and never a token
 *   --fake-mute                  answers health, and every request at once with an error
 *   --fake-slow-drain-ms <n>     a completion takes this long
 *   --fake-ignore-term           SIGTERM does nothing
 *   --fake-term-ms <n>           takes this long to end after SIGTERM
 *   --fake-crash <kind>          writes what the real one writes and ends at once; see CRASHES
 *   --fake-crash-after-ms <n>    ends so later, with the text of --fake-crash (default: cuda-oom)
 *   --fake-says <text>           writes this line once it listens
 *   --fake-exit-code <n>         … with this code (default 1)
 *   --fake-grandchild <kind>     leaves a process behind: `group`, `session` (setsid), `port` (holds the port
 *                                after us), `session-port` (both)
 *   --fake-claims <folder>       claims memory there while it lives, as the fake nvidia-smi reads it (mode `ledger`)
 *   --fake-claim-mib <n>         this much (default 1024)
 *   --fake-claim-total-mib <n>   above this in all it ends with cuda-oom, and `over-budget.log` in the folder says so
 *   --fake-claim-release-ms <n>  what ended less than this ago still counts
 *   --fake-flood-mib <n>         writes this much output as fast as it can, then a last line
 *   --fake-script <file>         each start takes the first line of the file away and counts it among its flags
 *
 * As vLLM with sleep mode it also sleeps and wakes: `serve`, then a model, and --enable-sleep-mode.
 *
 * Every flag can be given as a variable too: FAKE_LLM="--fake-stall --fake-start-ms 300".
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { createServer } from "node:http";
import { claim } from "./memory-ledger.mjs";

const CRASHES = {
  "cuda-oom": [
    "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 9216.00 MiB on device 0: cudaMalloc failed: out of memory",
    "llama_model_load: error loading model: unable to allocate CUDA0 buffer",
    "srv    load_model: failed to load model",
  ],
  "host-oom": [
    "terminate called after throwing an instance of 'std::bad_alloc'",
    "  what():  std::bad_alloc",
  ],
  "model-not-found": [
    "gguf_init_from_file: failed to open GGUF file '/models/absent.gguf' (No such file or directory)",
    "llama_model_load: error loading model: llama_model_loader: failed to load model from /models/absent.gguf",
  ],
  "unknown-flag": ["error: invalid argument: --no-such-flag"],
  "port-in-use": ["srv         start: couldn't bind HTTP server socket, hostname: 127.0.0.1, port: 8080"],
  "driver-mismatch": [
    "ggml_cuda_init: failed to initialize CUDA: CUDA driver version is insufficient for CUDA runtime version",
  ],
  silent: [],
};

const argv = [...process.argv.slice(2), ...(process.env.FAKE_LLM?.split(" ").filter(Boolean) ?? [])];
const given = (name) => argv.includes(`--${name}`);
const text = (name, otherwise) => (given(name) ? argv[argv.indexOf(`--${name}`) + 1] : otherwise);
if (given("fake-script")) argv.push(...nextLine(text("fake-script")).split(" ").filter(Boolean));
const number = (name, otherwise) => Number(text(name, otherwise));

// A write that a full disk refuses is no reason to end: the real server does not look at it either.
const say = (line) => {
  try {
    writeSync(2, `${line}\n`);
  } catch {}
};

const exitCode = number("fake-exit-code", 1);
const crash = (kind) => {
  for (const line of CRASHES[kind] ?? [kind]) say(line);
  process.exit(exitCode);
};
if (given("fake-crash") && !given("fake-crash-after-ms")) crash(text("fake-crash"));

const host = text("host", "127.0.0.1");
const port = number("port", 0);
const slotCount = number("parallel", 1);
const slotContext = number("ctx-size", 4096 * slotCount) / slotCount;

// Claimed before anything answers, as a real server allocates before it is healthy.
let asleep = false;
const claimShare = (share) => {
  if (!given("fake-claims")) return;
  const totalMib = given("fake-claim-total-mib") ? number("fake-claim-total-mib") : undefined;
  const mib = Math.round(number("fake-claim-mib", 1024) * share);
  if (!claim(text("fake-claims"), mib, totalMib, number("fake-claim-release-ms", 0))) crash("cuda-oom");
};
claimShare(1);

process.on("SIGTERM", () => {
  if (given("fake-ignore-term")) return say("SIGTERM ignored");
  say("cleaning up before exit...");
  setTimeout(() => process.exit(0), number("fake-term-ms", 0));
});
if (given("fake-ignore-term")) process.on("SIGINT", () => undefined).on("SIGHUP", () => undefined);

let generatedTokens = 0;
let decodes = 0;
const slots = Array.from({ length: slotCount }, (_, id) => ({ id, busy: false, decoded: 0 }));
const loadedAt = Date.now() + number("fake-start-ms", 0);
const awaited = () => given("fake-until") && !existsSync(text("fake-until"));
const loading = () => given("fake-never-healthy") || awaited() || Date.now() < loadedAt;

const json = (response, value, status = 200) => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
};

const bodyOf = async (request) => {
  let body = "";
  for await (const piece of request) body += piece;
  return JSON.parse(body || "{}");
};

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A word is a token, and a template has three. */
const TEMPLATE_TOKENS = 3;
const wordsIn = (text) => String(text ?? "").match(/\S+/g) ?? [];

async function complete(request, response) {
  if (given("fake-mute")) {
    json(
      response,
      { error: { code: 500, message: "the graph could not be launched", type: "server_error" } },
      500,
    );
    return;
  }
  const { stream = false, max_tokens: asked = 16, messages = [] } = await bodyOf(request);
  let slot = slots.find(({ busy }) => !busy);
  while (slot === undefined && !response.destroyed) {
    await pause(5);
    slot = slots.find(({ busy }) => !busy);
  }
  if (slot === undefined) return;
  slot.busy = true;
  response.once("close", () => {
    generatedTokens += slot.decoded;
    slot.busy = false;
    slot.decoded = 0;
  });
  if (given("fake-stall")) return;
  const tokens = Math.max(1, asked);
  const gapMs = number("fake-slow-drain-ms", 0) / tokens;
  const base = { id: "chatcmpl-fake", object: "chat.completion.chunk", created: 0, model: "fake" };
  const event = (fields) => `data: ${JSON.stringify({ ...base, ...fields })}\n\n`;
  if (stream) response.writeHead(200, { "content-type": "text/event-stream" });
  for (let token = 0; token < tokens && !response.destroyed; token++) {
    await pause(gapMs);
    slot.decoded += 1;
    decodes += 1;
    if (stream)
      response.write(event({ choices: [{ index: 0, delta: { content: " a" }, finish_reason: null }] }));
  }
  const read = TEMPLATE_TOKENS + messages.reduce((sum, { content }) => sum + wordsIn(content).length, 0);
  const usage = { prompt_tokens: read, completion_tokens: tokens, total_tokens: tokens + read };
  if (stream) {
    response.write(event({ choices: [{ index: 0, delta: {}, finish_reason: "length" }], usage }));
    response.end("data: [DONE]\n\n");
  } else {
    const message = { role: "assistant", content: " a".repeat(tokens) };
    json(response, {
      ...base,
      object: "chat.completion",
      choices: [{ index: 0, message, finish_reason: "length" }],
      usage,
    });
  }
}

const metrics = () =>
  [
    ["llamacpp:prompt_tokens_total", 0],
    ["llamacpp:tokens_predicted_total", generatedTokens],
    ["llamacpp:n_decode_total", decodes],
    ["llamacpp:requests_processing", slots.filter(({ busy }) => busy).length],
    ["vllm:num_requests_running", slots.filter(({ busy }) => busy).length],
    ["vllm:num_requests_waiting", 0],
    ["vllm:generation_tokens_total", generatedTokens],
  ]
    .map(([name, value]) => `# TYPE ${name} counter\n${name} ${value}\n`)
    .join("");

/** What vLLM keeps when it sleeps: the context of its card, and graphs. */
const SLEEPER_SHARE = 0.1;

const sleepOrWake = (sleeps) => (_, response) => {
  claimShare(sleeps ? SLEEPER_SHARE : 1);
  asleep = sleeps;
  json(response, {});
};

const ROUTES = {
  "GET /health": (_, response) => json(response, { status: "ok" }),
  "GET /props": (_, response) =>
    json(response, {
      build_info: "b0-fake",
      total_slots: slotCount,
      default_generation_settings: { n_ctx: slotContext },
    }),
  "GET /slots": (_, response) =>
    json(
      response,
      slots.map(({ id, busy, decoded }) => ({
        id,
        n_ctx: slotContext,
        is_processing: busy,
        ...(busy && { next_token: [{ n_decoded: decoded }] }),
      })),
    ),
  "GET /metrics": (_, response) => {
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4" });
    response.end(metrics());
  },
  "GET /v1/models": (_, response) => json(response, { object: "list", data: [{ id: "fake" }] }),
  "GET /version": (_, response) => json(response, { version: "0-fake" }),
  "GET /is_sleeping": (_, response) => json(response, { is_sleeping: asleep }),
  "POST /sleep": sleepOrWake(true),
  "POST /wake_up": sleepOrWake(false),
  "POST /tokenize": async (request, response) => {
    const { content } = await bodyOf(request);
    json(response, { tokens: wordsIn(content).map((_, index) => index) });
  },
  "POST /v1/chat/completions": complete,
  "POST /v1/completions": complete,
  "POST /embeddings": (_, response) => json(response, [{ index: 0, embedding: [[0.1, 0.2, 0.3]] }]),
  "POST /v1/embeddings": (_, response) =>
    json(response, { object: "list", data: [{ index: 0, embedding: [0.1, 0.2, 0.3] }] }),
};

const server = createServer((request, response) => {
  if (loading()) {
    const error = { code: 503, message: "Loading model", type: "unavailable_error" };
    json(response, { error }, 503);
    return;
  }
  const route = ROUTES[`${request.method} ${request.url.split("?")[0]}`];
  if (route === undefined) json(response, { error: { code: 404, message: "File Not Found" } }, 404);
  else route(request, response);
});

/**
 * Node marks every socket close-on-exec, so who is to hold the port is handed ours as its descriptor
 * 3. Resolves once it no longer minds SIGTERM.
 */
function leaveGrandchild(kind) {
  const code =
    "process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1000); console.log('up')";
  const child = spawn(process.execPath, ["-e", code], {
    stdio: ["ignore", "pipe", "ignore", ...(kind.endsWith("port") ? [server._handle.fd] : [])],
    detached: kind.startsWith("session"),
  });
  child.unref();
  return new Promise((resolve) => {
    child.stdout.once("data", () => {
      child.stdout.destroy();
      say(`left behind ${child.pid}`);
      resolve();
    });
  });
}

server.on("error", () => {
  say(`srv         start: couldn't bind HTTP server socket, hostname: ${host}, port: ${port}`);
  process.exit(exitCode);
});
server.listen(port, host, () => void begin());

async function begin() {
  if (given("fake-grandchild")) await leaveGrandchild(text("fake-grandchild"));
  say(`main: server is listening on http://${host}:${server.address().port}`);
  if (given("fake-says")) say(text("fake-says"));
  if (given("fake-crash-after-ms"))
    setTimeout(() => crash(text("fake-crash", "cuda-oom")), number("fake-crash-after-ms"));
  if (given("fake-flood-mib")) flood(number("fake-flood-mib"));
}

/** One process at a time takes a line: a preset has one server. */
function nextLine(file) {
  const [line = "", ...rest] = readFileSync(file, "utf8").split("\n");
  writeFileSync(`${file}.${process.pid}`, rest.join("\n"));
  renameSync(`${file}.${process.pid}`, file);
  return line;
}

function flood(mib) {
  const piece = `${"flood ".repeat(170)}\n`.repeat(1024);
  for (let written = 0; written < mib * 1024 * 1024; written += piece.length) writeSync(1, piece);
  say("the flood is over");
}
