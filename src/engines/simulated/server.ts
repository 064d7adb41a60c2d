/**
 * The HTTP server of the simulated engine. Fastify carries the routes, the body limit and the one
 * place where errors become answers; the token stream itself is written to the raw response, where
 * the framework costs nothing.
 */
import fastify from "fastify";
import type { FastifyInstance } from "fastify";
import { messageOf } from "../../core/errors.ts";
import { SIMULATED_HEADER } from "../generate.ts";
import type { SimulatedHost } from "./host.ts";
import { registerLlamaServerApi } from "./llama-server-api.ts";
import { registerOllamaApi } from "./ollama-api.ts";
import { registerOpenAiApi } from "./openai-api.ts";
import { registerSlipwayApi } from "./slipway-api.ts";

/** A prompt of a million tokens is some 5 MB. */
const MAX_REQUEST_BYTES = 32 * 1024 * 1024;

export function createServer(host: SimulatedHost): FastifyInstance {
  const app = fastify({ bodyLimit: MAX_REQUEST_BYTES, forceCloseConnections: true });
  const { like } = host.settings;
  // curl and Ollama's own clients send JSON under any content type, or none.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => {
    try {
      done(null, JSON.parse(body as string));
    } catch (thrown) {
      done(Object.assign(new Error(`invalid JSON: ${messageOf(thrown)}`), { statusCode: 400 }));
    }
  });
  app.addHook("onRequest", (_request, reply, next) => {
    // Before anything can answer, so that no response of any kind can pass for a real engine's.
    reply.raw.setHeader(SIMULATED_HEADER, "1");
    next();
  });
  app.setErrorHandler<Error & { statusCode?: number }>((error, request, reply) =>
    reply.code(error.statusCode ?? 500).send(errorBody(request.url, error.statusCode ?? 500, error.message)),
  );
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send(errorBody(request.url, 404, `no such path: ${request.url}`)),
  );
  registerSlipwayApi(app, host);
  registerOpenAiApi(app, host);
  if (like === "any" || like === "ollama") registerOllamaApi(app, host);
  if (like === "any" || like === "llama-server") registerLlamaServerApi(app, host);
  return app;
}

/** Errors in the form of the API that was asked. */
function errorBody(url: string, status: number, message: string): object {
  if (url.startsWith("/api/")) return { error: message };
  const type = status === 404 ? "not_found_error" : status < 500 ? "invalid_request_error" : "server_error";
  return { error: { message, type, param: null, code: null } };
}
