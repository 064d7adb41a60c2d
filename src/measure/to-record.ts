/**
 * From what an engine answered to the lines that are kept. The runner and the recording endpoint
 * share this function, so that a request of a built-in agent and one of a foreign program end up
 * as the same record.
 */
import { NS_PER_US } from "../core/units.ts";
import type { Completion, DecodedStream } from "../engines/engine.ts";
import type {
  ChunkRecord,
  RequestPhase,
  RequestRecord,
  RequestStamps,
  TokenCounts,
} from "../record/request-record.ts";
import { REQUEST_RECORD_VERSION } from "../record/request-record.ts";

export interface CompletedRequest {
  readonly completion: Completion;
  readonly requestId: string;
  readonly trialId: string;
  readonly agent: string;
  readonly phase: RequestPhase;
  readonly position: number;
  readonly step: string;
  readonly endpoint: string;
  readonly engine: string;
  readonly model: string;
  /** The trial's origin on the clock that also gave the completion's stamps. */
  readonly originNs: number;
  /** The intended start, on the same clock, not yet relative to the origin. */
  readonly scheduledNs: number;
  readonly inputTarget?: number;
  /** Most tokens that were asked for. */
  readonly outputLimit?: number;
  readonly clientQueueMs?: number;
  readonly promptCold: boolean;
  readonly promptHash: string;
}

export interface RequestLines {
  readonly record: RequestRecord;
  /** Absent when no text arrived. */
  readonly chunks?: ChunkRecord;
}

/** Pure. All stamps of the result are relative to `originNs`. */
export function toRequestRecord(request: CompletedRequest): RequestLines {
  const { completion } = request;
  const { decoded } = completion;
  const record: RequestRecord = {
    v: REQUEST_RECORD_VERSION,
    requestId: request.requestId,
    trialId: request.trialId,
    agent: request.agent,
    phase: request.phase,
    position: request.position,
    step: request.step,
    endpoint: request.endpoint,
    engine: request.engine,
    model: request.model,
    stamps: relativeStamps(request),
    tokens: tokenCounts(request),
    events: decoded.events,
    sharedStampEvents: decoded.sharedStampEvents,
    ...(decoded.split === undefined ? {} : { split: decoded.split }),
    ...(decoded.discardedCounts === undefined ? {} : { discardedCounts: decoded.discardedCounts }),
    ...(decoded.finishReason === undefined ? {} : { finishReason: decoded.finishReason }),
    outcome: completion.outcome,
    ...(request.clientQueueMs === undefined ? {} : { clientQueueMs: request.clientQueueMs }),
    promptCold: request.promptCold,
    promptHash: request.promptHash,
    simulated: completion.simulated,
  };
  const chunks = chunkRecord(request);
  return chunks === undefined ? { record } : { record, chunks };
}

function relativeStamps(request: CompletedRequest): RequestStamps {
  const { completion, originNs } = request;
  const { decoded } = completion;
  return {
    scheduledNs: request.scheduledNs - originNs,
    ...(completion.sentNs === undefined ? {} : { sentNs: completion.sentNs - originNs }),
    ...(completion.firstByteNs === undefined ? {} : { firstByteNs: completion.firstByteNs - originNs }),
    ...(decoded.firstTokenNs === undefined ? {} : { firstTokenNs: decoded.firstTokenNs - originNs }),
    ...(decoded.firstVisibleNs === undefined ? {} : { firstVisibleNs: decoded.firstVisibleNs - originNs }),
    ...(decoded.lastTokenNs === undefined ? {} : { lastTokenNs: decoded.lastTokenNs - originNs }),
    endNs: completion.endNs - originNs,
  };
}

function tokenCounts({ completion: { decoded }, inputTarget, outputLimit }: CompletedRequest): TokenCounts {
  return {
    ...(decoded.inputTokens === undefined ? {} : { input: decoded.inputTokens }),
    ...(inputTarget === undefined ? {} : { inputTarget }),
    ...(decoded.cachedTokens === undefined ? {} : { cached: decoded.cachedTokens }),
    ...outputCount(decoded),
    ...(outputLimit === undefined ? {} : { outputLimit }),
    ...(decoded.firstEventTokens === undefined ? {} : { firstEvent: decoded.firstEventTokens }),
    ...(decoded.reasoningTokens === undefined ? {} : { reasoning: decoded.reasoningTokens }),
  };
}

/** An answer without text and without a count is unknown, not zero tokens. */
function outputCount(decoded: DecodedStream): Pick<TokenCounts, "output" | "outputSource"> {
  if (decoded.outputTokens !== undefined) return { output: decoded.outputTokens, outputSource: "engine" };
  if (decoded.events.text > 0) return { output: decoded.events.text, outputSource: "estimated" };
  return {};
}

function chunkRecord(request: CompletedRequest): ChunkRecord | undefined {
  const { textStampsNs, textTokens } = request.completion.decoded;
  const firstNs = textStampsNs[0];
  if (firstNs === undefined) return undefined;
  return {
    v: REQUEST_RECORD_VERSION,
    requestId: request.requestId,
    firstNs: firstNs - request.originNs,
    gapsUs: gapsUs(textStampsNs, firstNs),
    ...(textTokens === undefined ? {} : { tokens: Array.from(textTokens) }),
  };
}

/**
 * Each stamp is rounded, not each gap: the gaps then add up to the whole stream within one
 * microsecond, where rounded gaps would drift by half a microsecond per event.
 */
function gapsUs(stampsNs: Float64Array, firstNs: number): readonly number[] {
  const gaps: number[] = [];
  let previousUs = 0;
  for (let index = 1; index < stampsNs.length; index++) {
    const sinceFirstUs = Math.round(((stampsNs[index] as number) - firstNs) / NS_PER_US);
    gaps.push(sinceFirstUs - previousUs);
    previousUs = sinceFirstUs;
  }
  return gaps;
}
