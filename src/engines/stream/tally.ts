/**
 * What one stream amounts to: text, events by kind, stamps, the engine's own figures. Adding an
 * event allocates nothing but the occasional doubling of an array.
 */
import { MAX_CHUNK_STAMPS } from "../../core/limits.ts";
import type { EventCounts } from "../../record/request-record.ts";
import type { DecodedStream, StreamFault } from "../engine.ts";
import { type BelievedFigures, type EngineFigures, believedFigures } from "./believable-figures.ts";
import { JsonText } from "./json-text.ts";

export type TextChannel = "content" | "reasoning" | "toolCalls";

/** Room for the stamps of a short answer; doubled when full. */
const FIRST_STAMPS = 256;

export class Tally {
  readonly #text = { content: new JsonText(), reasoning: new JsonText(), toolCalls: new JsonText() };
  readonly #events: Record<keyof EventCounts, number> = {
    text: 0,
    role: 0,
    empty: 0,
    keepAlive: 0,
    usage: 0,
    finish: 0,
    other: 0,
  };
  readonly #maxTokens: number | undefined;
  #figures: EngineFigures = {};
  #atNs = 0;
  #readHasText = false;
  #pendingContent = false;
  #sharedStampEvents = 0;
  #invalidUtf8Events = 0;
  #firstTokenNs: number | undefined;
  #firstVisibleNs: number | undefined;
  #lastTokenNs: number | undefined;
  #stamps = new Float64Array(FIRST_STAMPS);
  #tokens = new Uint32Array(0);
  #tokensSoFar = 0;
  #firstEventTokens: number | undefined;
  /** Every text event so far came with the server's count. */
  #counted = true;
  #fault: StreamFault | undefined;
  /** The protocol's closing event was seen. */
  closed = false;
  /** Nothing that counts can follow. */
  complete = false;

  /** `maxTokens` is what the request asked for at most, where it did. */
  constructor(maxTokens?: number) {
    this.#maxTokens = maxTokens;
  }

  get fault(): StreamFault | undefined {
    return this.#fault;
  }

  get textEvents(): number {
    return this.#events.text;
  }

  get totalEvents(): number {
    return Object.values(this.#events).reduce((sum, count) => sum + count, 0);
  }

  /** Begins a read: every event until the next call gets this stamp. */
  beginRead(atNs: number, sharesStamp: boolean): void {
    this.#atNs = atNs;
    if (!sharesStamp) this.#readHasText = false;
  }

  /** Adds text to the event at hand, which `countText` then closes. Answers whether there was any. */
  addText(channel: TextChannel, text: string | undefined): boolean {
    if (text === undefined || text === "") return false;
    this.#text[channel].append(text);
    if (channel === "content") this.#pendingContent = true;
    return true;
  }

  addRawText(channel: TextChannel, bytes: Buffer, start: number, end: number): void {
    this.#text[channel].appendRaw(bytes, start, end);
    if (channel === "content") this.#pendingContent = true;
  }

  /** A new tool call begins on its own line. */
  breakToolCalls(): void {
    if (!this.#text.toolCalls.isEmpty) this.#text.toolCalls.append("\n");
  }

  /** Closes a text event. `tokensSoFar` is the server's count of output tokens up to here, if it streams one. */
  countText(tokensSoFar: number | undefined): void {
    const index = this.#events.text++;
    this.#firstTokenNs ??= this.#atNs;
    this.#lastTokenNs = this.#atNs;
    if (this.#pendingContent) this.#firstVisibleNs ??= this.#atNs;
    this.#pendingContent = false;
    if (this.#readHasText) this.#sharedStampEvents++;
    this.#readHasText = true;
    // Text is at least one token: a zero says that this server does not count as it goes.
    if (tokensSoFar === undefined || tokensSoFar < Math.max(this.#tokensSoFar, 1)) this.#counted = false;
    else if (!Number.isSafeInteger(tokensSoFar)) this.#counted = false;
    if (index >= MAX_CHUNK_STAMPS) return;
    this.#reserve(index);
    this.#stamps[index] = this.#atNs;
    if (tokensSoFar === undefined || !this.#counted) return;
    if (index === 0) this.#firstEventTokens = tokensSoFar;
    this.#tokens[index] = tokensSoFar - this.#tokensSoFar;
    this.#tokensSoFar = tokensSoFar;
  }

  count(kind: Exclude<keyof EventCounts, "text">): void {
    this.#events[kind]++;
  }

  countInvalidUtf8(): void {
    this.#invalidUtf8Events++;
  }

  report(figures: EngineFigures): void {
    this.#figures = { ...this.#figures, ...figures };
  }

  get figures(): EngineFigures {
    return this.#figures;
  }

  /** The first fault is the cause; what follows it is a consequence. */
  fail(code: StreamFault["code"], message: string): void {
    this.#fault ??= { code, message };
  }

  result(): DecodedStream {
    const kept = Math.min(this.#events.text, MAX_CHUNK_STAMPS);
    const { figures, outputLimit, discarded } = this.#believedFigures();
    const first = this.#firstEventTokens;
    // Counts that came with the text are those that led to the last one.
    const believed = this.#tokensSoFar <= (figures.outputTokens ?? outputLimit);
    return {
      content: this.#text.content.toString(),
      reasoning: this.#text.reasoning.toString(),
      toolCalls: this.#text.toolCalls.toString(),
      events: { ...this.#events },
      ...(this.#firstTokenNs !== undefined && { firstTokenNs: this.#firstTokenNs }),
      ...(this.#firstVisibleNs !== undefined && { firstVisibleNs: this.#firstVisibleNs }),
      ...(this.#lastTokenNs !== undefined && { lastTokenNs: this.#lastTokenNs }),
      textStampsNs: this.#stamps.slice(0, kept),
      ...(this.#counted && believed && kept > 0 && { textTokens: this.#tokens.slice(0, kept) }),
      sharedStampEvents: this.#sharedStampEvents,
      ...(this.#invalidUtf8Events > 0 && { invalidUtf8Events: this.#invalidUtf8Events }),
      ...figures,
      ...(first !== undefined && believed && { firstEventTokens: first }),
      ...(discarded !== undefined && { discardedCounts: discarded }),
      ...(this.#fault !== undefined && { fault: this.#fault }),
    };
  }

  #believedFigures(): BelievedFigures {
    const { content, reasoning, toolCalls } = this.#text;
    return believedFigures(this.#figures, {
      textEvents: this.#events.text,
      textBytes: content.bytes + reasoning.bytes + toolCalls.bytes,
      ...(this.#maxTokens !== undefined && { maxTokens: this.#maxTokens }),
    });
  }

  #reserve(index: number): void {
    if (index >= this.#stamps.length) {
      const grown = new Float64Array(Math.min(2 * this.#stamps.length, MAX_CHUNK_STAMPS));
      grown.set(this.#stamps);
      this.#stamps = grown;
    }
    if (this.#counted && index >= this.#tokens.length) {
      const grown = new Uint32Array(this.#stamps.length);
      grown.set(this.#tokens);
      this.#tokens = grown;
    }
  }
}
