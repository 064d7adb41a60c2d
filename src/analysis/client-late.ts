/**
 * Stamps that cannot be true. The engine prefills and decodes between the moment a request was
 * sent and the moment its last token came, so the client's times cannot be shorter than the
 * engine's own. Where they are, the client was not there to take its stamps: starved of CPU it finds
 * request and answer at once, and shows a fast server where there is a slow client.
 */
import { nsToMs } from "../core/units.ts";
import type { RequestRecord } from "../record/request-record.ts";

/**
 * Half a scheduler slice: a client that is put aside between its write and its stamp of it loses
 * this much on a healthy machine, when the server runs beside it.
 */
const TOLERATED_LATE_MS = 2;
/** What prefill and decode may differ by from trial to trial without anybody noticing. */
const TOLERATED_LATE_SHARE = 0.05;

/**
 * By how many milliseconds the client's times fall short of the engine's own, where that is more
 * than tolerated; 0 for a request that is in order, `undefined` where the engine gives no times.
 */
export function clientLateMs({ stamps, split }: RequestRecord): number | undefined {
  const { sentNs, firstTokenNs, lastTokenNs } = stamps;
  if (split?.prefillMs === undefined || sentNs === undefined || firstTokenNs === undefined) return undefined;
  const { prefillMs, decodeMs, decodeTokens } = split;
  const inPrefill = shortfall(prefillMs, nsToMs(firstTokenNs - sentNs));
  if (decodeMs === undefined || lastTokenNs === undefined) return inPrefill;
  // The engine's last step may have made an end of text, which is no token to a client.
  const lastStepMs = decodeTokens === undefined || decodeTokens === 0 ? 0 : decodeMs / decodeTokens;
  const untilLastMs = nsToMs(lastTokenNs - sentNs);
  return Math.max(inPrefill, shortfall(prefillMs + decodeMs - lastStepMs, untilLastMs));
}

function shortfall(engineMs: number, clientMs: number): number {
  const missing = engineMs - clientMs;
  return missing > Math.max(TOLERATED_LATE_MS, TOLERATED_LATE_SHARE * engineMs) ? missing : 0;
}
