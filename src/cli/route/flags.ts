/** The flags of `slipway route plan` as settings; every error names the flag. */
import { OperatorError } from "../../core/errors.ts";
import type { HorizonDepth } from "../../route/horizon.ts";
import type { Objective } from "../../route/route-table.ts";
import { MAX_TASKS } from "../../workload/task-graph.ts";

/** As commander hands them over. */
export interface RawPlanFlags {
  readonly models: string;
  readonly vramGb?: string;
  readonly planner?: string;
  readonly compare?: string;
  readonly horizonDepth: string;
  readonly minimise: string;
  readonly lambdaToken?: string;
  readonly lambdaSwitch?: string;
  readonly leastQuality?: string;
  readonly seed: string;
  readonly json?: true;
}

/** Study 004's, where none are given. */
const DEFAULT_LAMBDA_TOKEN = 0.5;
const DEFAULT_LAMBDA_SWITCH = 0.2;

/** A weight above this makes every plan a plan for one term alone; small enough for sums to stay exact. */
const MAX_LAMBDA = 1_000;

/** A petabyte, as in the file of models. */
const MAX_VRAM_GB = 2 ** 20;

const MIB_PER_GIB = 1024;

export function budgetMibOf({ vramGb }: RawPlanFlags, fromFileMib: number | undefined): number {
  if (vramGb !== undefined)
    return MIB_PER_GIB * numberOf("--vram-gb", vramGb, { above: 0, most: MAX_VRAM_GB });
  if (fromFileMib !== undefined) return fromFileMib;
  throw flagError("--vram-gb", "nothing", "is needed where the file of models has no vramMib");
}

export function objectiveOf(flags: RawPlanFlags): Objective {
  const { minimise, lambdaToken, lambdaSwitch, leastQuality } = flags;
  switch (minimise) {
    case "utility":
      if (leastQuality !== undefined)
        throw flagError(
          "--least-quality",
          leastQuality,
          "is for --minimise makespan; utility counts quality",
        );
      return {
        kind: "utility",
        lambdaToken: lambdaOf("--lambda-token", lambdaToken) ?? DEFAULT_LAMBDA_TOKEN,
        lambdaSwitch: lambdaOf("--lambda-switch", lambdaSwitch) ?? DEFAULT_LAMBDA_SWITCH,
      };
    case "makespan": {
      const weight = lambdaToken ?? lambdaSwitch;
      if (weight !== undefined)
        throw flagError(
          lambdaToken === undefined ? "--lambda-switch" : "--lambda-token",
          weight,
          "says nothing beside --minimise makespan, which counts seconds alone",
        );
      if (leastQuality === undefined) return { kind: "makespan" };
      return {
        kind: "makespan",
        leastQuality: numberOf("--least-quality", leastQuality, { least: 0, most: 1 }),
      };
    }
    default:
      throw flagError("--minimise", minimise, "is utility or makespan");
  }
}

function lambdaOf(flag: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : numberOf(flag, text, { least: 0, most: MAX_LAMBDA });
}

export function horizonOf({ horizonDepth }: RawPlanFlags): HorizonDepth {
  if (horizonDepth === "flat") return "flat";
  return wholeNumber("--horizon-depth", horizonDepth, 1, MAX_TASKS, ", or flat");
}

export function seedOf({ seed }: RawPlanFlags): number {
  return wholeNumber("--seed", seed, 0, 2 ** 31);
}

/** What `--planner` or `--compare` asks for. Names of planners are checked by their registry. */
export function plannersOf(
  { planner, compare }: RawPlanFlags,
  objective: Objective,
  models: readonly string[],
): readonly string[] {
  if (planner !== undefined && compare !== undefined)
    throw flagError("--planner", planner, "is one plan, and --compare is several; give one of the two");
  const names = compare === undefined ? [planner ?? "exact"] : compare.split(",").map((name) => name.trim());
  const flag = compare === undefined ? "--planner" : "--compare";
  const repeated = names.find((name, place) => names.indexOf(name) < place);
  if (repeated !== undefined) throw flagError(flag, repeated, "names each planner once");
  for (const name of names) {
    const [, fixed] = /^fixed:(.+)$/.exec(name) ?? [];
    if (fixed !== undefined && !models.includes(fixed))
      throw flagError(flag, name, `names a model of the file: ${models.join(", ")}`);
    if (name === "llm") throw flagError(flag, name, "takes no planner that asks a model; nothing runs here");
    if (name === "lp" && objective.kind === "makespan")
      throw flagError(flag, name, "cannot have lp with --minimise makespan: study 004's program has a sum");
  }
  return names;
}

interface Range {
  readonly least?: number;
  readonly above?: number;
  readonly most: number;
}

function numberOf(flag: string, text: string, { least, above, most }: Range): number {
  const value = Number(text);
  const isWithin = value <= most && (least === undefined || value >= least) && !(value <= (above ?? -1));
  if (text.trim() !== "" && isWithin) return value;
  const from = above === undefined ? `from ${least}` : `above ${above}`;
  throw flagError(flag, text, `takes a number ${from} to ${most}`);
}

function wholeNumber(flag: string, text: string, least: number, most: number, orElse = ""): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw flagError(flag, text, `takes a whole number from ${least} to ${most}${orElse}`);
}

export function flagError(flag: string, received: string, rule: string): OperatorError {
  return new OperatorError("FLAG_INVALID", {
    message: `${flag} ${rule}`,
    received: received === "" ? "nothing" : received,
    nextStep: "slipway route plan --help shows every flag with an example",
  });
}
