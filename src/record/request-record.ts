/**
 * One line of `requests.jsonl`: what one request did, in the words of the measurement page.
 * Stamps are integer nanoseconds from the trial's origin on the monotonic clock; a stamp that
 * does not exist is absent, never 0.
 */
import type { ErrorCode } from "../core/error-codes.ts";

export const REQUEST_RECORD_VERSION = 1;

export interface RequestStamps {
  /** The intended start: the barrier for an agent's first request, then what its cadence says. */
  readonly scheduledNs: number;
  /** The last byte of the request was handed to the socket. */
  readonly sentNs?: number;
  /** First byte of the response body. */
  readonly firstByteNs?: number;
  /** First event with non-empty content, reasoning or tool-call text. */
  readonly firstTokenNs?: number;
  /** First event with non-empty content. */
  readonly firstVisibleNs?: number;
  /** Last event that carries text. */
  readonly lastTokenNs?: number;
  /** The stream closed, or the failure was known. */
  readonly endNs: number;
}

/** Events of one stream by kind. Only `text` events are ever used as tokens. */
export interface EventCounts {
  readonly text: number;
  readonly role: number;
  readonly empty: number;
  readonly keepAlive: number;
  readonly usage: number;
  readonly finish: number;
  readonly other: number;
}

export interface TokenCounts {
  /** Prompt tokens as the engine counted them. */
  readonly input?: number;
  /** What the workload asked the prompt to be. */
  readonly inputTarget?: number;
  /** Prompt tokens served from the engine's cache. */
  readonly cached?: number;
  readonly output?: number;
  /** Most output tokens that the request allowed. */
  readonly outputLimit?: number;
  /** `engine`: the engine's own count. `estimated`: the number of text events. */
  readonly outputSource?: "engine" | "estimated";
  /** Tokens in the first text event; 1 is assumed where absent. */
  readonly firstEvent?: number;
  readonly reasoning?: number;
}

/** How the engine itself splits the time, milliseconds. */
export interface EngineSplit {
  readonly queueMs?: number;
  readonly loadMs?: number;
  readonly prefillMs?: number;
  readonly prefillTokens?: number;
  readonly decodeMs?: number;
  readonly decodeTokens?: number;
  readonly totalMs?: number;
}

/** The reason of a request that was cancelled because the set time of its trial was over. No failure. */
export const WINDOW_ENDED = "window-ended";

export type Outcome =
  | { readonly kind: "ok" }
  | { readonly kind: "cancelled"; readonly reason: string }
  | {
      readonly kind: "failed";
      readonly code: ErrorCode;
      readonly message: string;
      readonly httpStatus?: number;
      readonly retryAfterMs?: number;
      /** Whether text had arrived before the failure. */
      readonly afterFirstToken: boolean;
    };

/** `warm-up` requests are recorded and never enter a figure. */
export type RequestPhase = "warm-up" | "measured";

export interface RequestRecord {
  readonly v: typeof REQUEST_RECORD_VERSION;
  /** Unique in the run: `<trialId>/<agent>/<position>`, `.r<n>` for a retry. */
  readonly requestId: string;
  readonly trialId: string;
  readonly agent: string;
  readonly phase: RequestPhase;
  /** 0 for an agent's first request of the trial. */
  readonly position: number;
  /** What the agent program calls this step, e.g. `summarise`. */
  readonly step: string;
  /** The endpoint's name in the scenario. */
  readonly endpoint: string;
  readonly engine: string;
  readonly model: string;
  readonly stamps: RequestStamps;
  readonly tokens: TokenCounts;
  readonly events: EventCounts;
  /** Text events that shared their stamp with an earlier event of the same read. */
  readonly sharedStampEvents: number;
  readonly split?: EngineSplit;
  /** Counts of the server that cannot be true, in words; `tokens` and `split` are without them. */
  readonly discardedCounts?: string;
  readonly finishReason?: string;
  readonly outcome: Outcome;
  /** Time spent waiting for a place under the endpoint's in-flight limit, before sending. */
  readonly clientQueueMs?: number;
  /** The prompt was made unique, so that no prefix of it can be cached. */
  readonly promptCold: boolean;
  /** SHA-256 (16 hex) of prompt text as sent: solo and together runs can be matched. */
  readonly promptHash: string;
  /** The answering server labels itself as the simulated engine. */
  readonly simulated: boolean;
}

/**
 * One line of `chunks.jsonl`, written before its request's line: when each text event arrived.
 * Kept apart so that a million requests can be read without their chunks.
 */
export interface ChunkRecord {
  readonly v: typeof REQUEST_RECORD_VERSION;
  readonly requestId: string;
  /** From the trial's origin. */
  readonly firstNs: number;
  /** Microseconds from one text event to the next; 0 within one read. */
  readonly gapsUs: readonly number[];
  /** Tokens of each text event, where the server streams counts. */
  readonly tokens?: readonly number[];
}
