import { createHash } from "node:crypto";
import type { RandomStream } from "./random.ts";

/**
 * JSON with object keys sorted, so that equal values give equal text whatever order they were
 * built in. `undefined` members vanish, as in JSON.stringify.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== "object" || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}

/** The first 16 hex digits of SHA-256 over the canonical JSON. */
export function specHash(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex").slice(0, 16);
}

/** `<utc>-<scenario>-<4 hex>`, for example 20261120T105312Z-chimera_homo-3fa9. */
export function runId(wallIso: string, scenario: string, random: RandomStream): string {
  const utc = wallIso.replace(/[-:]/g, "").replace(/\.\d+/, "");
  const safe = scenario.replace(/[^A-Za-z0-9_]+/g, "_").slice(0, 40);
  const suffix = random.integer(0x10000).toString(16).padStart(4, "0");
  return `${utc}-${safe}-${suffix}`;
}
