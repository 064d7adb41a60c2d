/** What a sweep is to find out: its server, its cells, its workload; as the manifest of its run keeps it. */
import { basename, extname, isAbsolute, resolve } from "node:path";
import { z } from "zod";
import { OperatorError } from "../../core/errors.ts";
import { MAX_AGENTS, MAX_TOKENS } from "../../core/limits.ts";
import { entropySeed } from "../../core/random.ts";
import { BYTES_PER_MIB } from "../../core/units.ts";
import { parseWith, readYamlFile } from "../../core/yaml.ts";
import type { ServerModel } from "../../predict/vram/preset-ledger.ts";
import { readServerModel } from "../../predict/vram/preset-ledger.ts";
import type { SweepCell } from "../../experiment/sweep-cells.ts";
import { gridCells, studyCells, sweepScenario } from "../../experiment/sweep-cells.ts";
import type { Need, NeedLimits } from "../../plan/knee.ts";
import { presetNamed } from "../../preset/catalogue.ts";
import type { LlamaServerPreset, Preset } from "../../preset/preset.ts";
import { KV_TYPES, presetSchema } from "../../preset/preset.ts";
import { capacityStudySchema } from "../../workload/capacity-study.ts";
import { readRole } from "../../workload/read-roles.ts";
import { roleOf, scenarioSchema } from "../../workload/scenario.ts";
import { loadPresets } from "../fleet/preset-folders.ts";
import type { CliIo } from "../io.ts";
import type { RawCapacityFlags } from "./flags.ts";
import {
  durationMs,
  kvTypes,
  limitsOf,
  narrowOf,
  needOf,
  refused,
  runsOf,
  wholeNumber,
  wholeNumbers,
} from "./flags.ts";

/** Three trials give an interval; fewer give none that is worth the name. */
const DEFAULT_RUNS = 3;
const DEFAULT_DURATION_MS = 60_000;
/** Reads and writes without a pause: study 003's case with the highest yield, and the floor for each agent. */
const DEFAULT_MIX = "Research";
const DEFAULT_SLOTS = [1, 2, 4, 8];
/** Where agents begin to be useful, doubled up to what the model was trained for and no further than a card holds. */
const SMALLEST_CONTEXT_TOKENS = 4_096;
const LARGEST_CONTEXT_TOKENS = 131_072;

const needSchema = z.union([
  z.strictObject({ kind: z.enum(["throughput", "context", "agents"]) }),
  z.strictObject({ kind: z.literal("latency"), role: z.string() }),
]);

const limitsSchema = z.strictObject({
  leastSlots: z.number().optional(),
  leastContextTokensPerSlot: z.number().optional(),
  leastPerAgentTokensPerS: z.number().optional(),
});

const capacitySpecSchema = z.object({
  scenario: scenarioSchema,
  seed: z.int().min(0),
  capacity: z.strictObject({
    preset: presetSchema,
    /** The file that it came from, whose references the knee's preset keeps. */
    presetPath: z.string().optional(),
    beside: z.array(presetSchema),
    cells: z.array(
      z.strictObject({
        name: z.string(),
        configuration: z.strictObject({
          slots: z.int(),
          contextTokensPerSlot: z.int(),
          kvTypeK: z.enum(KV_TYPES).optional(),
          kvTypeV: z.enum(KV_TYPES).optional(),
        }),
        vision: z.enum(["as-preset", "off"]),
      }),
    ),
    /** Of a study: what each outcome would say, as it was decided beforehand. */
    reading: z.array(z.string()).default([]),
    need: needSchema,
    limits: limitsSchema,
    floorBytes: z.number().optional(),
  }),
});

export type CapacitySpec = z.output<typeof capacitySpecSchema>;

/** From a manifest. Throws RESUME_MISMATCH for a run that is no sweep. */
export function parseCapacitySpec(spec: unknown, runId: string): CapacitySpec {
  const isSweep = typeof spec === "object" && spec !== null && "capacity" in spec;
  if (isSweep) return parseWith(capacitySpecSchema, spec, `the manifest of ${runId}`);
  throw new OperatorError("RESUME_MISMATCH", {
    message: "the run is no sweep",
    received: runId,
    nextStep: "resume it with slipway bench --resume, or begin a sweep",
  });
}

/** From flags and files. Throws what reading any of them throws. */
export function newCapacitySpec(
  studyPath: string | undefined,
  flags: RawCapacityFlags,
  io: CliIo,
): CapacitySpec {
  const { preset, path } = baseOf(flags, io);
  const seed = flags.seed === undefined ? undefined : wholeNumber("--seed", flags.seed, 2 ** 31, 0);
  const study =
    studyPath === undefined ? undefined : readYamlFile(capacityStudySchema, resolve(io.cwd, studyPath));
  const stop = narrowOf(flags.narrow) ?? study?.stop;
  const all =
    study === undefined
      ? gridOf(flags, readServerModel(preset), io)
      : studyCells(study, (role) => readRole(role, resolve(io.cwd, studyPath ?? "", "..")));
  const cells = withOneCell(all, flags.cell);
  const chosenSeed = seed ?? study?.seed ?? entropySeed() % 2 ** 31;
  return {
    scenario: sweepScenario(cells, {
      name: study?.name ?? "capacity",
      description: study?.question ?? `How many agents ${preset.name} carries, and how fast each is.`,
      durationMs:
        flags.duration === undefined
          ? (study?.durationMs ?? DEFAULT_DURATION_MS)
          : durationMs("--duration", flags.duration),
      ...(stop === undefined ? {} : { stop }),
      runs: runsOf(flags.runs, study?.runs ?? DEFAULT_RUNS),
      seed: chosenSeed,
    }),
    seed: chosenSeed,
    capacity: {
      preset,
      ...(path === undefined ? {} : { presetPath: path }),
      beside: [...besideOf(flags, io)],
      cells: cells.map(({ name, configuration, vision }) => ({ name, configuration, vision })),
      reading: study?.reading ?? [],
      need: needFor(flags.need, cells),
      limits: limitsOf(flags),
      ...(flags.floorMib === undefined
        ? {}
        : {
            floorBytes:
              wholeNumber("--floor-mib", flags.floorMib, Number.MAX_SAFE_INTEGER, 0) * BYTES_PER_MIB,
          }),
    },
  };
}

function withOneCell(cells: readonly SweepCell[], name: string | undefined): readonly SweepCell[] {
  if (name === undefined) return cells;
  const found = cells.filter((cell) => cell.name === name);
  if (found.length === 0)
    throw refused("--cell", name, `is one of ${cells.map((cell) => cell.name).join(", ")}`);
  return found;
}

/** A latency of a role that nobody plays would never be known. */
function needFor(text: string | undefined, cells: readonly SweepCell[]): Need {
  const need = needOf(text);
  const roles = [...new Set(cells.flatMap(({ agents }) => agents.map(({ role }) => role.name)))];
  if (need.kind === "latency" && !roles.includes(need.role))
    throw refused("--need", need.role, `asks for a role of the mix: ${roles.join(", ")}`);
  return need;
}

/** The cells with the agents that the scenario has for them. */
export function cellsOfSpec({ scenario, capacity }: CapacitySpec): readonly SweepCell[] {
  return capacity.cells.map((cell) => {
    const names = scenario.cells.find(({ name }) => name === cell.name)?.agents ?? [];
    const agents = scenario.agents.flatMap((agent) => {
      const role = roleOf(agent);
      return role !== undefined && names.includes(agent.name) ? [{ name: agent.name, role }] : [];
    });
    return { ...cell, configuration: withoutUndefined(cell.configuration), agents };
  });
}

function withoutUndefined({
  kvTypeK,
  kvTypeV,
  ...rest
}: CapacitySpec["capacity"]["cells"][number]["configuration"]): SweepCell["configuration"] {
  return {
    ...rest,
    ...(kvTypeK === undefined ? {} : { kvTypeK }),
    ...(kvTypeV === undefined ? {} : { kvTypeV }),
  };
}

export function needOfSpec({ capacity }: CapacitySpec): Need {
  return capacity.need;
}

export function limitsOfSpec({ capacity }: CapacitySpec): NeedLimits {
  return capacity.limits as NeedLimits;
}

interface Base {
  readonly preset: LlamaServerPreset;
  readonly path?: string;
}

function baseOf(flags: RawCapacityFlags, io: CliIo): Base {
  if ((flags.preset === undefined) === (flags.model === undefined))
    throw refused(
      "--preset",
      flags.preset ?? "nothing",
      "or --model says which server is measured, one of the two",
    );
  const named =
    flags.preset === undefined ? undefined : presetNamed(loadPresets(io, flags.presetsDir), flags.preset);
  const preset = named?.preset ?? modelPreset(flags.model as string, flags, io);
  if (preset.engine !== "llama-server")
    throw new OperatorError("ENGINE_UNSUPPORTED", {
      message: "only llama-server is swept: other engines' memory does not follow slots and context alike",
      received: `${preset.name}, on ${preset.engine}`,
      nextStep: "measure it as it is with slipway bench, or give a preset of llama-server",
    });
  return { preset, ...(named === undefined ? {} : { path: named.path }) };
}

function modelPreset(model: string, { engine, program }: RawCapacityFlags, io: CliIo): Preset {
  if (engine !== undefined && engine !== "llama-server")
    throw refused("--engine", engine, "is llama-server here");
  const stem = basename(model, extname(model)).replace(/[^A-Za-z0-9_.-]+/g, "-");
  return parseWith(
    presetSchema,
    {
      name: (/^[A-Za-z0-9]/.test(stem) ? stem : `model-${stem}`).slice(0, 40),
      engine: "llama-server",
      model: resolve(io.cwd, model),
      ...(program === undefined ? {} : { program: programPath(program, io.cwd) }),
    },
    "--model",
  );
}

/** A word alone is looked for on the PATH. */
function programPath(program: string, cwd: string): string {
  return program.includes("/") && !isAbsolute(program) ? resolve(cwd, program) : program;
}

function gridOf(flags: RawCapacityFlags, { facts }: ServerModel, io: CliIo): readonly SweepCell[] {
  const contexts =
    flags.ctx === undefined
      ? doubled(Math.min(facts.trainedContextTokens, LARGEST_CONTEXT_TOKENS))
      : wholeNumbers("--ctx", flags.ctx, MAX_TOKENS);
  return gridCells(
    {
      slots: flags.slots === undefined ? DEFAULT_SLOTS : wholeNumbers("--slots", flags.slots, MAX_AGENTS),
      contextTokensPerSlot: contexts,
      kvTypes: kvTypes(flags.kv),
      vision: flags.vision ? "as-preset" : "off",
      mix: flags.mix ?? DEFAULT_MIX,
    },
    (role) => readRole(role, io.cwd),
  );
}

function doubled(most: number): readonly number[] {
  const contexts: number[] = [];
  for (let tokens = SMALLEST_CONTEXT_TOKENS; tokens <= most; tokens *= 2) contexts.push(tokens);
  return contexts.length === 0 ? [most] : contexts;
}

function besideOf({ beside, presetsDir }: RawCapacityFlags, io: CliIo): readonly Preset[] {
  if (beside === undefined) return [];
  const catalogue = loadPresets(io, presetsDir);
  return beside.split(",").map((name) => presetNamed(catalogue, name.trim()).preset);
}
