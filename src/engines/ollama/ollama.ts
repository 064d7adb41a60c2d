/**
 * Ollama's native protocol. Layers and context are options of each request, and the server clamps
 * both to the model; a model is loaded by a request and unloaded by `keep_alive: 0`.
 */
import { DEFAULT_LOADING_LIMIT_MS } from "../../core/limits.ts";
import { msToNs, nsToMs } from "../../core/units.ts";
import { type EngineLink, assembleEngine } from "../assemble.ts";
import type { Engine, EngineCapabilities, LoadedModel, SamplingOptions } from "../engine.ts";
import { classifyFault } from "../fault.ts";
import type { DataPlane } from "../generate.ts";
import { type JsonRecord, amountAt, asRecord, listAt, textAt } from "../json-shape.ts";
import { endpointError } from "../next-step.ts";
import { requestHeaders } from "../request-headers.ts";
import { EventStreamDecoder, JsonBodyDecoder } from "../stream/event-decoder.ts";
import { ollamaEventReader } from "./events.ts";
import { readFacts } from "./facts.ts";
import { sameModel } from "./model-name.ts";

const CAPABILITIES: EngineCapabilities = {
  chat: true,
  completion: true,
  stream: true,
  ignoreEos: false,
  tokenize: false,
  slots: false,
  load: true,
  unload: true,
  loadOptions: true,
  cacheControl: false,
};

/**
 * An idle model leaves /api/ps within this, or did not unload; freeing VRAM takes up to some seconds.
 * A busy one leaves when its last request has ended, and whoever unloads it knows how long that may take.
 */
const UNLOAD_LIMIT_MS = 30_000;
const UNLOAD_POLL_MS = 100;

export function createOllamaEngine(link: EngineLink): Engine {
  return assembleEngine(link, {
    kind: "ollama",
    capabilities: CAPABILITIES,
    ...dataPlane,
    health: async () => {
      const version = textAt(await link.control.getJson("/api/version"), "version");
      return version === undefined ? {} : { version };
    },
    models: async () =>
      listAt(await link.control.getJson("/api/tags"), "models")
        .map((entry) => textAt(asRecord(entry), "name"))
        .filter((name) => name !== undefined),
    facts: async (model, options) => readFacts(link, model, options, await readLoaded(link)),
    load: (model, options) => load(link, model, options),
    unload: (model, limitMs) => unload(link, model, limitMs),
    loaded: () => readLoaded(link),
  });
}

const dataPlane: DataPlane = {
  buildRequest: ({ model, messages, prompt, options, stream }) => ({
    method: "POST",
    path: messages === undefined ? "/api/generate" : "/api/chat",
    headers: requestHeaders(true),
    body: JSON.stringify({
      model,
      // Raw: a plain completion is not to be dressed in the model's chat template.
      ...(messages === undefined ? { prompt: prompt ?? "", raw: true } : { messages }),
      stream,
      ...(options.thinking !== undefined && { think: options.thinking }),
      options: wireOptions(options),
    }),
  }),
  createDecoder: ({ stream, options }) => {
    const limits = { maxTokens: options?.maxTokens };
    return stream
      ? new EventStreamDecoder("ndjson", ollamaEventReader, limits)
      : new JsonBodyDecoder(ollamaEventReader, limits);
  },
  classifyError: classifyFault,
};

function wireOptions(options: SamplingOptions): JsonRecord {
  return {
    ...(options.temperature !== undefined && { temperature: options.temperature }),
    ...(options.seed !== undefined && { seed: options.seed }),
    ...(options.maxTokens !== undefined && { num_predict: options.maxTokens }),
    ...(options.numGpu !== undefined && { num_gpu: options.numGpu }),
    ...(options.numCtx !== undefined && { num_ctx: options.numCtx }),
  };
}

/** A request without a prompt loads and answers when it is done. Only options that decide the load are sent. */
async function load(link: EngineLink, model: string, options: SamplingOptions): Promise<number> {
  const { numGpu, numCtx } = options;
  const startNs = link.clock.nowNs();
  await link.control.postJson(
    "/api/generate",
    {
      model,
      stream: false,
      options: wireOptions({
        ...(numGpu !== undefined && { numGpu }),
        ...(numCtx !== undefined && { numCtx }),
      }),
    },
    { model, timeoutMs: DEFAULT_LOADING_LIMIT_MS },
  );
  return nsToMs(link.clock.nowNs() - startNs);
}

/** The answer to `keep_alive: 0` comes before the memory is free, so /api/ps is asked until the model is gone. */
async function unload(link: EngineLink, model: string, limitMs = UNLOAD_LIMIT_MS): Promise<void> {
  const body = { model, keep_alive: 0, stream: false };
  await link.control.postJson("/api/generate", body, { model });
  const untilNs = link.clock.nowNs() + msToNs(limitMs);
  for (;;) {
    const still = (await readLoaded(link)).some((loaded) => sameModel(loaded.model, model));
    if (!still) return;
    if (link.clock.nowNs() >= untilNs)
      throw endpointError(
        {
          code: "REQUEST_TIMEOUT",
          message: `${model} is still loaded ${limitMs} ms after its unload`,
        },
        link,
      );
    await link.clock.sleepUntil(link.clock.nowNs() + msToNs(UNLOAD_POLL_MS));
  }
}

async function readLoaded(link: EngineLink): Promise<readonly LoadedModel[]> {
  const models = listAt(await link.control.getJson("/api/ps"), "models").map(asRecord);
  return models.flatMap((entry): LoadedModel[] => {
    const model = textAt(entry, "name") ?? textAt(entry, "model");
    if (model === undefined) return [];
    const sizeBytes = amountAt(entry, "size");
    const vramBytes = amountAt(entry, "size_vram");
    const contextTokens = amountAt(entry, "context_length");
    return [
      {
        model,
        ...(sizeBytes !== undefined && { sizeBytes }),
        ...(vramBytes !== undefined && { vramBytes }),
        ...(contextTokens !== undefined && { contextTokens }),
      },
    ];
  });
}
