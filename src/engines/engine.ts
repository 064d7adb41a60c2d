/**
 * The one interface every inference server is driven through.
 *
 * An engine is cut in two. The *data plane* is pure: `buildRequest` says what bytes to send,
 * `createDecoder` turns the bytes that come back into text, counts and stamps; neither knows a
 * socket, so recorded streams can be replayed through them byte for byte. The *control plane*
 * (health, models, slots, load, unload) is a handful of small JSON calls.
 * `engines/generate` joins a data plane to the transport.
 */
import type { Clock } from "../core/clock.ts";
import type { EndpointFacts } from "../record/run-manifest.ts";
import type { EngineSplit, EventCounts, Outcome } from "../record/request-record.ts";

export type EngineKind = "openai" | "vllm" | "tgi" | "llama-server" | "ollama" | "simulated";

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
}

/** Settings an engine may or may not honour; an adapter says which in `capabilities`. */
export interface SamplingOptions {
  readonly temperature?: number;
  readonly seed?: number;
  readonly maxTokens?: number;
  /** Go on past the end-of-sequence token, so that the output length is exactly `maxTokens`. */
  readonly ignoreEos?: boolean;
  /** Ollama: layers on the GPU, context. Sent with each request, as Ollama expects. */
  readonly numGpu?: number;
  readonly numCtx?: number;
  /** llama-server: the slot to use. */
  readonly slotId?: number;
  /** false: the server must not reuse a cached prefix, where it can be told so. */
  readonly cachePrompt?: boolean;
  readonly thinking?: boolean;
}

export interface GenerateRequest {
  readonly model: string;
  /** Exactly one of `messages` (chat) and `prompt` (plain completion). */
  readonly messages?: readonly ChatMessage[];
  readonly prompt?: string;
  readonly options: SamplingOptions;
  readonly stream: boolean;
}

/** What goes over the wire. `path` starts with "/" and is joined to the endpoint's base URL. */
export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * Turns one response's body into a {@link DecodedStream}. Bytes may be split anywhere, also inside
 * a UTF-8 character. `push` is on the hot path: it must not keep an object per event.
 */
export interface StreamDecoder {
  /** `atNs` is the stamp of the read; `sharesStamp` when the bytes came in the same read as the call before. */
  push(bytes: Uint8Array, atNs: number, sharesStamp: boolean): void;
  /** The body ended (or broke: then `broken` is true and a missing closing event is no error of its own). */
  finish(broken: boolean): DecodedStream;
  /** Set as soon as the decoder knows that the response is an error; the caller then stops reading. */
  readonly fault: StreamFault | undefined;
  /** Everything that counts has come: the protocol's last event, after which the body only ends. */
  readonly complete: boolean;
  /** Text events so far; read by progress displays. */
  readonly textEvents: number;
}

export interface StreamFault {
  readonly code:
    | "STREAM_MALFORMED"
    | "LINE_TOO_LONG"
    | "STREAM_TRUNCATED"
    | "SERVER_ERROR"
    | "SERVER_OUT_OF_MEMORY"
    | "CONTEXT_EXCEEDED"
    | "MODEL_NOT_FOUND"
    | "RATE_LIMITED"
    | "UNAUTHORIZED"
    | "SERVER_LOADING";
  readonly message: string;
}

export interface DecodedStream {
  readonly content: string;
  readonly reasoning: string;
  readonly toolCalls: string;
  readonly events: EventCounts;
  /** Stamps on the same clock as `push`'s `atNs`. */
  readonly firstTokenNs?: number;
  readonly firstVisibleNs?: number;
  readonly lastTokenNs?: number;
  /** Arrival of each text event, ns; at most limits.MAX_CHUNK_STAMPS are kept and the rest counted. */
  readonly textStampsNs: Float64Array;
  /** Tokens of each text event, where the server streams counts; same length as `textStampsNs`. */
  readonly textTokens?: Uint32Array;
  readonly sharedStampEvents: number;
  /** Events with bytes that are no UTF-8, which read as U+FFFD; absent when there were none. */
  readonly invalidUtf8Events?: number;
  readonly inputTokens?: number;
  readonly cachedTokens?: number;
  readonly outputTokens?: number;
  readonly reasoningTokens?: number;
  readonly firstEventTokens?: number;
  /** Counts of the server that cannot be true, in words for a warning. The fields above are without them. */
  readonly discardedCounts?: string;
  readonly split?: EngineSplit;
  readonly finishReason?: string;
  readonly model?: string;
  readonly fault?: StreamFault;
}

/** The result of one request: it never throws for what a server does, it says so in `outcome`. */
export interface Completion {
  readonly sentNs?: number;
  readonly firstByteNs?: number;
  readonly endNs: number;
  readonly decoded: DecodedStream;
  readonly outcome: Outcome;
  readonly simulated: boolean;
  readonly httpStatus?: number;
}

export interface GenerateLimits {
  /** Longest wait for the next byte, first one included. */
  readonly gapMs: number;
  /** Longest whole request. */
  readonly totalMs: number;
  /** How long a 503 "loading" is waited out. */
  readonly loadingMs: number;
}

export interface GenerateContext {
  readonly clock: Clock;
  readonly limits: GenerateLimits;
  readonly signal?: AbortSignal;
  /** Called with the number of text events after each read; for progress displays, must be cheap. */
  readonly onProgress?: (textEvents: number) => void;
}

/** What an adapter can be asked for. Each `false` is also the reason a conformance test is skipped. */
export interface EngineCapabilities {
  readonly chat: boolean;
  readonly completion: boolean;
  readonly stream: boolean;
  readonly ignoreEos: boolean;
  readonly tokenize: boolean;
  readonly slots: boolean;
  readonly load: boolean;
  readonly unload: boolean;
  /** Ollama only: layers and context are set per request. */
  readonly loadOptions: boolean;
  readonly cacheControl: boolean;
}

export interface SlotState {
  readonly id: number;
  readonly busy: boolean;
  readonly contextTokens?: number;
}

export interface LoadedModel {
  readonly model: string;
  readonly sizeBytes?: number;
  readonly vramBytes?: number;
  readonly contextTokens?: number;
}

export interface Engine {
  readonly kind: EngineKind;
  readonly capabilities: EngineCapabilities;
  /** Pure. */
  buildRequest(request: GenerateRequest): HttpRequest;
  /** Pure. The request's limit is what the server's own count is held against. */
  createDecoder(
    request: Pick<GenerateRequest, "stream"> & Partial<Pick<GenerateRequest, "options">>,
  ): StreamDecoder;
  /** Classifies an error response (status ≥ 300): its body is at most limits.MAX_ERROR_BODY_BYTES. */
  classifyError(status: number, body: string): StreamFault;
  /** Sends one request and waits for its end. */
  generate(request: GenerateRequest, context: GenerateContext): Promise<Completion>;
  /** Resolves when the server answers and can serve; throws an OperatorError otherwise. */
  health(): Promise<{ readonly version?: string }>;
  models(): Promise<readonly string[]>;
  /**
   * Effective settings, read back. Unknown is absent. `options` are what requests will ask for:
   * where the engine clamps them (Ollama's layers and context), the clamped value is the fact.
   */
  facts(model: string, options?: SamplingOptions): Promise<EndpointFacts>;
  /** Absent where `capabilities.slots` is false. */
  slots?(): Promise<readonly SlotState[]>;
  /** Number of tokens of a text, special tokens left out. Absent where `capabilities.tokenize` is false. */
  tokenize?(model: string, text: string): Promise<number>;
  /** Loads the model with these options and returns how long that took, milliseconds. */
  load?(model: string, options: SamplingOptions): Promise<number>;
  /** Resolves once it has left memory; rejects when it has not after `limitMs`, or after the engine's own limit. */
  unload?(model: string, limitMs?: number): Promise<void>;
  /** What is in memory now. */
  loaded?(): Promise<readonly LoadedModel[]>;
  /** The server's own counters and gauges by name. Absent where the engine has none; rejects where it was started without. */
  counters?(): Promise<ReadonlyMap<string, number>>;
  /** Opens this many connections ahead of a barrier, so that no TCP handshake falls into a TTFT. */
  preconnect?(count: number): Promise<void>;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** An endpoint as a scenario names it, with its secrets still references. */
export interface EndpointSpec {
  readonly name: string;
  readonly url: string;
  /** Absent: detected by asking the server. */
  readonly engine?: EngineKind;
  readonly credential?: CredentialReference;
}

/** Credentials come from an environment variable or a file, and never enter a record. */
export type CredentialReference = { readonly env: string } | { readonly file: string };
