/** Requests and decoders of the OpenAI protocol; a dialect adds its own fields and figures. */
import type { GenerateRequest } from "../engine.ts";
import { classifyFault } from "../fault.ts";
import type { DataPlane } from "../generate.ts";
import type { JsonRecord } from "../json-shape.ts";
import { requestHeaders } from "../request-headers.ts";
import { EventStreamDecoder, JsonBodyDecoder } from "../stream/event-decoder.ts";
import { type EventExtras, openAiEventReader } from "./events.ts";

export interface OpenAiDialect {
  /** Fields beside the standard ones; they win. */
  readonly extraBody?: (request: GenerateRequest) => JsonRecord;
  readonly extras?: EventExtras;
}

export function openAiDataPlane(dialect: OpenAiDialect = {}): DataPlane {
  return {
    buildRequest(request) {
      return {
        method: "POST",
        path: request.messages === undefined ? "/v1/completions" : "/v1/chat/completions",
        headers: requestHeaders(true),
        body: JSON.stringify({ ...standardBody(request), ...dialect.extraBody?.(request) }),
      };
    },
    createDecoder({ stream, options }) {
      const reader = openAiEventReader(dialect.extras);
      const limits = { maxTokens: options?.maxTokens };
      return stream ? new EventStreamDecoder("sse", reader, limits) : new JsonBodyDecoder(reader, limits);
    },
    classifyError: classifyFault,
  };
}

function standardBody({ model, messages, prompt, options, stream }: GenerateRequest): JsonRecord {
  return {
    model,
    ...(messages === undefined ? { prompt: prompt ?? "" } : { messages }),
    stream,
    ...(stream && { stream_options: { include_usage: true } }),
    ...(options.maxTokens !== undefined && { max_tokens: options.maxTokens }),
    ...(options.temperature !== undefined && { temperature: options.temperature }),
    ...(options.seed !== undefined && { seed: options.seed }),
  };
}
