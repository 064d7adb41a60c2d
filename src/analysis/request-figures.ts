/**
 * What the stamps of one request say. Stamps are nanoseconds from the trial's origin, figures are
 * milliseconds and tokens per second; a figure whose stamps do not exist is `undefined`.
 */
import { MS_PER_S, nsToMs } from "../core/units.ts";
import type { RequestRecord } from "../record/request-record.ts";

/** The client's own wait: from the last byte sent to the first token. */
export function ttftMs({ stamps }: RequestRecord): number | undefined {
  return spanMs(stamps.sentNs, stamps.firstTokenNs);
}

/** From the intended start. Larger than TTFT where the client could not send in time, which TTFT alone hides. */
export function responseTtftMs({ stamps }: RequestRecord): number | undefined {
  return spanMs(stamps.scheduledNs, stamps.firstTokenNs);
}

/** To the first token a person would see; reasoning comes before it. */
export function firstVisibleMs({ stamps }: RequestRecord): number | undefined {
  return spanMs(stamps.sentNs, stamps.firstVisibleNs);
}

export function latencyMs({ stamps }: RequestRecord): number | undefined {
  return spanMs(stamps.sentNs, stamps.endNs);
}

export function responseLatencyMs({ stamps }: RequestRecord): number | undefined {
  return spanMs(stamps.scheduledNs, stamps.endNs);
}

/** Mean inter-token latency, (last − first token) ÷ (tokens − 1): one value per request, hence labelled `mean`. */
export function meanItlMs({ stamps, tokens }: RequestRecord): number | undefined {
  const spreadMs = spanMs(stamps.firstTokenNs, stamps.lastTokenNs);
  if (spreadMs === undefined || tokens.output === undefined || tokens.output < 2) return undefined;
  return spreadMs / (tokens.output - 1);
}

export interface DecodePart {
  /** Output tokens without those of the first event, which prefill produced. */
  readonly tokens: number;
  readonly ms: number;
}

/** The streamed part of an answer; `undefined` where everything came in one event or one read. */
export function decodePart({ stamps, tokens }: RequestRecord): DecodePart | undefined {
  const ms = spanMs(stamps.firstTokenNs, stamps.lastTokenNs);
  if (ms === undefined || ms <= 0 || tokens.output === undefined) return undefined;
  const later = tokens.output - firstEventTokens({ tokens });
  return later > 0 ? { tokens: later, ms } : undefined;
}

/** One token is assumed in a first event that does not say. */
export function firstEventTokens({ tokens }: Pick<RequestRecord, "tokens">): number {
  return tokens.firstEvent ?? 1;
}

/** `undefined` where no time passed: a rate over nothing is not a rate. */
export function ratePerS(amount: number, ms: number): number | undefined {
  return ms > 0 ? (amount * MS_PER_S) / ms : undefined;
}

/**
 * Ollama reports 10 to 60 ms of loading for a model that already is in memory; reading even a
 * small one takes longer than this.
 */
export const COLD_LOAD_MS = 300;

/** Milliseconds of model loading inside this request, 0 for a warm one. */
export function coldLoadMs({ split }: RequestRecord): number {
  const loadMs = split?.loadMs ?? 0;
  return loadMs > COLD_LOAD_MS ? loadMs : 0;
}

function spanMs(fromNs: number | undefined, toNs: number | undefined): number | undefined {
  return fromNs === undefined || toNs === undefined ? undefined : nsToMs(toNs - fromNs);
}
