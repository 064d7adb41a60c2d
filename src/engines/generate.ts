/**
 * Joins an engine's data plane to the transport. Whatever a server does, the answer is a
 * Completion: an outcome, and the text and stamps that had arrived by then.
 */
import { messageOf } from "../core/errors.ts";
import { msToNs } from "../core/units.ts";
import type { Outcome } from "../record/request-record.ts";
import type { Completion, DecodedStream, Engine, GenerateContext, GenerateRequest } from "./engine.ts";
import { type ExchangeResult, exchange } from "./exchange.ts";
import { retryAfterMs } from "./retry-after.ts";
import type { ShowText } from "./server-text.ts";
import type { Transport } from "./transport.ts";

/** The part of an engine that knows no socket. */
export type DataPlane = Pick<Engine, "buildRequest" | "createDecoder" | "classifyError">;

export interface GenerateTarget {
  readonly plane: DataPlane;
  readonly transport: Transport;
  /** For messages; carries no secret. */
  readonly url: string;
  /** For what the server says beside its text. */
  readonly shown: ShowText;
}

/** A loading server is asked again this often: short against any load, long against a request. */
const LOADING_POLL_MS = 500;

/** Set by the simulated engine, so that nothing measured on it can pass for real. */
export const SIMULATED_HEADER = "x-slipway-simulated";

/**
 * Sends one request. An answer of 503 "loading" is waited out within `limits.loadingMs`, apart
 * from the other limits; the stamps are then those of the last attempt.
 */
export async function generate(
  target: GenerateTarget,
  request: GenerateRequest,
  context: GenerateContext,
): Promise<Completion> {
  const { clock, limits, signal } = context;
  const loadingUntilNs = clock.nowNs() + msToNs(limits.loadingMs);
  for (;;) {
    const completion = await attempt(target, request, context);
    const { outcome } = completion;
    if (outcome.kind !== "failed" || outcome.code !== "SERVER_LOADING") return completion;
    const askAgainNs = clock.nowNs() + msToNs(Math.max(outcome.retryAfterMs ?? 0, LOADING_POLL_MS));
    if (askAgainNs > loadingUntilNs) {
      const message = `still loading after ${limits.loadingMs} ms; ${outcome.message}`;
      return { ...completion, outcome: { ...outcome, message } };
    }
    try {
      await clock.sleepUntil(askAgainNs, signal);
    } catch (thrown) {
      const cancelled = { kind: "cancelled", reason: messageOf(thrown) } as const;
      return { ...completion, endNs: clock.nowNs(), outcome: cancelled };
    }
  }
}

async function attempt(
  target: GenerateTarget,
  request: GenerateRequest,
  context: GenerateContext,
): Promise<Completion> {
  const decoder = target.plane.createDecoder(request);
  const result = await exchange(target.plane.buildRequest(request), {
    clock: context.clock,
    transport: target.transport,
    url: target.url,
    gapMs: context.limits.gapMs,
    totalMs: context.limits.totalMs,
    ...(context.signal !== undefined && { signal: context.signal }),
    consume: (bytes, atNs, sharesStamp) => {
      decoder.push(bytes, atNs, sharesStamp);
      context.onProgress?.(decoder.textEvents);
      if (decoder.fault !== undefined) return "none";
      return decoder.complete ? "last" : "more";
    },
  });
  const decoded = shownWords(decoder.finish(result.ending.kind !== "complete"), target.shown);
  return {
    ...(result.sentNs !== undefined && { sentNs: result.sentNs }),
    ...(result.firstByteNs !== undefined && { firstByteNs: result.firstByteNs }),
    endNs: result.endNs,
    decoded,
    outcome: outcomeOf(result, decoded, target, context),
    simulated: result.headers[SIMULATED_HEADER] === "1",
    ...(result.status !== undefined && { httpStatus: result.status }),
  };
}

/** The fields of a stream that are recorded as they came. Its text is not recorded. */
export function shownWords(decoded: DecodedStream, shown: ShowText): DecodedStream {
  const { finishReason, model, fault } = decoded;
  return {
    ...decoded,
    ...(finishReason !== undefined && { finishReason: shown(finishReason) }),
    ...(model !== undefined && { model: shown(model) }),
    ...(fault !== undefined && { fault: { ...fault, message: shown(fault.message) } }),
  };
}

function outcomeOf(
  result: ExchangeResult,
  decoded: DecodedStream,
  { plane, shown }: GenerateTarget,
  context: GenerateContext,
): Outcome {
  const { ending } = result;
  if (ending.kind === "cancelled") return ending;
  const failure =
    ending.kind === "rejected"
      ? plane.classifyError(ending.status, ending.errorBody)
      : ending.kind === "failed"
        ? ending
        : decoded.fault;
  if (failure === undefined) return { kind: "ok" };
  const waitMs = retryAfterMs(result.headers["retry-after"], context.clock);
  return {
    kind: "failed",
    code: failure.code,
    message: shown(failure.message),
    ...(result.status !== undefined && { httpStatus: result.status }),
    ...(waitMs !== undefined && { retryAfterMs: waitMs }),
    afterFirstToken: decoded.firstTokenNs !== undefined,
  };
}
