/** What goes into the simulator and what comes out of it. All times are nanoseconds of the caller's clock. */

/** Settings that a server fixes when it loads a model; a request that wants others makes it load again. */
export interface LoadSettings {
  /** Context of one slot, tokens. */
  readonly contextTokens: number;
  /** Layers on the card; more than the model has means all. */
  readonly gpuLayers: number;
}

export interface SimulatedRequest {
  /** Unique among the requests that have not ended. */
  readonly id: string;
  /** At least 1. */
  readonly promptTokens: number;
  /** At least 1; cut to what the context leaves. */
  readonly outputTokens: number;
  /** The prompt's tokens, for reuse of a slot's cached prefix. */
  readonly promptIds?: readonly number[];
  /** The same said shortly, for workloads that have no text. With neither, nothing is reused. */
  readonly conversation?: ConversationPrefix;
  /** The slot it insists on, as llama-server's `id_slot`. Absent: any. */
  readonly slotId?: number;
  /** Absent: whatever is loaded, or the engine's defaults. */
  readonly load?: LoadSettings;
}

/** The prompt begins with what an earlier turn of the same conversation had, answer included. */
export interface ConversationPrefix {
  /** Another number after a compaction: what follows then is another text. */
  readonly id: number;
  readonly sharedTokens: number;
}

export type Admission =
  | { readonly kind: "accepted"; readonly outputTokens: number; readonly cutByContext: boolean }
  | { readonly kind: "refused"; readonly contextTokens: number };

/** How one request's time was spent up to its latest token. The first token comes out of the step that ends its prefill. */
export interface RequestTimings {
  readonly submittedNs: number;
  /** It got its slot, at the beginning of a step. */
  readonly startedNs: number;
  readonly firstTokenNs: number;
  /** Its latest token came out. */
  readonly latestTokenNs: number;
  /** The part of the wait that was a model load. */
  readonly loadNs: number;
  readonly slotId: number;
  readonly promptTokens: number;
  /** Prompt tokens that were in the slot's cache. */
  readonly cachedTokens: number;
  /** So far. */
  readonly outputTokens: number;
}

/** One token, or the last of several that one stretch of steps gave. */
export interface Emission {
  readonly id: string;
  readonly timings: RequestTimings;
  readonly isLast: boolean;
}

export interface PrefillProgress {
  readonly id: string;
  /** Prompt tokens in the cache, reused ones included. */
  readonly doneTokens: number;
  readonly totalTokens: number;
}

/** The shared cache had no cell left: the server ends every running request. */
export interface Aborted {
  readonly id: string;
  readonly timings: RequestTimings;
}

export interface StepOutcome {
  readonly atNs: number;
  readonly aborted: readonly Aborted[];
  readonly emissions: readonly Emission[];
  readonly prefills: readonly PrefillProgress[];
}

export interface Step {
  /** `exhausted`: nothing could be computed, see {@link Aborted}. */
  readonly kind: "load" | "compute" | "exhausted";
  readonly startNs: number;
  readonly endNs: number;
}

export interface SlotView {
  readonly id: number;
  readonly contextTokens: number;
  /** Absent when the slot is free. */
  readonly requestId?: string;
  readonly promptTokens: number;
  readonly prefilledTokens: number;
  readonly emittedTokens: number;
}
