/** What is made of a request that did not end well. */
import type { ErrorCode } from "../core/error-codes.ts";
import type { Completion } from "../engines/engine.ts";
import type { Outcome } from "../record/request-record.ts";
import { WINDOW_ENDED } from "../record/request-record.ts";

/** First wait before a retry where the server names none; it doubles with every further one. */
const RETRY_WAIT_MS = 1_000;

/** Why a request did not end well, in one line; undefined when it did, or when only the set time was over. */
export function failureOf(outcome: Outcome): string | undefined {
  switch (outcome.kind) {
    case "ok":
      return undefined;
    case "cancelled":
      if (outcome.reason === WINDOW_ENDED) return undefined;
      return `cancelled: ${outcome.reason}`;
    case "failed":
      return `${outcome.code}: ${outcome.message}`;
  }
}

/** Failures that pass by themselves. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  "RATE_LIMITED",
  "CONNECTION_RESET",
  "ENDPOINT_REFUSED",
  "SERVER_LOADING",
]);

/** How long to wait before trying again; undefined where trying again makes no sense. */
export function retryWaitMs(completion: Completion, attempt: number): number | undefined {
  const { outcome } = completion;
  if (outcome.kind !== "failed" || outcome.afterFirstToken) return undefined;
  if (!PASSING.has(outcome.code)) return undefined;
  return outcome.retryAfterMs ?? RETRY_WAIT_MS * 2 ** attempt;
}
