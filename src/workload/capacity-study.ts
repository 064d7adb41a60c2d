/**
 * A capacity study: which mixes of roles are run on which settings of one server, and what the
 * outcome would say. It names no server and no model: those are the preset's, whose slots and context
 * each configuration replaces.
 */
import { z } from "zod";
import { MAX_AGENTS, MAX_DURATION_MS, MAX_REPEATS, MAX_TOKENS } from "../core/limits.ts";
import { parseWith } from "../core/yaml.ts";
import { mixAgents } from "./mix.ts";
import type { Role } from "./role.ts";
import type { Scenario, ScenarioEndpoint } from "./scenario.ts";
import { nameSchema, scenarioSchema, stopSchema } from "./scenario.ts";

const configurationSchema = z.strictObject({
  name: nameSchema,
  slots: z.int().min(1).max(MAX_AGENTS),
  contextTokensPerSlot: z.int().min(1).max(MAX_TOKENS),
  /** `off`: the vision projector is not loaded, to leave its memory to the context. */
  vision: z.enum(["as-preset", "off"]).default("as-preset"),
  /** The roles that run: `TL,Dev,QA`, `3xResearch`. */
  mix: z.string().min(1),
});

export const capacityStudySchema = z
  .strictObject({
    name: nameSchema,
    /** What the study is to find out. */
    question: z.string().min(1),
    /** What each possible outcome would say, decided before anything is measured. */
    reading: z.array(z.string().min(1)).default([]),
    configurations: z.array(configurationSchema).min(1),
    /** A set time for each trial. */
    durationMs: z.number().min(1).max(MAX_DURATION_MS).default(600_000),
    stop: stopSchema.optional(),
    /** Trials of each configuration. */
    runs: z.int().min(1).max(MAX_REPEATS).default(3),
    /** Of the prompts, which are the same for every configuration of one mix. */
    seed: z.int().min(0).default(1),
  })
  .superRefine(({ configurations }, context) => {
    const names = configurations.map(({ name }) => name);
    names.forEach((name, index) => {
      if (names.indexOf(name) < index)
        context.addIssue({
          code: "custom",
          path: ["configurations", index, "name"],
          input: name,
          message: "stands here twice; records are told apart by it",
        });
    });
  });

export type CapacityStudy = z.output<typeof capacityStudySchema>;
export type CapacityConfiguration = CapacityStudy["configurations"][number];

/** The endpoint's name in the scenarios of a study. */
const SERVER = "server";

/**
 * What is measured on the server of one configuration. The same mix gets the same prompts in the
 * same repeat of every configuration. Throws MIX_INVALID, and what `read` throws of a role.
 */
export function capacityScenario(
  study: CapacityStudy,
  { name, mix }: CapacityConfiguration,
  endpoint: ScenarioEndpoint,
  read: (nameOrFile: string) => Role,
): Scenario {
  const { question, durationMs, stop, runs, seed } = study;
  return parseWith(
    scenarioSchema,
    {
      name: study.name,
      description: question,
      endpoints: { [SERVER]: endpoint },
      agents: mixAgents(mix, read).map((agent) => ({ ...agent, endpoint: SERVER })),
      cells: [{ name, set: {} }],
      runs,
      seed,
      durationMs,
      ...(stop === undefined ? {} : { stop }),
      prompts: "per-repeat",
      solo: false,
    },
    `configuration ${name} of ${study.name}`,
  );
}
