/** What the drivers write is what the programs take: asked of the programs themselves. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { realClock } from "../../src/core/clock.ts";
import { plainEnvironment, runProgram } from "../../src/core/process.ts";
import { describeLaunch } from "../../src/engines/launch.ts";
import { OWNED_SETTINGS } from "../../src/preset/owned-settings.ts";
import { presetSchema } from "../../src/preset/preset.ts";
import { writeTinyGguf } from "../fakes/tiny-gguf.ts";
import { describeOn, findLlamaServer, findOllama, startPreset } from "./servers.ts";

const HELP_LIMIT_MS = 30_000;

/** Every flag and variable that the program's own help has. */
async function helpOf(program: string, args: readonly string[]): Promise<ReadonlySet<string>> {
  const run = { command: program, args, env: plainEnvironment() };
  const { stdoutLines } = await runProgram(run, realClock, HELP_LIMIT_MS);
  return new Set(stdoutLines.join("\n").match(/--?[A-Za-z][A-Za-z0-9-]*|[A-Z][A-Z_]+/g));
}

async function jsonAt(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

describe("a preset's launch", () => {
  describeOn(findLlamaServer(), "llama-server", (program) => {
    it("is accepted with every field, and the slots have the context that was asked for", async () => {
      const folder = mkdtempSync(join(tmpdir(), "slipway-launch-"));
      const model = writeTinyGguf(join(folder, "tiny.gguf"));
      const preset = presetSchema.parse({
        name: "real",
        engine: "llama-server",
        program,
        model,
        draftModel: model,
        slots: 2,
        contextTokensPerSlot: 512,
        kvTypeK: "q8_0",
        kvTypeV: "q8_0",
        flashAttention: "on",
        unifiedKv: false,
        threads: 1,
        gpuLayers: 0,
        batchTokens: 256,
        microBatchTokens: 128,
        chatTemplateArguments: { enable_thinking: true },
        extraArgs: ["--cont-batching"],
      });
      const server = await startPreset((port) => describeLaunch(preset, port), folder);
      onTestFinished(() => server.stop());
      const slots = await jsonAt(`${server.url}/slots`);
      expect(slots).toMatchObject([{ n_ctx: 512 }, { n_ctx: 512 }]);
      const answer = await fetch(`${server.url}/completion`, {
        method: "POST",
        body: JSON.stringify({ prompt: "hello", n_predict: 16, temperature: 0 }),
      });
      // The draft model is not only loaded but asked.
      expect(await answer.json()).toMatchObject({ timings: { draft_n: expect.any(Number) } });
      const metrics = await fetch(`${server.url}/metrics`);
      expect(await metrics.text()).toContain("tokens_predicted_total");
    });

    it("serves embeddings when that is what the preset says", async () => {
      const folder = mkdtempSync(join(tmpdir(), "slipway-launch-"));
      const model = writeTinyGguf(join(folder, "tiny.gguf"));
      const preset = presetSchema.parse({
        name: "real",
        engine: "llama-server",
        program,
        model,
        contextTokensPerSlot: 512,
        unifiedKv: true,
        threads: 1,
        gpuLayers: "auto",
        embedding: true,
        extraArgs: ["--pooling", "mean"],
      });
      const server = await startPreset((port) => describeLaunch(preset, port), folder);
      onTestFinished(() => server.stop());
      const answer = await fetch(`${server.url}/v1/embeddings`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ input: "hello" }),
      });
      expect(await answer.json()).toMatchObject({ data: [{ embedding: expect.any(Array) }] });
    });

    it("is guarded against flags and variables that the program really has", async () => {
      const known = await helpOf(program, ["--help"]);
      const missing = OWNED_SETTINGS["llama-server"]
        .flatMap(({ flags = [], variables = [] }) => [...flags, ...variables])
        .filter((name) => !known.has(name));
      expect(missing).toEqual([]);
      expect([...known]).toEqual(expect.arrayContaining(["--slots", "--metrics", "--no-webui", "--mmproj"]));
    });
  });

  describeOn(findOllama(), "ollama", (program) => {
    it("of its own listens where the preset says", async () => {
      const folder = mkdtempSync(join(tmpdir(), "slipway-launch-"));
      const preset = presetSchema.parse({
        name: "real",
        engine: "ollama",
        serve: "own",
        program,
        model: "tiny",
        slots: 2,
        contextTokensPerSlot: 512,
        kvType: "q8_0",
        env: { HOME: folder, OLLAMA_MODELS: join(folder, "models") },
      });
      const server = await startPreset((port) => describeLaunch(preset, port), folder);
      onTestFinished(() => server.stop());
      expect(await jsonAt(`${server.url}/api/ps`)).toEqual({ models: [] });
    });

    it("uses variables that the program really has", async () => {
      const known = await helpOf(program, ["serve", "--help"]);
      const variables = OWNED_SETTINGS.ollama.flatMap(({ variables = [] }) => variables);
      const written = ["OLLAMA_KEEP_ALIVE", "OLLAMA_MAX_LOADED_MODELS", "OLLAMA_FLASH_ATTENTION"];
      expect([...variables, ...written].filter((name) => !known.has(name))).toEqual([]);
    });
  });
});
