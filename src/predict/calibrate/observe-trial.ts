/**
 * The observations of one trial. Who ran beside whom is not written down anywhere: it is made out
 * from the times at which requests overlap.
 */
import { windowedLayersTokens } from "../model-shape.ts";
import type { ModelShape } from "../model-shape.ts";
import type { PrefillChunk, StepWork } from "../step-time.ts";
import type { DecodeObservation, Observation, Piece, PrefillObservation } from "./observation.ts";
import type { Phases } from "./phases.ts";
import { contextTokensAt, isAnswerAt, isPromptAt } from "./phases.ts";

export interface TrialLoad {
  readonly cell: string;
  readonly trialId: string;
  /** Everything that ran on the server, in any order. */
  readonly load: readonly Phases[];
  /** Those that may be observed: they ended well. */
  readonly measured: readonly Phases[];
  /** Times in which something ran that nothing is known of. */
  readonly unknown: readonly Span[];
  readonly allocatedTokens?: number;
}

export interface Span {
  readonly fromNs: number;
  readonly toNs: number;
}

export interface EngineBatch {
  readonly model: ModelShape;
  /** Tokens one step may carry. */
  readonly batchTokens: number;
}

/** Why a phase of a request is not used. */
export type LeftOut = "shared-prompt" | "unknown-neighbour" | "too-short";

/** With fewer, the token that a step's end happens to fall on decides the rate. */
const FEWEST_TOKENS = 8;

/** Overlap of two prompts below this share of the shorter one is jitter of the stamps. */
const LEAST_OVERLAP = 0.02;

/** Hands over each observation, or why there is none. */
export function observeTrial(
  trial: TrialLoad,
  engine: EngineBatch,
  found: (observation: Observation) => void,
  leftOut: (why: LeftOut) => void,
): void {
  for (const phases of trial.measured) {
    const beside = trial.load.filter(
      (other) => other !== phases && other.startNs < phases.lastNs && other.lastNs > phases.startNs,
    );
    const hidden = (span: Span): boolean =>
      trial.unknown.some(({ fromNs, toNs }) => fromNs < span.toNs && toNs > span.fromNs);
    const prompt = { fromNs: phases.startNs, toNs: phases.firstNs };
    if (hidden(prompt)) leftOut("unknown-neighbour");
    else if (beside.some((other) => sharesPrompt(phases, other))) leftOut("shared-prompt");
    else if (prompt.toNs > prompt.fromNs) found(prefillOf(trial, phases, beside, engine));
    if (phases.outputTokens < FEWEST_TOKENS || phases.lastNs <= phases.firstNs) leftOut("too-short");
    else if (hidden({ fromNs: phases.firstNs, toNs: phases.lastNs })) leftOut("unknown-neighbour");
    else found(decodeOf(trial, phases, beside, engine));
  }
}

/** Of two prompts in one batch, which one waited for the other is not in the records. */
function sharesPrompt(one: Phases, other: Phases): boolean {
  const overlapNs = Math.min(one.firstNs, other.firstNs) - Math.max(one.startNs, other.startNs);
  const shorterNs = Math.min(one.firstNs - one.startNs, other.firstNs - other.startNs);
  return overlapNs > LEAST_OVERLAP * shorterNs;
}

function prefillOf(
  trial: TrialLoad,
  phases: Phases,
  beside: readonly Phases[],
  { model, batchTokens }: EngineBatch,
): PrefillObservation {
  const { startNs, firstNs, promptTokens, cachedTokens } = phases;
  const newTokens = promptTokens - cachedTokens;
  const steps: StepWork[] = [];
  for (let doneTokens = 0; doneTokens < newTokens; ) {
    const atNs = startNs + (doneTokens / newTokens) * (firstNs - startNs);
    const decoding = beside.filter((other) => isAnswerAt(other, atNs));
    const chunkTokens = Math.min(Math.max(1, batchTokens - decoding.length), newTokens - doneTokens);
    const chunk = { newTokens: chunkTokens, depthTokens: cachedTokens + doneTokens };
    steps.push(workAt(model, atNs, decoding, [chunk]));
    doneTokens += chunkTokens;
  }
  return { kind: "prefill", ...commonOf(trial), observedNs: phases.prefillNs ?? firstNs - startNs, steps };
}

function decodeOf(
  trial: TrialLoad,
  phases: Phases,
  beside: readonly Phases[],
  engine: EngineBatch,
): DecodeObservation {
  const { firstNs, lastNs } = phases;
  const cuts = new Set([firstNs, lastNs]);
  for (const other of beside)
    for (const ns of [other.startNs, other.firstNs, other.lastNs])
      if (ns > firstNs && ns < lastNs) cuts.add(ns);
  const times = [...cuts].sort((a, b) => a - b);
  const pieces = times.slice(1).map((toNs, index): Piece => {
    const fromNs = times[index] as number;
    const atNs = (fromNs + toNs) / 2;
    const decoding = [phases, ...beside.filter((other) => isAnswerAt(other, atNs))];
    const prompts = beside.filter((other) => isPromptAt(other, atNs));
    return {
      lastsNs: toNs - fromNs,
      work: workAt(engine.model, atNs, decoding, chunksAt(atNs, prompts, engine, decoding.length)),
    };
  });
  return {
    kind: "decode",
    ...commonOf(trial),
    observedNs: lastNs - firstNs,
    tokens: phases.outputTokens - 1,
    pieces,
  };
}

/**
 * The prompts of one step, as far as they fit the batch; each as deep as it is at this time. A prompt
 * is taken to go in equal chunks, so that the number of its steps, one token of each answer, is right.
 */
function chunksAt(
  atNs: number,
  prompts: readonly Phases[],
  { batchTokens }: EngineBatch,
  decoding: number,
): PrefillChunk[] {
  const mostTokens = Math.max(1, batchTokens - decoding);
  let room = mostTokens;
  const chunks: PrefillChunk[] = [];
  for (const { startNs, firstNs, promptTokens, cachedTokens } of prompts) {
    const wholeTokens = promptTokens - cachedTokens;
    const newTokens = Math.min(room, wholeTokens / Math.ceil(wholeTokens / mostTokens));
    if (newTokens < 1) break;
    room -= newTokens;
    const restTokens = wholeTokens - newTokens;
    const depthTokens = cachedTokens + (restTokens * (atNs - startNs)) / (firstNs - startNs);
    chunks.push({ newTokens, depthTokens });
  }
  return chunks;
}

function workAt(
  model: ModelShape,
  atNs: number,
  decoding: readonly Phases[],
  prefills: readonly PrefillChunk[],
): StepWork {
  const windowTokens = windowedLayersTokens(model);
  const contexts = decoding.map((phases) => contextTokensAt(phases, atNs));
  return {
    decodeSequences: decoding.length,
    decodeContextTokens: contexts.reduce((sum, tokens) => sum + tokens, 0),
    decodeWindowTokens: contexts.reduce((sum, tokens) => sum + Math.min(tokens, windowTokens), 0),
    prefills,
  };
}

function commonOf({
  cell,
  trialId,
  allocatedTokens,
}: TrialLoad): Pick<Observation, "cell" | "trialId" | "allocatedTokens"> {
  return { cell, trialId, ...(allocatedTokens === undefined ? {} : { allocatedTokens }) };
}
