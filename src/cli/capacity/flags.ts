/** The flags of `slipway capacity`, parsed once into typed values; every error names the flag. */
import { OperatorError } from "../../core/errors.ts";
import { MAX_AGENTS, MAX_DURATION_MS, MAX_REPEATS, MAX_TOKENS } from "../../core/limits.ts";
import { MS_PER_S } from "../../core/units.ts";
import type { Need, NeedLimits } from "../../plan/knee.ts";
import type { KvType } from "../../preset/preset.ts";
import { KV_TYPES } from "../../preset/preset.ts";
import type { UpFlags } from "../fleet/up-session.ts";

/** As commander hands them over. */
export interface RawCapacityFlags extends Omit<UpFlags, "keep" | "install" | "print"> {
  readonly preset?: string;
  readonly model?: string;
  readonly engine?: string;
  readonly program?: string;
  readonly slots?: string;
  readonly ctx?: string;
  readonly kv?: string;
  /** False with --no-vision. */
  readonly vision: boolean;
  readonly cell?: string;
  readonly mix?: string;
  readonly duration?: string;
  readonly narrow?: string;
  readonly runs?: string;
  readonly seed?: string;
  readonly need?: string;
  readonly leastAgents?: string;
  readonly leastContext?: string;
  readonly leastTokS?: string;
  readonly beside?: string;
  readonly floorMib?: string;
  readonly quiesceMs?: string;
  readonly explain?: true;
  readonly log?: string;
  readonly dryRun?: true;
  readonly resume?: string;
  readonly runsDir: string;
  readonly json?: true;
}

export function wholeNumbers(flag: string, text: string, most: number): readonly number[] {
  const values = text.split(",").map((part) => wholeNumber(flag, part, most));
  return [...new Set(values)].toSorted((one, other) => one - other);
}

export function wholeNumber(flag: string, text: string, most: number, least = 1): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < least || value > most)
    throw refused(flag, text, `takes whole numbers from ${least} to ${most.toLocaleString("en-US")}`);
  return value;
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0)
    throw refused(flag, text, "takes a number above 0");
  return value;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: MS_PER_S,
  m: 60 * MS_PER_S,
  h: 3600 * MS_PER_S,
};

/** `90s`, `10m`, `1h`; a bare number is seconds. */
export function durationMs(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/.exec(text.trim());
  const value = Number(match?.[1]) * (UNIT_MS[match?.[2] ?? "s"] as number);
  if (match === null || !(value >= 1) || value > MAX_DURATION_MS)
    throw refused(flag, text, "takes a time such as 90s, 10m or 1h, up to a week");
  return value;
}

export function kvTypes(text: string | undefined): readonly (KvType | undefined)[] {
  if (text === undefined) return [undefined];
  return text.split(",").map((part) => {
    const known = KV_TYPES.find((type) => type === part.trim());
    if (known === undefined) throw refused("--kv", part, `is one of ${KV_TYPES.join(", ")}`);
    return known;
  });
}

export function needOf(text = "throughput"): Need {
  if (text === "throughput" || text === "context" || text === "agents") return { kind: text };
  const role = /^latency:(\S+)$/.exec(text)?.[1];
  if (role === undefined)
    throw refused("--need", text, "is throughput, context, agents, or latency:<role> such as latency:Dev");
  return { kind: "latency", role };
}

export function limitsOf({ leastAgents, leastContext, leastTokS }: RawCapacityFlags): NeedLimits {
  return {
    ...(leastAgents === undefined
      ? {}
      : { leastSlots: wholeNumber("--least-agents", leastAgents, MAX_AGENTS) }),
    ...(leastContext === undefined
      ? {}
      : { leastContextTokensPerSlot: wholeNumber("--least-context", leastContext, MAX_TOKENS) }),
    ...(leastTokS === undefined ? {} : { leastPerAgentTokensPerS: positive("--least-tok-s", leastTokS) }),
  };
}

export function runsOf(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : wholeNumber("--runs", text, MAX_REPEATS);
}

export function narrowOf(text: string | undefined): { readonly halfWidthPct: number } | undefined {
  if (text === undefined) return undefined;
  const halfWidthPct = positive("--narrow", text.replace(/%$/, ""));
  if (halfWidthPct > 100) throw refused("--narrow", text, "is at most 100 percent");
  return { halfWidthPct };
}

export function refused(flag: string, received: string, rule: string): OperatorError {
  return new OperatorError("FLAG_INVALID", {
    message: `${flag} ${rule}`,
    received,
    nextStep: "slipway capacity --help shows every flag with an example",
  });
}
