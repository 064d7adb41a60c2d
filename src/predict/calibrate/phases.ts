/** When a request was a prompt and when it was an answer, from its record. */
import { NS_PER_MS } from "../../core/units.ts";
import type { RequestRecord } from "../../record/request-record.ts";

export interface Phases {
  /** The engine began with the prompt, as well as is known. */
  readonly startNs: number;
  readonly firstNs: number;
  readonly lastNs: number;
  readonly promptTokens: number;
  /** Prompt tokens that were in the cache already. */
  readonly cachedTokens: number;
  readonly outputTokens: number;
  /** The engine's own figure for the prompt; absent: the stamps alone tell. */
  readonly prefillNs?: number;
}

/** Undefined for a request whose work is not known: without a token, or without the engine's counts. */
export function phasesOf(record: RequestRecord): Phases | undefined {
  const { stamps, tokens, split } = record;
  const { sentNs, firstTokenNs: firstNs, lastTokenNs: lastNs } = stamps;
  const { input, output, cached = 0 } = tokens;
  if (sentNs === undefined || firstNs === undefined || lastNs === undefined) return undefined;
  if (input === undefined || output === undefined || tokens.outputSource !== "engine") return undefined;
  const prefillNs = split?.prefillMs === undefined ? undefined : split.prefillMs * NS_PER_MS;
  const waitedNs = ((split?.queueMs ?? 0) + (split?.loadMs ?? 0)) * NS_PER_MS;
  return {
    startNs: prefillNs === undefined ? Math.min(sentNs + waitedNs, firstNs) : firstNs - prefillNs,
    firstNs,
    lastNs,
    promptTokens: input,
    cachedTokens: Math.min(cached, input - 1),
    outputTokens: output,
    ...(prefillNs === undefined ? {} : { prefillNs }),
  };
}

export function isPromptAt({ startNs, firstNs }: Phases, ns: number): boolean {
  return startNs <= ns && ns < firstNs;
}

export function isAnswerAt({ firstNs, lastNs }: Phases, ns: number): boolean {
  return firstNs <= ns && ns < lastNs;
}

/** Cells of the cache that the answer sees at this time, its tokens taken to have come evenly. */
export function contextTokensAt({ promptTokens, outputTokens, firstNs, lastNs }: Phases, ns: number): number {
  const share = lastNs > firstNs ? (ns - firstNs) / (lastNs - firstNs) : 1;
  return promptTokens + Math.min(Math.max(share, 0), 1) * outputTokens;
}
