/** All configurations of a question: each simulated where it fits, then compared where that means something. */
import { resolve } from "node:path";
import { MAX_AGENTS, MAX_TOKENS } from "../../core/limits.ts";
import { readYamlFile } from "../../core/yaml.ts";
import type { SweepCell } from "../../experiment/sweep-cells.ts";
import { gridCells, studyCells } from "../../experiment/sweep-cells.ts";
import type { Cliff } from "../../plan/cliff.ts";
import { cliffOf } from "../../plan/cliff.ts";
import type { Configuration } from "../../plan/configuration.ts";
import { configurationKey } from "../../plan/configuration.ts";
import type { Knee, Need, NeedLimits } from "../../plan/knee.ts";
import { kneeOf } from "../../plan/knee.ts";
import { paretoTable } from "../../plan/pareto.ts";
import { capacityStudySchema } from "../../workload/capacity-study.ts";
import type { CapacityStudy } from "../../workload/capacity-study.ts";
import { mixAgents } from "../../workload/mix.ts";
import { readRole } from "../../workload/read-roles.ts";
import { kvTypes, wholeNumbers } from "../capacity/flags.ts";
import type { RawSimulateFlags } from "./flags.ts";
import type { SimulatedServer } from "./server.ts";
import type { CellResult, Simulation } from "./simulate-cell.ts";
import { neededBytes, simulateCell } from "./simulate-cell.ts";

/** As `slipway capacity` has it. */
const DEFAULT_MIX = "Research";
const DEFAULT_CONTEXT_TOKENS = 32_768;

export interface Question {
  readonly cells: readonly SweepCell[];
  /** Absent where the cells are a grid of one mix. */
  readonly study?: CapacityStudy;
}

export interface Compared {
  readonly results: readonly CellResult[];
  /** By name: those that no other beats in everything. */
  readonly front: ReadonlySet<string>;
  /** Absent for one configuration, and where agents are not the same kinds in all of them. */
  readonly knee?: Knee;
  readonly cliff?: Cliff;
}

/**
 * One number of slots, or none: the agents are exactly the mix's, also where they have to queue. A
 * list of them: one agent for each slot, with the roles of the mix in turn.
 */
export function questionOf(
  studyPath: string | undefined,
  flags: RawSimulateFlags,
  server: SimulatedServer,
  cwd: string,
): Question {
  if (studyPath !== undefined) {
    const path = resolve(cwd, studyPath);
    const study = readYamlFile(capacityStudySchema, path);
    return { study, cells: studyCells(study, (role) => readRole(role, resolve(path, ".."))) };
  }
  const { settings, facts } = server;
  const mix = flags.mix ?? DEFAULT_MIX;
  const agents = mixAgents(mix, (role) => readRole(role, cwd));
  const usual = Math.min(settings.contextTokensPerSlot ?? DEFAULT_CONTEXT_TOKENS, facts.trainedContextTokens);
  const slots =
    flags.slots === undefined
      ? [settings.slots ?? agents.length]
      : wholeNumbers("--slots", flags.slots, MAX_AGENTS);
  const cells = gridCells(
    {
      slots,
      contextTokensPerSlot: flags.ctx === undefined ? [usual] : wholeNumbers("--ctx", flags.ctx, MAX_TOKENS),
      kvTypes: kvTypes(flags.kv),
      vision: flags.vision ? "as-preset" : "off",
      mix,
    },
    (role) => readRole(role, cwd),
  );
  return { cells: slots.length > 1 ? cells : cells.map((cell) => ({ ...cell, agents })) };
}

export function simulateAll(
  simulation: Simulation,
  question: Question,
  need: Need,
  limits: NeedLimits,
): Compared {
  const { cells } = question;
  const results = cells.map((cell) => simulateCell(simulation, cell));
  const simulated = results
    .filter((result) => result.kind === "simulated")
    .filter(({ answersCut }) => !answersCut);
  const candidates = simulated.map(({ cell, evaluation }) => ({
    configuration: cell.configuration,
    evaluation,
  }));
  if (cells.length < 2 || !areComparable(question)) return { results, front: new Set() };
  const front = paretoTable(candidates).flatMap(({ dominatedBy }, index) =>
    dominatedBy === undefined ? [simulated[index]?.cell.name ?? ""] : [],
  );
  const knee = kneeOf(candidates, need, limits);
  const cliff = knee.kind === "found" ? cliffAt(knee.best.configuration, simulation, cells) : undefined;
  return { results, front: new Set(front), knee, ...(cliff === undefined ? {} : { cliff }) };
}

/** A grid has one mix. A study may ask different things of each configuration, whose rates then say nothing about the server. */
function areComparable({ cells, study }: Question): boolean {
  if (study === undefined) return true;
  const roles = (cell: SweepCell): string =>
    cell.agents
      .map(({ role }) => role.name)
      .toSorted()
      .join();
  const keys = new Set(cells.map(({ configuration }) => configurationKey(configuration)));
  return keys.size === cells.length && new Set(cells.map(roles)).size === 1;
}

function cliffAt(
  best: Configuration,
  simulation: Simulation,
  cells: readonly SweepCell[],
): Cliff | undefined {
  const [first] = cells;
  if (first === undefined) return undefined;
  const contexts = cells.map(({ configuration }) => configuration.contextTokensPerSlot);
  return cliffOf(
    best,
    [...new Set(contexts)].toSorted((one, other) => one - other),
    (configuration) => neededBytes(simulation, { ...first, configuration }),
    simulation.device.device.memoryBytes,
  );
}
