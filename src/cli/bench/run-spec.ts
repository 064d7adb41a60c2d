/** The full specification of a run, as its manifest keeps it: everything a resume needs, nothing else. */
import { z } from "zod";
import { resolve } from "node:path";
import { entropySeed } from "../../core/random.ts";
import { parseWith } from "../../core/yaml.ts";
import { scenarioSchema } from "../../workload/scenario.ts";
import type { Scenario } from "../../workload/scenario.ts";
import type { RawBenchFlags } from "./flags.ts";
import { wholeNumber } from "./flags.ts";
import { sampleCorpusFolder } from "./scenario-source.ts";

/** The sample corpus moves with the installed package, so a specification names it, not its path. */
const SAMPLE_CORPUS = "sample";

const runSpecSchema = z.strictObject({
  scenario: scenarioSchema,
  seed: z.int().min(0),
  corpus: z.string(),
  simulated: z.strictObject({ gpu: z.string().optional(), slots: z.int().min(1), seed: z.int() }),
  /** The model of agents that name none, by endpoint. */
  defaultModels: z.record(z.string(), z.string()),
});

export type RunSpec = z.output<typeof runSpecSchema>;

/** Slots of the embedded engine unless told otherwise: what llama-server gives itself. */
const SIMULATED_SLOTS = 4;

export function newRunSpec(
  scenario: Scenario,
  flags: RawBenchFlags,
  cwd: string,
): Omit<RunSpec, "defaultModels"> {
  const seed = scenario.seed ?? entropySeed();
  return {
    scenario,
    seed,
    corpus: scenario.corpus === undefined ? SAMPLE_CORPUS : resolve(cwd, scenario.corpus),
    simulated: {
      ...(flags.gpu === undefined ? {} : { gpu: flags.gpu }),
      slots: wholeNumber("--slots", flags.slots, 1) ?? SIMULATED_SLOTS,
      seed,
    },
  };
}

/** From a manifest. Throws CONFIG_INVALID when it is not ours. */
export function parseRunSpec(spec: unknown, source: string): RunSpec {
  return parseWith(runSpecSchema, spec, source);
}

export function corpusFolderOf(spec: Pick<RunSpec, "corpus">): string {
  return spec.corpus === SAMPLE_CORPUS ? sampleCorpusFolder() : spec.corpus;
}
