#!/usr/bin/env node
// The same small agent as summarise.py, for Node and without packages: the pair shows what a
// comparison of runtimes needs, the same work done by two programs. It reads SLIPWAY_CORPUS and
// asks SLIPWAY_MODEL at OPENAI_BASE_URL, all of which Slipway sets.
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

const CHARACTERS_PER_FILE = 1500;
const MAX_TOKENS = 64;

// Put first, it keeps the server from answering out of its prompt cache. Empty where that is allowed.
const NONCE = process.env.SLIPWAY_NONCE ?? "";

/** One streamed chat completion; resolves to the text of the answer. */
async function ask(step, text) {
  const response = await fetch(`${process.env.OPENAI_BASE_URL}/chat/completions`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${process.env.OPENAI_API_KEY ?? ""}`,
      // Optional: names the step in Slipway's records.
      "x-slipway-step": step,
    },
    body: JSON.stringify({
      model: process.env.SLIPWAY_MODEL ?? "",
      messages: [{ role: "user", content: NONCE + text }],
      max_tokens: MAX_TOKENS,
      stream: true,
      // Without this the server does not say how many tokens it made.
      stream_options: { include_usage: true },
    }),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
  let answer = "";
  let rest = "";
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop();
    for (const line of lines) answer += textOf(line);
  }
  return answer;
}

function textOf(line) {
  if (!line.startsWith("data:")) return "";
  const data = line.slice("data:".length).trim();
  if (data === "[DONE]") return "";
  return JSON.parse(data).choices?.map((choice) => choice.delta?.content ?? "").join("") ?? "";
}

async function readCorpus(folder) {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  const texts = [];
  for (const name of names.sort()) {
    const text = await readFile(join(folder, name), "utf8");
    texts.push(`## ${name}\n${text.slice(0, CHARACTERS_PER_FILE)}`);
  }
  return texts.join("\n\n");
}

const corpus = await readCorpus(process.env.SLIPWAY_CORPUS);
const summary = await ask("summarise", `Summarise these files. Keep every number.\n\n${corpus}`);
process.stdout.write(`${await ask("structure", `Put this summary into JSON.\n\n${summary}`)}\n`);
