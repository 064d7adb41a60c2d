/**
 * What one request says about an engine's steps: how long a prompt or an answer took, and which
 * steps it went through, so that a step-time model can say how long it should have taken.
 */
import { stepNs } from "../step-time.ts";
import type { StepTimeModel, StepWork } from "../step-time.ts";

interface Observed {
  readonly cell: string;
  readonly trialId: string;
  readonly observedNs: number;
  /** Cells of the server's whole cache; absent where it does not say. */
  readonly allocatedTokens?: number;
}

/** A prompt that no other prompt shared its steps with. */
export interface PrefillObservation extends Observed {
  readonly kind: "prefill";
  readonly steps: readonly StepWork[];
}

/** From an answer's first token to its last. */
export interface DecodeObservation extends Observed {
  readonly kind: "decode";
  /** Tokens that came in this time: one less than the answer has. */
  readonly tokens: number;
  readonly pieces: readonly Piece[];
}

/** A part of an answer in which the same requests ran beside it. */
export interface Piece {
  readonly lastsNs: number;
  /** A step in the middle of it. */
  readonly work: StepWork;
}

export type Observation = PrefillObservation | DecodeObservation;

/** The model with as much cache allocated as the observation's server had. */
export type TimeWithoutKernels = Omit<StepTimeModel, "efficiency">;

/**
 * How long the model says it takes. For an answer: in each piece tokens come at the model's rate, so
 * the pieces as they lasted give so many tokens, and the duration is scaled to those that came.
 */
export function predictedNs(observation: Observation, time: StepTimeModel): number {
  const { allocatedTokens } = observation;
  const here = allocatedTokens === undefined ? time : { ...time, allocatedTokens };
  if (observation.kind === "prefill")
    return observation.steps.reduce((sum, work) => sum + stepNs(here, work), 0);
  const tokens = observation.pieces.reduce((sum, { lastsNs, work }) => sum + lastsNs / stepNs(here, work), 0);
  return (observation.observedNs * observation.tokens) / tokens;
}

export function worksOf(observation: Observation): readonly StepWork[] {
  return observation.kind === "prefill" ? observation.steps : observation.pieces.map(({ work }) => work);
}
