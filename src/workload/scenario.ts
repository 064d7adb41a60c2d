/**
 * A scenario: agents, endpoints and how to repeat them. The schema is the single source of field
 * names, defaults and rules; the JSON Schema for editors is derived from it.
 */
import { z } from "zod";
import {
  DEFAULT_AGENT_LIMIT_MS,
  DEFAULT_GAP_LIMIT_MS,
  DEFAULT_LOADING_LIMIT_MS,
  DEFAULT_TOTAL_LIMIT_MS,
  MAX_AGENTS,
  MAX_DURATION_MS,
  MAX_REPEATS,
  MAX_TOKENS,
} from "../core/limits.ts";
import { specHash } from "../core/ids.ts";
import { PROGRAM_NAMES } from "./programs/registry.ts";
import type { Role } from "./role.ts";
import { roleSchema } from "./role.ts";

export const nameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]*$/,
    "letters, digits, dot, dash and underscore, beginning with a letter or digit",
  )
  .max(60);
const repeats = z.int().min(1).max(MAX_REPEATS);
const tokens = z.int().min(1).max(MAX_TOKENS);
const milliseconds = z.number().min(0);

const credentialSchema = z.union([
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ file: z.string().min(1) }),
]);

export const endpointSchema = z.strictObject({
  url: z.string().min(1),
  engine: z.enum(["openai", "vllm", "tgi", "llama-server", "ollama", "simulated"]).optional(),
  credential: credentialSchema.optional(),
  /** Requests that may be under way at once; more wait in the client, and the wait is recorded. */
  maxInFlight: repeats.optional(),
});

export const optionsSchema = z.strictObject({
  temperature: z.number().min(0).max(5).optional(),
  seed: z.int().optional(),
  numGpu: z.int().min(0).optional(),
  numCtx: tokens.optional(),
  slotId: z.int().min(0).optional(),
  thinking: z.boolean().optional(),
});

/** Start to start, or end to start: two different things, never one field. */
const cadenceSchema = z.union([
  z.strictObject({ everyMs: milliseconds }),
  z.strictObject({ thinkMs: milliseconds }),
]);

/** Fields of programs at their defaults: beside a role they would say nothing, and a file that sets them expects otherwise. */
const SAID_BY_THE_ROLE = {
  cadence: { thinkMs: 0 },
  promptTokens: 256,
  outputTokens: 128,
  growingContext: false,
  corpusCharacters: 1000,
} as const;

const agentSchema = z
  .strictObject({
    name: nameSchema,
    program: z.enum(PROGRAM_NAMES).optional(),
    /** An external agent instead of a program: argument array, never a shell line. */
    command: z.array(z.string().min(1)).min(1).optional(),
    /** Or a role: a shipped one by its name, a file by its path, or written out. */
    role: z.union([z.string().min(1), roleSchema]).optional(),
    endpoint: nameSchema,
    model: z.string().min(1).optional(),
    options: optionsSchema.default({}),
    cadence: cadenceSchema.default({ thinkMs: 0 }),
    requests: repeats.default(3),
    promptTokens: tokens.default(256),
    outputTokens: tokens.default(128),
    /** Go on past end-of-sequence where the engine can, so that lengths are equal. */
    fixedOutput: z.boolean().default(true),
    growingContext: z.boolean().default(false),
    corpusCharacters: tokens.default(1000),
  })
  .superRefine((agent, context) => {
    const broken = (path: string, message: string): void =>
      context.addIssue({
        code: "custom",
        path: [path],
        input: agent[path as keyof typeof agent],
        message,
        continue: true,
      });
    const given = [agent.program, agent.command, agent.role].filter((one) => one !== undefined);
    if (given.length !== 1)
      context.addIssue({
        code: "custom",
        input: agent,
        message: "give exactly one of program, command and role",
      });
    if (agent.role === undefined) return;
    for (const [field, unset] of Object.entries(SAID_BY_THE_ROLE))
      if (specHash(agent[field as keyof typeof agent]) !== specHash(unset))
        broken(field, "is for programs; an agent with a role does what its role says");
    if (typeof agent.role !== "string" && agent.role.images !== undefined)
      broken("role", "has images, which can be simulated but not yet sent");
  });

/** The start, and ten parts of the time whose mean has an interval. */
export const FEWEST_SUB_WINDOWS = 11;

export const stopSchema = z.strictObject({
  /** Half of the 95 % interval of the aggregate throughput, percent of it. */
  halfWidthPct: z.number().gt(0).max(100),
  /** The parts of the time that the interval is taken over; longer than a turn. Absent: a twentieth of the set time. */
  subWindowMs: z.number().min(1).optional(),
});

const parameterValue = z.union([z.string(), z.number(), z.boolean()]);

const cellSchema = z.strictObject({
  name: nameSchema,
  /** Which of the study's scenarios this cell belongs to, when one file holds several. */
  scenario: nameSchema.optional(),
  /** Those who take part, by name; absent: all. */
  agents: z.array(nameSchema).min(1).optional(),
  /** Paths such as `agents.insight.options.numGpu`; `agents.*` reaches every agent. */
  set: z.record(z.string(), parameterValue),
});

export const scenarioSchema = z
  .strictObject({
    name: nameSchema,
    description: z.string().default(""),
    endpoints: z.record(nameSchema, endpointSchema),
    agents: z.array(agentSchema).min(1).max(MAX_AGENTS),
    /** Every combination of these values is a cell. */
    matrix: z.record(z.string(), z.array(parameterValue).min(1)).default({}),
    /** Or cells named one by one; with a matrix, every cell is crossed with it. */
    cells: z.array(cellSchema).default([]),
    /** A ladder: one cell for each count, made of the first so many agents. */
    agentCounts: z.array(z.int().min(1).max(MAX_AGENTS)).default([]),
    runs: repeats.default(3),
    /** A set time for each trial: agents take turn after turn until it is over. Absent: each does its requests. */
    durationMs: z.number().min(1).max(MAX_DURATION_MS).optional(),
    /** Ends a trial's set time before it is over, once its throughput is known closely enough. */
    stop: stopSchema.optional(),
    /** `per-repeat`: every cell gets the same prompts in the same repeat, whatever its settings. Absent: every trial its own. */
    prompts: z.enum(["per-trial", "per-repeat"]).optional(),
    solo: z.boolean().default(true),
    order: z.enum(["interleaved", "sequential"]).default("interleaved"),
    warmUpRequests: z.int().min(0).default(1),
    /** `forced` unloads the model before each cell; `natural` lets the server evict. */
    unload: z.enum(["natural", "forced"]).default("natural"),
    coolDownMs: milliseconds.default(0),
    /** `cold`: no prompt shares a prefix with an earlier one, and caching is off where it can be told. */
    promptCache: z.enum(["cold", "warm"]).default("cold"),
    retries: z.int().min(0).max(10).default(0),
    contentionThresholdMs: milliseconds.default(3000),
    limits: z
      .strictObject({
        gapMs: milliseconds.min(1).default(DEFAULT_GAP_LIMIT_MS),
        totalMs: milliseconds.min(1).default(DEFAULT_TOTAL_LIMIT_MS),
        loadingMs: milliseconds.default(DEFAULT_LOADING_LIMIT_MS),
        /** Longest life of an external agent. */
        agentMs: milliseconds.min(1).default(DEFAULT_AGENT_LIMIT_MS),
      })
      .prefault({}),
    seed: z.int().min(0).optional(),
    corpus: z.string().min(1).optional(),
  })
  .superRefine((scenario, context) => {
    scenario.agentCounts.forEach((agents, index) => {
      if (agents > scenario.agents.length)
        context.addIssue({
          code: "custom",
          path: ["agentCounts", index],
          input: agents,
          message: `is more than the ${scenario.agents.length} agents of this scenario`,
        });
    });
    if (scenario.stop !== undefined && scenario.durationMs === undefined)
      context.addIssue({
        code: "custom",
        path: ["stop"],
        input: scenario.stop,
        message: "needs durationMs, which bounds it",
      });
    const { subWindowMs } = scenario.stop ?? {};
    if (subWindowMs !== undefined && subWindowMs * FEWEST_SUB_WINDOWS > (scenario.durationMs ?? Infinity))
      context.addIssue({
        code: "custom",
        path: ["stop", "subWindowMs"],
        input: subWindowMs,
        message: `is more than 1/${FEWEST_SUB_WINDOWS} of durationMs: the rule would never have enough parts to judge by`,
      });
    scenario.agents.forEach((agent, index) => {
      if (scenario.durationMs !== undefined && agent.role === undefined && agent.program !== "synthetic")
        context.addIssue({
          code: "custom",
          path: ["agents", index],
          input: agent.name,
          message:
            "cannot go on for durationMs; a set time is for agents with a role or the program synthetic",
        });
      if (!(agent.endpoint in scenario.endpoints))
        context.addIssue({
          code: "custom",
          path: ["agents", index, "endpoint"],
          input: agent.endpoint,
          message: `names no endpoint of this scenario (there are: ${Object.keys(scenario.endpoints).join(", ") || "none"})`,
        });
    });
  });

export type Scenario = z.output<typeof scenarioSchema>;
export type ScenarioInput = z.input<typeof scenarioSchema>;
export type AgentSpec = Scenario["agents"][number];
export type ScenarioEndpoint = Scenario["endpoints"][string];
export type ParameterValue = z.output<typeof parameterValue>;

/** The agent's role, once it has been read; see `resolve-roles`. */
export function roleOf({ role }: Pick<AgentSpec, "role">): Role | undefined {
  return typeof role === "string" ? undefined : role;
}

/** When an agent's next request is due: its role says it, or the agent itself. */
export function cadenceOf(agent: AgentSpec): AgentSpec["cadence"] {
  return roleOf(agent)?.cadence ?? agent.cadence;
}
