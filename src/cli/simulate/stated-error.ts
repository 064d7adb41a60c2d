/** How wrong a simulation may be, in words and as a share: from the calibration, or from what is known of the priors. */
import { resolve } from "node:path";
import { readTextFile } from "../../core/file.ts";
import { OperatorError, messageOf } from "../../core/errors.ts";
import type { Calibration, LeaveOneOut } from "../../predict/calibrate/calibration.ts";
import { keyName, parseCalibration } from "../../predict/calibrate/calibration.ts";
import { expectedErrorPct } from "../../predict/calibrate/leave-one-out.ts";
import { LLAMA_CPP_KERNELS, VLLM_KERNELS } from "../../predict/step-time.ts";
import type { KernelEfficiency } from "../../predict/step-time.ts";
import type { RawSimulateFlags } from "./flags.ts";
import { flagError, oneOf } from "./flags.ts";

export interface Constants {
  readonly kernels: KernelEfficiency;
  readonly calibration?: Calibration;
  /** Mean absolute error about cells that were left out; absent where nobody knows. */
  readonly errorShare?: number;
  /** Sentences. */
  readonly statement: readonly string[];
}

/**
 * What two rows of study 003 say of Gemma 4 26B A4B on llama.cpp and an RTX 4090: how fast weights are
 * read, and the cost of each sequence of a step; all else is llama.cpp's prior. `slipway simulate --validate` fits them anew.
 */
export const STUDY_003_KERNELS: KernelEfficiency = {
  ...LLAMA_CPP_KERNELS,
  name: "study-003",
  weights: 0.377,
  sequenceNs: 1_401_000,
};

const PRIORS = [LLAMA_CPP_KERNELS, VLLM_KERNELS, STUDY_003_KERNELS];

/** How well each does where it comes from, as docs/accuracy.md has it. */
const KNOWN_ERRORS: Readonly<Record<string, string>> = {
  "llama.cpp":
    "on the dense 8B model and the RTX 4090 that they were fitted to they are within 2 % for answers and 4 % for prompts; for study 003's mixture of experts on the same card they are 1.6 to 3.4 times too fast",
  vllm: "on the dense 8B model and the RTX 4090 that they were fitted to they are within 3 %, 0.7 % on average; elsewhere their error is not known",
  "study-003":
    "on the mixture of experts and the RTX 4090 that they were fitted to, with two rows, they are within 14 % for four others of long turns, and twice too fast for the one of short turns; elsewhere their error is not known",
};

/** Throws FLAG_INVALID, FILE_NOT_FOUND and CALIBRATION_INVALID. */
export function constantsOf(flags: RawSimulateFlags, cwd: string): Constants {
  if (flags.calibration === undefined) return priorsOf(flags);
  if (flags.kernels !== undefined)
    throw flagError(
      "--kernels",
      flags.kernels,
      "says nothing beside --calibration, which has constants of its own",
    );
  const path = resolve(cwd, flags.calibration);
  const calibration = parseCalibration(parsedJson(readTextFile(path), path), path);
  const { kernels, leaveOneOut, key, range, simulated } = calibration;
  const errorShare = meanErrorShare(leaveOneOut);
  return {
    kernels,
    calibration,
    ...(errorShare === undefined ? {} : { errorShare }),
    statement: [
      `The constants were measured: ${keyName(key)}${simulated ? ", which was itself SIMULATED" : ""}; they reach up to ${range.sequences} sequences of ${range.contextTokens.toLocaleString("en-US")} tokens, and nothing is predicted beyond.`,
      errorSentence(leaveOneOut),
    ],
  };
}

function priorsOf(flags: RawSimulateFlags): Constants {
  const names = PRIORS.map(({ name }) => name);
  const name =
    flags.kernels === undefined ? LLAMA_CPP_KERNELS.name : oneOf("--kernels", flags.kernels, names);
  const kernels = PRIORS.find((prior) => prior.name === name) ?? LLAMA_CPP_KERNELS;
  return {
    kernels,
    statement: [
      `Nothing was calibrated: the constants are those known as ${name}, and their error here is unknown. ${capitalised(KNOWN_ERRORS[name] ?? "")}. Ranks are surer than figures; --calibration takes what was measured.`,
    ],
  };
}

function errorSentence(leaveOneOut: LeaveOneOut): string {
  if (leaveOneOut.kind === "too-few")
    return `Their error is not known: fewer than ${leaveOneOut.needed} cells were measured, too few to leave one out.`;
  const { groups, by } = leaveOneOut;
  const inside = groups.filter(({ within }) => within);
  const share = meanErrorShare(leaveOneOut);
  if (share === undefined) return `Their error is not known: each ${by} lies beyond all the others.`;
  const worst = Math.max(...inside.map(({ errorPct }) => Math.abs(errorPct)));
  return `Error, each ${by} predicted from the others: ${(100 * share).toFixed(1)} % on average over ${inside.length}, ${worst.toFixed(1)} % at worst. Intervals below contain the average.`;
}

function meanErrorShare(leaveOneOut: LeaveOneOut): number | undefined {
  const pct = expectedErrorPct(leaveOneOut);
  return pct === undefined ? undefined : Math.min(pct / 100, 1);
}

function parsedJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new OperatorError("CALIBRATION_INVALID", {
      message: `${path} is not JSON`,
      received: messageOf(thrown),
      nextStep: "give the calibration file as it was written",
      cause: thrown,
    });
  }
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
