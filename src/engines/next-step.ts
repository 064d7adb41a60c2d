/** A failure at an endpoint as the operator sees it: the same code, with what to do next. */
import type { ErrorCode } from "../core/error-codes.ts";
import { OperatorError } from "../core/errors.ts";
import { MS_PER_S } from "../core/units.ts";

export interface EndpointFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterMs?: number;
  readonly httpStatus?: number;
}

export interface FailureContext {
  /** Carries no secret. */
  readonly url: string;
  readonly model?: string;
  /** What the server turned out to be, where that is not what it was said to be. */
  readonly really?: string | undefined;
}

/** `received` is the endpoint, or the model where that is what was not accepted. */
export function endpointError(failure: EndpointFailure, context: FailureContext): OperatorError {
  const aboutModel = failure.code === "MODEL_NOT_FOUND" && context.model !== undefined;
  return new OperatorError(failure.code, {
    message: failure.message,
    received: aboutModel ? context.model : context.url,
    nextStep: context.really === undefined ? nextStep(failure) : otherEngine(context.really),
  });
}

const CHECK_SERVER_KIND =
  "check that --engine names what listens there (left out, the server is asked), and look into its log and at proxies on the way";

/**
 * A server that does not know a path mostly speaks another protocol. Missing models have their own
 * code, so what is left of these statuses is about the path.
 */
const UNKNOWN_PATH_STATUSES: readonly number[] = [404, 405];

/** Whether the failure looks as if another kind of server had been asked. */
export function isForeignAnswer({ code, httpStatus }: EndpointFailure): boolean {
  if (code === "STREAM_MALFORMED") return true;
  return code === "SERVER_ERROR" && httpStatus !== undefined && UNKNOWN_PATH_STATUSES.includes(httpStatus);
}

function otherEngine(really: string): string {
  return `the server looks like ${really} when it is asked: give --engine ${really}, or leave --engine out`;
}

const NEXT_STEPS: Partial<Record<ErrorCode, string>> = {
  ENDPOINT_REFUSED:
    "start the server, or give its address with --endpoint name=http://host:port; `slipway doctor` shows what it finds here",
  ENDPOINT_DNS: "check the spelling of the host name, or give an address",
  MODEL_NOT_FOUND:
    "choose a model that the server lists (`slipway doctor` shows them), or pull it there first",
  UNAUTHORIZED:
    "name the credential of this endpoint as a reference: credential: {env: NAME} or {file: path}",
  RATE_LIMITED: "lower the number of requests in flight at this endpoint",
  SERVER_LOADING: "wait until the model is loaded, or raise the loading limit",
  SERVER_OUT_OF_MEMORY:
    "use a smaller model, fewer GPU layers, a smaller context or fewer slots, or end what else uses the memory",
  CONTEXT_EXCEEDED: "shorten prompt or output, or start the server with a larger context per slot",
  CONNECTION_RESET: "look into the server's log: the process may have crashed",
  STREAM_STALLED: "look into the server's log; if it is only slow, raise the gap limit",
  REQUEST_TIMEOUT: "ask for fewer tokens, or raise the total limit",
  REDIRECT_REFUSED:
    "give the address that the server redirects to: a followed redirect would fall into every TTFT",
  STREAM_MALFORMED: CHECK_SERVER_KIND,
  LINE_TOO_LONG: CHECK_SERVER_KIND,
  STREAM_TRUNCATED: CHECK_SERVER_KIND,
};

function nextStep(failure: EndpointFailure): string {
  const { code, retryAfterMs } = failure;
  const step =
    NEXT_STEPS[code] ?? (isForeignAnswer(failure) ? CHECK_SERVER_KIND : "look into the server's log");
  return retryAfterMs === undefined
    ? step
    : `wait ${Math.ceil(retryAfterMs / MS_PER_S)} s and try again, or ${step}`;
}
