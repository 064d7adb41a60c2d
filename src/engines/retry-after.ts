import type { Clock } from "../core/clock.ts";
import { MS_PER_S } from "../core/units.ts";

/**
 * RFC 9110, section 10.2.3: seconds, or an HTTP date that is compared with the wall clock.
 * `undefined` for an absent or unreadable header; never negative.
 */
export function retryAfterMs(header: string | undefined, clock: Clock): number | undefined {
  const text = header?.trim();
  if (text === undefined || text === "") return undefined;
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * MS_PER_S;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - Date.parse(clock.wallIso()));
}
