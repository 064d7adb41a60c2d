/**
 * What an agent does, as a generator of steps. A program knows no HTTP, no files and no clock: it
 * yields what it wants done and receives what came of it, so the same program runs against a real
 * server, a simulated one, or a test that answers by hand.
 */
import type { ErrorCode } from "../core/error-codes.ts";
import type { RandomStream } from "../core/random.ts";
import type { TurnSizes } from "./tool-result.ts";

export interface ProgramMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export type ProgramStep =
  /** Read the corpus folder; the time counts as the agent's file time. */
  | { readonly kind: "read-corpus" }
  /** One model call. `name` labels the record; `maxTokens` bounds the answer. */
  | {
      readonly kind: "request";
      readonly name: string;
      readonly messages: readonly ProgramMessage[];
      readonly maxTokens: number;
      /** How long the answer is made where its length can be forced; absent: `maxTokens`. */
      readonly forcedTokens?: number;
      readonly inputTargetTokens?: number;
      /** The prompt begins with text that the server has seen and is to serve from its cache. Absent: it is new. */
      readonly cache?: "wanted";
    };

export type StepResult =
  | { readonly kind: "corpus"; readonly files: readonly CorpusFile[] }
  /** Tokens as the server counted them. */
  | {
      readonly kind: "answer";
      readonly text: string;
      readonly inputTokens?: number;
      readonly outputTokens?: number;
    }
  /** Without a code where it was no request that failed, or was broken off. */
  | { readonly kind: "failed"; readonly message: string; readonly code?: ErrorCode };

export interface CorpusFile {
  readonly name: string;
  readonly text: string;
}

export interface ProgramContext {
  readonly agent: string;
  /** A stream for this agent in this trial, named by purpose and position. */
  readonly random: (purpose: string, position: number) => RandomStream;
  /** Text with this many tokens for this model, chat template included where that is known. */
  readonly promptOf: (targetTokens: number, random: RandomStream) => string;
  /** A tool result of a size and a message after it, as one text. */
  readonly turnOf: (sizes: TurnSizes, random: RandomStream) => string;
  /** Of one slot, as the server states it; absent where it does not. */
  readonly contextTokens?: number;
  /** Placed first in every prompt that must be cold; empty when caching is allowed. */
  readonly nonce: (position: number) => string;
  readonly settings: ProgramSettings;
}

/** Settings of the shipped programs; each uses those it needs. */
export interface ProgramSettings {
  /** Model calls per trial (synthetic, and roles); without end where the trial has a set time. */
  readonly requests: number;
  /** Tokens of each answer, at most. */
  readonly outputTokens: number;
  /** Tokens of each prompt (synthetic). */
  readonly promptTokens: number;
  /** Whether each prompt carries the conversation so far (synthetic). */
  readonly growingContext: boolean;
  /** Characters of the corpus that go into a prompt, so that small contexts are not overrun. */
  readonly corpusCharacters: number;
}

export type AgentProgram = (context: ProgramContext) => Generator<ProgramStep, void, StepResult>;
