/**
 * What a server's error means. Servers agree on little: status codes overlap, OpenAI's envelope is
 * used loosely, and out-of-memory arrives as prose in a 500. The texts below were read in the
 * sources of Ollama and llama.cpp (and vLLM's and TGI's for contexts).
 */
import type { StreamFault } from "./engine.ts";
import { amountAt, asRecord, parseJson, textAt } from "./json-shape.ts";

/** Longest message kept from a server; a page of HTML says nothing more after this. */
const MAX_MESSAGE_CHARACTERS = 300;

const OUT_OF_MEMORY =
  /out of memory|requires more system memory|cudaMalloc failed|failed to allocate|unable to allocate|insufficient (?:gpu |system |video )?memory|OutOfMemory/i;
const CONTEXT =
  /exceed(?:s|ed)? (?:the )?(?:available |maximum )?(?:context|model.?s? (?:maximum )?context)|maximum context length|exceed_context_size|context[_ ]length[_ ]exceeded|context (?:size|window|length) (?:was |is |has been )?(?:exceeded|too small)|longer than the (?:maximum )?(?:model|context)|`inputs` (?:tokens \+ `max_new_tokens` )?must/i;
const LOADING = /load|starting|warming|initiali[sz]ing|not ready/i;
const MODEL_MISSING =
  /model\b.*(?:not found|does not exist|not exist|unknown)|model_not_found|no such model/i;

/** `status` is absent for an error that arrived inside a stream that began with 200. */
export function classifyFault(status: number | undefined, body: string): StreamFault {
  const { message, kind, code, codeName } = readErrorBody(body);
  const effective = status ?? code;
  const shown = `${message}${kind === undefined || message.includes(kind) ? "" : ` (${kind})`}`;
  const said = [message, kind, codeName].join(" ");
  return { code: faultCode(effective, said), message: describe(status, shown) };
}

function faultCode(status: number | undefined, said: string): StreamFault["code"] {
  if (OUT_OF_MEMORY.test(said)) return "SERVER_OUT_OF_MEMORY";
  if (status === 401 || status === 403) return "UNAUTHORIZED";
  if (status === 429) return "RATE_LIMITED";
  if (CONTEXT.test(said)) return "CONTEXT_EXCEEDED";
  if (MODEL_MISSING.test(said)) return "MODEL_NOT_FOUND";
  if (status === 503 && LOADING.test(said)) return "SERVER_LOADING";
  return "SERVER_ERROR";
}

function describe(status: number | undefined, shown: string): string {
  const where = status === undefined ? "the server reported an error in the stream" : `HTTP ${status}`;
  return shown === "" ? `${where}, without a message` : `${where}: ${shown}`;
}

interface ErrorBody {
  readonly message: string;
  readonly kind?: string;
  readonly code?: number;
  readonly codeName?: string;
}

/** OpenAI `{error:{message,type,code}}`, Ollama and TGI `{error:"…"}`, FastAPI `{detail:…}`, or prose. */
function readErrorBody(body: string): ErrorBody {
  const document = asRecord(parseJson(body));
  if (document === undefined) return { message: shorten(body) };
  const error = asRecord(document["error"]);
  const source = error ?? document;
  const message =
    textAt(source, "message") ??
    textAt(document, "error") ??
    textAt(source, "detail") ??
    JSON.stringify(error ?? document["detail"] ?? document);
  const kind = textAt(source, "type") ?? textAt(document, "error_type");
  const code = amountAt(source, "code");
  const codeName = textAt(source, "code");
  return {
    message: shorten(message),
    ...(kind !== undefined && { kind }),
    ...(code !== undefined && { code }),
    ...(codeName !== undefined && { codeName }),
  };
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > MAX_MESSAGE_CHARACTERS ? `${line.slice(0, MAX_MESSAGE_CHARACTERS)}…` : line;
}
