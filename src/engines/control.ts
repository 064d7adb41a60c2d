/**
 * The control plane: small JSON calls outside the measured path, on a connection of their own, so
 * that they never wait behind a stream. Every failure is an operator error.
 */
import type { Clock } from "../core/clock.ts";
import type { OperatorError } from "../core/errors.ts";
import { CONTROL_TIMEOUT_MS, MAX_CONTROL_BODY_BYTES } from "../core/limits.ts";
import { msToNs } from "../core/units.ts";
import type { EngineKind } from "./engine.ts";
import { exchange } from "./exchange.ts";
import { classifyFault } from "./fault.ts";
import { SIMULATED_HEADER } from "./generate.ts";
import { type JsonRecord, asRecord, parseJson } from "./json-shape.ts";
import { type EndpointFailure, endpointError, isForeignAnswer } from "./next-step.ts";
import { requestHeaders } from "./request-headers.ts";
import { retryAfterMs } from "./retry-after.ts";
import type { ShowText } from "./server-text.ts";
import type { Transport } from "./transport.ts";

export interface ControlOptions {
  /** The model that the call is about, for messages. */
  readonly model?: string;
  readonly timeoutMs?: number;
}

export interface ControlOutcome {
  readonly status?: number;
  /** The body of a success. */
  readonly text: string;
  readonly failure?: EndpointFailure;
}

export interface ControlClient {
  getJson(path: string, options?: ControlOptions): Promise<JsonRecord>;
  postJson(path: string, body: JsonRecord, options?: ControlOptions): Promise<JsonRecord>;
  getText(path: string): Promise<string>;
  /** Never throws: for detection and for endpoints that a server may not have. */
  ask(method: "GET" | "POST", path: string, body?: JsonRecord, timeoutMs?: number): Promise<ControlOutcome>;
  /** Whether the last answer was labelled by the simulated engine. */
  readonly simulated: boolean;
}

export interface ControlClientOptions {
  /** Carries no secret. */
  readonly url: string;
  readonly transport: Transport;
  readonly clock: Clock;
  /** How long an answer of 503 "loading" is waited out; 0 makes it an error at once. */
  readonly loadingMs: number;
  /** Failures of every call go through it. */
  readonly shown: ShowText;
  /** Asks the server what it is, if the operator said so; answers where that is something else. */
  readonly unlikeNamed?: () => Promise<EngineKind | undefined>;
}

export function createControlClient(options: ControlClientOptions): ControlClient {
  return new HttpControlClient(options);
}

/** A loading server is asked again this often. */
const LOADING_POLL_MS = 500;

class HttpControlClient implements ControlClient {
  readonly #url: string;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #loadingMs: number;
  readonly #shown: ShowText;
  readonly #unlikeNamed: ControlClientOptions["unlikeNamed"];
  #really: Promise<EngineKind | undefined> | undefined;
  #simulated = false;

  constructor({ url, transport, clock, loadingMs, shown, unlikeNamed }: ControlClientOptions) {
    this.#url = url;
    this.#transport = transport;
    this.#clock = clock;
    this.#loadingMs = loadingMs;
    this.#shown = shown;
    this.#unlikeNamed = unlikeNamed;
  }

  get simulated(): boolean {
    return this.#simulated;
  }

  getJson(path: string, options: ControlOptions = {}): Promise<JsonRecord> {
    return this.#json("GET", path, undefined, options);
  }

  postJson(path: string, body: JsonRecord, options: ControlOptions = {}): Promise<JsonRecord> {
    return this.#json("POST", path, body, options);
  }

  async getText(path: string): Promise<string> {
    const { failure, text } = await this.ask("GET", path);
    if (failure !== undefined) throw await this.#error(failure);
    return text;
  }

  async ask(
    method: "GET" | "POST",
    path: string,
    body?: JsonRecord,
    timeoutMs = CONTROL_TIMEOUT_MS,
  ): Promise<ControlOutcome> {
    const outcome = await this.#exchange(method, path, body, timeoutMs);
    const { failure } = outcome;
    if (failure === undefined) return outcome;
    return { ...outcome, failure: { ...failure, message: this.#shown(failure.message) } };
  }

  async #exchange(
    method: "GET" | "POST",
    path: string,
    body: JsonRecord | undefined,
    timeoutMs: number,
  ): Promise<ControlOutcome> {
    const pieces: Buffer[] = [];
    let length = 0;
    const result = await exchange(
      {
        method,
        path,
        headers: requestHeaders(body !== undefined),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      },
      {
        clock: this.#clock,
        transport: this.#transport,
        url: this.#url,
        gapMs: timeoutMs,
        totalMs: timeoutMs,
        consume: (bytes) => {
          length += bytes.length;
          if (length > MAX_CONTROL_BODY_BYTES) return "none";
          pieces.push(Buffer.from(bytes));
          return "more";
        },
      },
    );
    const { ending, status, headers } = result;
    this.#simulated = headers[SIMULATED_HEADER] === "1";
    const known = status === undefined ? {} : { status };
    switch (ending.kind) {
      case "complete":
        return { ...known, text: Buffer.concat(pieces).toString("utf8") };
      case "rejected": {
        const waitMs = retryAfterMs(headers["retry-after"], this.#clock);
        const fault = classifyFault(ending.status, ending.errorBody);
        return {
          ...known,
          text: "",
          failure: {
            ...fault,
            httpStatus: ending.status,
            ...(waitMs !== undefined && { retryAfterMs: waitMs }),
          },
        };
      }
      case "stopped": {
        const message = `the answer to ${path} is longer than ${MAX_CONTROL_BODY_BYTES} bytes`;
        return { ...known, text: "", failure: { code: "STREAM_MALFORMED", message } };
      }
      case "cancelled":
        return { ...known, text: "", failure: { code: "CONNECTION_RESET", message: ending.reason } };
      case "failed":
        return { ...known, text: "", failure: { code: ending.code, message: ending.message } };
    }
  }

  async #json(
    method: "GET" | "POST",
    path: string,
    body: JsonRecord | undefined,
    options: ControlOptions,
  ): Promise<JsonRecord> {
    const loadingUntilNs = this.#clock.nowNs() + msToNs(this.#loadingMs);
    let outcome = await this.ask(method, path, body, options.timeoutMs);
    while (outcome.failure?.code === "SERVER_LOADING" && this.#clock.nowNs() < loadingUntilNs) {
      await this.#clock.sleepUntil(this.#clock.nowNs() + msToNs(LOADING_POLL_MS));
      outcome = await this.ask(method, path, body, options.timeoutMs);
    }
    const document = asRecord(parseJson(outcome.text));
    if (outcome.failure === undefined && document !== undefined) return document;
    throw await this.#error(
      outcome.failure ?? {
        code: "STREAM_MALFORMED",
        message: this.#shown(`the answer to ${path} is not a JSON object: ${beginningOf(outcome.text)}`),
      },
      options.model,
    );
  }

  /** The server is asked what it is once at most: some failures here are met again and again. */
  async #error(failure: EndpointFailure, model?: string): Promise<OperatorError> {
    if (isForeignAnswer(failure)) this.#really ??= this.#unlikeNamed?.();
    const really = isForeignAnswer(failure) ? await this.#really : undefined;
    return endpointError(failure, { url: this.#url, really, ...(model !== undefined && { model }) });
  }
}

/** Enough of an answer to recognise it by. */
const EXCERPT_CHARACTERS = 80;

function beginningOf(text: string): string {
  return text.length > EXCERPT_CHARACTERS ? `${text.slice(0, EXCERPT_CHARACTERS)}…` : text;
}
