/**
 * What an agent does, as a generator of steps. A program knows no HTTP, no files and no clock: it
 * yields what it wants done and receives what came of it, so the same program runs against a real
 * server, a simulated one, or a test that answers by hand.
 */
import type { RandomStream } from "../core/random.ts";

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
      readonly inputTargetTokens?: number;
    };

export type StepResult =
  | { readonly kind: "corpus"; readonly files: readonly CorpusFile[] }
  | { readonly kind: "answer"; readonly text: string }
  | { readonly kind: "failed"; readonly message: string };

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
  /** Placed first in every prompt that must be cold; empty when caching is allowed. */
  readonly nonce: (position: number) => string;
  readonly settings: ProgramSettings;
}

/** Settings of the shipped programs; each uses those it needs. */
export interface ProgramSettings {
  /** Model calls per trial (synthetic). */
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
