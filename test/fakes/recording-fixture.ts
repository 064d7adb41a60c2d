/** A raw upstream server, a recording endpoint before it and a client that sees the bytes as they come. */
import { createServer, request as httpRequest } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach } from "vitest";
import { realClock } from "../../src/core/clock.ts";
import type { Clock } from "../../src/core/clock.ts";
import { startRecordingEndpoint } from "../../src/measure/recording/endpoint.ts";
import type { RecordingEndpoint, RecordingEndpointOptions } from "../../src/measure/recording/endpoint.ts";
import { MemorySink } from "../../src/record/record-sink.ts";
import type { RequestRecord } from "../../src/record/request-record.ts";
import { stubEngine } from "./stub-engine.ts";

export const CHAT = "/v1/chat/completions";
export const MESSAGES = [{ role: "user", content: "How many boats?" }];
export const CHAT_BODY = JSON.stringify({ model: "tiny", messages: MESSAGES, stream: true });

export const SSE = [
  'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n',
  'data: {"choices":[{"delta":{"content":"Zwölf "}}]}\n\n',
  'data: {"choices":[{"delta":{"content":"Boote"}}]}\n\n',
  'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
  'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}\n\n',
  "data: [DONE]\n\n",
].join("");

type Handler = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export async function upstream(handler: Handler): Promise<string> {
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => handler(request, response, Buffer.concat(parts)));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export interface Recording {
  readonly endpoint: RecordingEndpoint;
  readonly sink: MemorySink;
  /** Stops the endpoint, so that every record is written. */
  readonly records: () => Promise<readonly RequestRecord[]>;
}

export async function record(url: string, extra: Partial<RecordingEndpointOptions> = {}): Promise<Recording> {
  const sink = new MemorySink();
  const clock: Clock = extra.clock ?? realClock;
  const endpoint = await startRecordingEndpoint({
    listen: { host: "127.0.0.1", port: 0 },
    upstream: { engine: stubEngine("openai"), url },
    agent: "alone",
    trialId: "t0",
    originNs: clock.nowNs(),
    phase: "measured",
    endpointName: "a",
    sink,
    clock,
    ...extra,
  });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= endpoint.stop());
  cleanups.push(() => stop().catch(() => undefined));
  return {
    endpoint,
    sink,
    records: async () => {
      await stop();
      return sink.requests;
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

interface Call {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

export function call(url: string, options: Call = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: options.method ?? "POST", headers: options.headers ?? {} });
    request.once("error", reject);
    request.once("response", (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.once("error", reject);
      response.once("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          rawHeaders: response.rawHeaders,
          body: Buffer.concat(parts),
        }),
      );
    });
    request.end(options.body);
  });
}
