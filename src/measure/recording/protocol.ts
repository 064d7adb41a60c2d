/**
 * Which requests of a foreign client are recorded, and what is read from them. Everything else
 * (model lists, health, embeddings, a body that is not JSON) passes through and leaves no record.
 */
import { specHash } from "../../core/ids.ts";
import type { Engine, StreamDecoder } from "../../engines/engine.ts";
import { asRecord, listAt, textAt } from "../../engines/json-shape.ts";
import type { JsonRecord } from "../../engines/json-shape.ts";
import { ollamaEventReader } from "../../engines/ollama/events.ts";
import { openAiDataPlane } from "../../engines/openai/data-plane.ts";
import { EventStreamDecoder, JsonBodyDecoder } from "../../engines/stream/event-decoder.ts";

/** The path decides, not the kind of server: Ollama answers both protocols, and each streams in its own form. */
export type RecordedProtocol = "openai" | "ollama";

const PROTOCOL_OF_PATH: ReadonlyMap<string, RecordedProtocol> = new Map([
  ["/v1/chat/completions", "openai"],
  ["/v1/completions", "openai"],
  ["/api/chat", "ollama"],
  ["/api/generate", "ollama"],
]);

/** The protocol of a path with or without a query string; absent for paths that are not recorded. */
export function protocolOf(path: string): RecordedProtocol | undefined {
  return PROTOCOL_OF_PATH.get(path.split("?", 1)[0] as string);
}

/** What a record says of the request itself. */
export interface RequestFacts {
  readonly protocol: RecordedProtocol;
  readonly model: string;
  readonly stream: boolean;
  /** Of the messages or the prompt, whatever order the client's JSON has their keys in. */
  readonly promptHash: string;
  /** The first thing the server reads is the nonce of this trial, so no cached prefix can serve it. */
  readonly promptCold: boolean;
}

/** Absent when the request is not one that is recorded. */
export function requestFacts(
  method: string,
  path: string,
  body: Uint8Array,
  nonce?: string,
): RequestFacts | undefined {
  const protocol = protocolOf(path);
  if (protocol === undefined || method !== "POST") return undefined;
  try {
    const fields = asRecord(JSON.parse(Buffer.from(body).toString("utf8")));
    if (fields === undefined) return undefined;
    return {
      protocol,
      model: textAt(fields, "model") ?? "",
      stream: streams(fields["stream"], protocol),
      promptHash: specHash(fields["messages"] ?? fields["prompt"] ?? ""),
      promptCold: nonce !== undefined && nonce !== "" && firstText(fields).startsWith(nonce),
    };
  } catch {
    // Not JSON, or nested too deep to walk. The server behind will say what is wrong, in its own words.
    return undefined;
  }
}

function firstText(fields: JsonRecord): string {
  const first = asRecord(listAt(fields, "messages")[0]);
  return textAt(first, "content") ?? textAt(fields, "prompt") ?? "";
}

/** Said nothing, Ollama streams and the OpenAI protocol does not. */
function streams(asked: unknown, protocol: RecordedProtocol): boolean {
  return typeof asked === "boolean" ? asked : protocol === "ollama";
}

/**
 * A decoder for an answer in this protocol, whichever kind of server gives it. The engine's own
 * decoder knows the figures that its server adds, and is used where the protocol is its own.
 */
export function decoderFor(protocol: RecordedProtocol, stream: boolean, engine: Engine): StreamDecoder {
  const spoken: RecordedProtocol = engine.kind === "ollama" ? "ollama" : "openai";
  if (protocol === spoken) return engine.createDecoder({ stream });
  if (protocol === "openai") return openAiDataPlane().createDecoder({ stream });
  return stream
    ? new EventStreamDecoder("ndjson", ollamaEventReader)
    : new JsonBodyDecoder(ollamaEventReader);
}
