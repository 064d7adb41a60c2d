/**
 * How many tokens of one request were streamed inside a window of the trial. Counting whole
 * requests at a window's edge would give the window tokens that came before or after it.
 */
import { NS_PER_US } from "../core/units.ts";
import type { ChunkRecord, RequestRecord } from "../record/request-record.ts";

/** From the trial's origin, both ends included. */
export interface WindowNs {
  readonly fromNs: number;
  readonly toNs: number;
}

/** `share`: the request straddles an edge, and its later tokens were taken as evenly spread. */
export interface TokensInWindow {
  readonly tokens: number;
  readonly basis: "counted" | "share";
}

/** Without chunk stamps. `undefined` where the request's tokens or their times are not known. */
export function tokensInWindow(
  { stamps, tokens }: RequestRecord,
  window: WindowNs,
): TokensInWindow | undefined {
  const { output } = tokens;
  const { firstTokenNs, lastTokenNs } = stamps;
  if (output === undefined || firstTokenNs === undefined || lastTokenNs === undefined) return undefined;
  if (firstTokenNs >= window.fromNs && lastTokenNs <= window.toNs)
    return { tokens: output, basis: "counted" };
  if (lastTokenNs < window.fromNs || firstTokenNs > window.toNs) return { tokens: 0, basis: "counted" };
  const inFirst = Math.min(tokens.firstEvent ?? 1, output);
  const first = firstTokenNs >= window.fromNs ? inFirst : 0;
  const overlapNs = Math.min(lastTokenNs, window.toNs) - Math.max(firstTokenNs, window.fromNs);
  return { tokens: first + ((output - inFirst) * overlapNs) / (lastTokenNs - firstTokenNs), basis: "share" };
}

/**
 * By the stamps of its events. Where the server does not say how many tokens an event carries,
 * each carries an equal part of `outputTokens`, so that the whole adds up to the engine's count.
 */
export function chunkTokensInWindow(chunks: ChunkRecord, outputTokens: number, window: WindowNs): number {
  const events = chunks.gapsUs.length + 1;
  let atNs = chunks.firstNs;
  let inside = 0;
  let all = 0;
  for (let event = 0; event < events; event++) {
    if (event > 0) atNs += (chunks.gapsUs[event - 1] as number) * NS_PER_US;
    const weight = chunks.tokens?.[event] ?? 1;
    all += weight;
    if (atNs >= window.fromNs && atNs <= window.toNs) inside += weight;
  }
  return all === 0 ? 0 : (outputTokens * inside) / all;
}
