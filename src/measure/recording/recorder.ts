/**
 * From what passed through to a record: an observer per exchange that decodes a copy of the answer
 * and writes the same lines as the runner would for a request of its own.
 */
import type { Clock } from "../../core/clock.ts";
import { MAX_ERROR_BODY_BYTES } from "../../core/limits.ts";
import type { Completion, DecodedStream, Engine, StreamDecoder } from "../../engines/engine.ts";
import { SIMULATED_HEADER, shownWords } from "../../engines/generate.ts";
import { retryAfterMs } from "../../engines/retry-after.ts";
import { shownText } from "../../engines/server-text.ts";
import type { ShowText } from "../../engines/server-text.ts";
import type { RecordSink } from "../../record/record-sink.ts";
import type { Outcome, RequestPhase } from "../../record/request-record.ts";
import { bodyCopy } from "./copy.ts";
import type { BodyCopy, ReadBytes } from "./copy.ts";
import type { RecordedProtocol, RequestFacts } from "./protocol.ts";
import { headerOf } from "./relay.ts";
import type { Ending, ExchangeObserver } from "./relay.ts";
import type { UpstreamHead } from "./upstream.ts";
import { toRequestRecord } from "../to-record.ts";

export interface RecorderOptions {
  readonly engine: Engine;
  readonly decoderFor: (protocol: RecordedProtocol, stream: boolean) => StreamDecoder;
  readonly endpointName: string;
  readonly trialId: string;
  readonly phase: RequestPhase;
  readonly originNs: number;
  readonly sink: RecordSink;
  readonly clock: Clock;
  /** A record could not be written. */
  readonly onFailure: (thrown: unknown) => void;
}

/** One exchange that is recorded. */
export interface RecordedExchange {
  readonly facts: RequestFacts;
  /** What went to the upstream, name and value in turn: a credential among it stays out of the record. */
  readonly sentHeaders: readonly string[];
  readonly agent: string;
  readonly step: string;
  /** The client's request had arrived in full. */
  readonly scheduledNs: number;
}

/** Counts requests per agent and turns exchanges into lines. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #positions = new Map<string, number>();
  readonly #writing = new Set<Promise<void>>();
  #requests = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Requests that were received and are recorded, finished or not. */
  get requests(): number {
    return this.#requests;
  }

  observe(exchange: RecordedExchange): ExchangeObserver {
    this.#requests++;
    const position = this.#positions.get(exchange.agent) ?? 0;
    this.#positions.set(exchange.agent, position + 1);
    return new Observation(this.#options, exchange, (completion) =>
      this.#write(exchange, position, completion),
    );
  }

  /** Resolves when every exchange that has ended is written. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing);
  }

  #write(exchange: RecordedExchange, position: number, completing: Promise<Completion>): void {
    const { sink, trialId, phase, endpointName, engine, originNs, onFailure } = this.#options;
    const writing = completing
      .then((completion) => {
        const { record, chunks } = toRequestRecord({
          completion,
          requestId: `${trialId}/${exchange.agent}/${position}`,
          trialId,
          agent: exchange.agent,
          phase,
          position,
          step: exchange.step,
          endpoint: endpointName,
          engine: engine.kind,
          model: exchange.facts.model === "" ? (completion.decoded.model ?? "") : exchange.facts.model,
          originNs,
          scheduledNs: exchange.scheduledNs,
          promptCold: exchange.facts.promptCold,
          promptHash: exchange.facts.promptHash,
        });
        sink.request(record, chunks);
      })
      .catch(onFailure)
      .finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }
}

class Observation implements ExchangeObserver {
  readonly #options: RecorderOptions;
  readonly #decoder: StreamDecoder;
  readonly #shown: ShowText;
  readonly #done: (completion: Promise<Completion>) => void;
  readonly #errorPieces: Buffer[] = [];
  #errorBytes = 0;
  #sentNs: number | undefined;
  #firstByteNs: number | undefined;
  #head: UpstreamHead | undefined;
  #copy: BodyCopy | undefined;

  constructor(
    options: RecorderOptions,
    { facts, sentHeaders }: RecordedExchange,
    done: (completion: Promise<Completion>) => void,
  ) {
    this.#options = options;
    this.#decoder = options.decoderFor(facts.protocol, facts.stream);
    this.#shown = shownText(headerPairs(sentHeaders));
    this.#done = done;
  }

  onSent(atNs: number): void {
    this.#sentNs = atNs;
  }

  onHead(head: UpstreamHead): void {
    this.#head = head;
    const decode: ReadBytes = (bytes, atNs, sharesStamp) => this.#decoder.push(bytes, atNs, sharesStamp);
    const read = head.status < 300 ? decode : (bytes: Uint8Array) => this.#keepErrorBody(bytes);
    this.#copy = bodyCopy(headerOf(head.headers, "content-encoding"), read);
  }

  onData(bytes: Uint8Array, atNs: number, sharesStamp: boolean): void {
    this.#firstByteNs ??= atNs;
    this.#copy?.push(bytes, atNs, sharesStamp);
  }

  onEnding(ending: Ending, atNs: number): void {
    this.#done(this.#complete(ending, atNs));
  }

  async #complete(ending: Ending, endNs: number): Promise<Completion> {
    const head = this.#head;
    const packingFault = await this.#copy?.end();
    const whole = ending.kind === "complete" && head !== undefined && head.status < 300;
    const decoded = shownWords(this.#decoder.finish(!whole || packingFault !== undefined), this.#shown);
    return {
      ...(this.#sentNs !== undefined && { sentNs: this.#sentNs }),
      ...(this.#firstByteNs !== undefined && { firstByteNs: this.#firstByteNs }),
      endNs,
      decoded,
      outcome: this.#shownOutcome(this.#outcome(ending, decoded, packingFault)),
      simulated: this.#header(SIMULATED_HEADER) === "1",
      ...(head !== undefined && { httpStatus: head.status }),
    };
  }

  #shownOutcome(outcome: Outcome): Outcome {
    return outcome.kind === "failed" ? { ...outcome, message: this.#shown(outcome.message) } : outcome;
  }

  #outcome(ending: Ending, decoded: DecodedStream, packingFault: string | undefined): Outcome {
    const afterFirstToken = decoded.firstTokenNs !== undefined;
    switch (ending.kind) {
      case "stopped":
        return { kind: "cancelled", reason: "the recording endpoint was stopped" };
      case "client-left":
        // Some clients close as soon as they have read the closing event, without waiting for the end.
        return decoded.finishReason === undefined
          ? { kind: "cancelled", reason: "the client closed the connection" }
          : { kind: "ok" };
      case "failed":
        return { kind: "failed", code: ending.code, message: ending.message, afterFirstToken };
      case "complete": {
        const httpStatus = this.#head?.status ?? 0;
        if (httpStatus >= 300)
          return { kind: "failed", ...this.#rejection(httpStatus), httpStatus, afterFirstToken };
        const fault = faultOf(decoded, packingFault);
        return fault === undefined
          ? { kind: "ok" }
          : { kind: "failed", ...fault, httpStatus, afterFirstToken };
      }
    }
  }

  #rejection(status: number): Pick<Failure, "code" | "message" | "retryAfterMs"> {
    if (status < 400)
      return {
        code: "REDIRECT_REFUSED",
        message: `HTTP ${status}: the server sends the client elsewhere, where nothing is recorded`,
      };
    const body = Buffer.concat(this.#errorPieces).toString("utf8");
    const waitMs = retryAfterMs(this.#header("retry-after"), this.#options.clock);
    return {
      ...this.#options.engine.classifyError(status, body),
      ...(waitMs !== undefined && { retryAfterMs: waitMs }),
    };
  }

  #header(name: string): string | undefined {
    return headerOf(this.#head?.headers ?? [], name);
  }

  #keepErrorBody(bytes: Uint8Array): void {
    const kept = Buffer.from(bytes.subarray(0, MAX_ERROR_BODY_BYTES - this.#errorBytes));
    this.#errorBytes += kept.length;
    this.#errorPieces.push(kept);
  }
}

type Failure = Extract<Outcome, { kind: "failed" }>;

function faultOf(
  decoded: DecodedStream,
  packingFault: string | undefined,
): Pick<Failure, "code" | "message"> | undefined {
  return packingFault === undefined ? decoded.fault : { code: "STREAM_MALFORMED", message: packingFault };
}

function headerPairs(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length >> 1 }, (_, index) => [
    raw[2 * index] as string,
    raw[2 * index + 1] as string,
  ]);
}
