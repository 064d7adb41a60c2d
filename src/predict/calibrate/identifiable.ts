/**
 * Which constants the observations can tell at all, from how they vary and not from any fit. What
 * does not vary cannot be told from what else is always there.
 */
import type { ModelShape } from "../model-shape.ts";
import type { StepWork } from "../step-time.ts";
import type { KernelParameter } from "./kernel-parameters.ts";
import type { Observation } from "./observation.ts";
import { worksOf } from "./observation.ts";

/** Below this ratio of the largest to the smallest, a line through the points could have any slope. */
const LEAST_SPREAD = 1.5;

/** Fewer would make one slow step into a constant. */
const FEWEST_OBSERVATIONS = 3;

/** Why the observations cannot tell a constant; undefined where they may. */
export function unidentifiable(
  parameter: KernelParameter,
  observations: readonly Observation[],
  model: ModelShape,
): string | undefined {
  const answers = observations.filter(({ kind }) => kind === "decode");
  const prompts = observations.filter(({ kind }) => kind === "prefill");
  const batch = spreadOf(answers.flatMap(worksOf).map((work) => work.decodeSequences));
  switch (parameter) {
    case "weights":
      return few(answers, "answer was observed");
    case "kv":
      return few(answers, "answer was observed") ?? narrow(answers, "the cache that a step reads", contextOf);
    case "compute":
      return few(prompts, "prompt was observed that shared its steps with no other");
    case "attention":
      return (
        few(prompts, "prompt was observed that shared its steps with no other") ??
        narrow(prompts, "the depth of the prompts", depthOf)
      );
    case "sequenceNs":
      if (answers.length === 0) return "no answer was observed";
      return batch.ratio >= LEAST_SPREAD ? undefined : `every answer ran in a batch of ${batch.most}`;
    case "batchedNs":
      // Without a third level it cannot be told from what each sequence costs.
      if (batch.levels >= 3 && batch.least === 1) return undefined;
      return "a switch of kernels shows only beside answers alone and in batches of two sizes";
    case "stepOverheadNs":
      if (model.experts === undefined)
        return "a dense model reads the same weights in every step, so that they cannot be told from a step's fixed cost";
      return batch.ratio >= LEAST_SPREAD ? undefined : `every answer ran in a batch of ${batch.most}`;
    case "mixed":
      return few(
        observations.filter((one) => worksOf(one).some(isMixed)),
        "prompt ran beside an answer",
      );
    case "allocatedNsPerToken": {
      const spread = spreadOf(observations.map(({ allocatedTokens = 0 }) => allocatedTokens));
      return spread.ratio >= LEAST_SPREAD ? undefined : "every server had as much context allocated";
    }
  }
}

export function isMixed(work: StepWork): boolean {
  return work.prefills.length > 0 && work.decodeSequences > 0;
}

function few(observations: readonly Observation[], what: string): string | undefined {
  if (observations.length >= FEWEST_OBSERVATIONS) return undefined;
  return observations.length === 0 ? `no ${what}` : `in only ${observations.length} cases a ${what}`;
}

function narrow(
  observations: readonly Observation[],
  what: string,
  of: (work: StepWork) => number,
): string | undefined {
  const { least, most, ratio } = spreadOf(observations.flatMap(worksOf).map(of));
  if (ratio >= LEAST_SPREAD) return undefined;
  return `${what} hardly varies: from ${Math.round(least)} to ${Math.round(most)} tokens`;
}

function contextOf(work: StepWork): number {
  return work.decodeContextTokens;
}

/** Tokens that the last of a chunk sees. */
function depthOf(work: StepWork): number {
  return work.prefills.reduce((sum, { newTokens, depthTokens }) => sum + newTokens + depthTokens, 0);
}

function spreadOf(values: readonly number[]): {
  readonly least: number;
  readonly most: number;
  readonly ratio: number;
  readonly levels: number;
} {
  let least = Infinity;
  let most = 0;
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const ratio = values.length === 0 ? 1 : most / Math.max(least, 1);
  return { least, most, ratio, levels: new Set(values).size };
}
