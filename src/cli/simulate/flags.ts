/** The flags of `slipway simulate` that `slipway capacity` does not have; every error names the flag. */
import { OperatorError } from "../../core/errors.ts";

/** As commander hands them over. */
export interface RawSimulateFlags {
  readonly preset?: string;
  readonly model?: string;
  readonly presetsDir?: string;
  readonly gpu?: string;
  readonly bandwidthGbS?: string;
  readonly memoryGib?: string;
  readonly computeTflops?: string;
  readonly besideMib?: string;
  readonly engine?: string;
  readonly kernels?: string;
  readonly slots?: string;
  readonly ctx?: string;
  readonly kv?: string;
  readonly unifiedKv?: true;
  readonly vision: boolean;
  readonly mix?: string;
  readonly duration?: string;
  readonly runs?: string;
  readonly jitter?: string;
  readonly need?: string;
  readonly leastAgents?: string;
  readonly leastContext?: string;
  readonly leastTokS?: string;
  readonly calibration?: string;
  readonly seed?: string;
  readonly validate?: true;
  readonly json?: true;
}

/** How requests share the device; each serves as the simulator's mode of the same meaning. */
export const SERVED_BY = ["llama-server", "ollama", "time-shared"] as const;
export type ServedBy = (typeof SERVED_BY)[number];

export function oneOf<T extends string>(flag: string, text: string, allowed: readonly T[]): T {
  const known = allowed.find((one) => one === text);
  if (known === undefined) throw flagError(flag, text, `is one of ${allowed.join(", ")}`);
  return known;
}

/** Undefined where the flag was not given. */
export function numberFrom(
  flag: string,
  text: string | undefined,
  least: "positive" | "zero",
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  const isAllowed = least === "zero" ? value >= 0 : value > 0;
  if (text.trim() === "" || !Number.isFinite(value) || !isAllowed)
    throw flagError(flag, text, least === "zero" ? "takes a number of at least 0" : "takes a number above 0");
  return value;
}

export function flagError(flag: string, received: string, rule: string): OperatorError {
  return new OperatorError("FLAG_INVALID", {
    message: `${flag} ${rule}`,
    received,
    nextStep: "slipway simulate --help shows every flag with an example",
  });
}
