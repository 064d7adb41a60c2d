/** Routes of our own, the same whatever the server is like: who it is, and what the adapter for it needs. */
import type { FastifyInstance } from "fastify";
import { asRecord, textAt } from "../json-shape.ts";
import type { SimulatedHost } from "./host.ts";
import { readLoadSettings } from "./load-settings.ts";
import { refuse } from "./openai-api.ts";
import { tokenize } from "./token-rule.ts";

export function registerSlipwayApi(app: FastifyInstance, host: SimulatedHost): void {
  app.get("/slipway/engine", () => factsOf(host));
  app.get("/slipway/health", (_request, reply) =>
    host.isLoadingAtStart ? refuse(reply, 503, "Loading model") : { status: "ok" },
  );
  app.get("/slipway/slots", () => ({
    slots: host.slots.map((slot) => ({
      id: slot.id,
      busy: slot.requestId !== undefined,
      contextTokens: slot.contextTokens,
    })),
  }));
  app.post("/slipway/tokenize", (request, reply) => {
    const content = textAt(asRecord(request.body), "content");
    return content === undefined
      ? refuse(reply, 400, "'content' must be a string")
      : { tokens: tokenize(content).length };
  });
  app.post("/slipway/load", (request, reply) => {
    host.load(readLoadSettings(host, asRecord(request.body)), (loadNs) => void reply.send({ loadNs }));
    return reply;
  });
  app.post("/slipway/unload", () => {
    host.unload();
    return {};
  });
}

function factsOf(host: SimulatedHost): object {
  const { settings, loaded } = host;
  const load = loaded ?? host.defaultLoad;
  return {
    simulated: true,
    like: settings.like,
    models: settings.models,
    loaded: loaded !== undefined,
    ...host.memory(load),
    contextTokens: load.contextTokens,
    gpuLayers: load.gpuLayers,
    modelLayers: settings.shape.layers,
    trainedContextTokens: settings.shape.trainedContextTokens,
    slots: settings.mode === "sequential" ? 1 : settings.slots,
    settings: {
      gpu: settings.gpu.name,
      shape: settings.shape.name,
      kernels: settings.kernels.name,
      quantization: settings.shape.quantization,
      mode: settings.mode,
      batchTokens: settings.batchTokens,
      loadMs: settings.loadMs,
      jitter: settings.jitter,
      speed: settings.speed,
      seed: settings.seed,
      meanOutputTokens: settings.meanOutputTokens,
    },
    tokenRule: "up to 4 bytes without white space, with the one white-space byte before them",
  };
}
