/**
 * The cells of a sweep: a configuration of the server and the agents that work on it. Together they
 * are one scenario with an endpoint for each cell, so that a sweep is a run like any other.
 */
import { OperatorError } from "../core/errors.ts";
import { specHash } from "../core/ids.ts";
import { parseWith } from "../core/yaml.ts";
import type { Configuration } from "../plan/configuration.ts";
import type { KvType } from "../preset/preset.ts";
import type { CapacityStudy } from "../workload/capacity-study.ts";
import type { MixAgent } from "../workload/mix.ts";
import { mixAgents } from "../workload/mix.ts";
import type { Role } from "../workload/role.ts";
import type { Scenario } from "../workload/scenario.ts";
import { scenarioSchema } from "../workload/scenario.ts";

/** Stands for the URL of the server that is started for a cell. */
const BORROWED_URL = "borrowed";

export interface SweepCell {
  /** Also of its endpoint, and the end of its preset's name. */
  readonly name: string;
  readonly configuration: Configuration;
  /** Without the vision projector, to leave its memory to the context. */
  readonly vision: "as-preset" | "off";
  readonly agents: readonly MixAgent[];
}

export interface SweepGrid {
  readonly slots: readonly number[];
  readonly contextTokensPerSlot: readonly number[];
  /** One cell type after the other; absent: the preset's. */
  readonly kvTypes: readonly (KvType | undefined)[];
  readonly vision: SweepCell["vision"];
  readonly mix: string;
}

/** As many agents as slots: the roles of the mix in turn. Throws MIX_INVALID, and what `read` throws. */
export function gridCells(grid: SweepGrid, read: (nameOrFile: string) => Role): readonly SweepCell[] {
  const mix = mixAgents(grid.mix, read);
  return grid.kvTypes.flatMap((kvType) =>
    grid.slots.flatMap((slots) =>
      grid.contextTokensPerSlot.map((contextTokensPerSlot) => {
        const kv = kvType === undefined ? {} : { kvTypeK: kvType, kvTypeV: kvType };
        const configuration = { slots, contextTokensPerSlot, ...kv };
        return {
          name: cellName(configuration),
          configuration,
          vision: grid.vision,
          agents: inTurn(mix, slots),
        };
      }),
    ),
  );
}

/** The configurations of a study's file, each with its own mix. Throws as {@link gridCells}. */
export function studyCells(study: CapacityStudy, read: (nameOrFile: string) => Role): readonly SweepCell[] {
  return study.configurations.map(({ name, slots, contextTokensPerSlot, vision, mix }) => ({
    name,
    configuration: { slots, contextTokensPerSlot },
    vision,
    agents: inTurn(mixAgents(mix, read)),
  }));
}

/** Numbered by role from 1 on, so that an agent has the same name, and so the same prompts, in every cell. */
function inTurn(mix: readonly MixAgent[], count = mix.length): readonly MixAgent[] {
  const placed = new Map<string, number>();
  return Array.from({ length: count }, (_, index) => {
    const { role } = mix[index % mix.length] as MixAgent;
    const number = (placed.get(role.name) ?? 0) + 1;
    placed.set(role.name, number);
    return { name: `${role.name}-${number}`, role };
  });
}

function cellName({ slots, contextTokensPerSlot, kvTypeK }: Configuration): string {
  const tokens =
    contextTokensPerSlot % 1024 === 0 ? `${contextTokensPerSlot / 1024}k` : `${contextTokensPerSlot}`;
  return `${slots}x${tokens}${kvTypeK === undefined ? "" : `-${kvTypeK}`}`;
}

export interface SweepTiming {
  readonly name: string;
  readonly description: string;
  readonly durationMs: number;
  readonly stop?: Scenario["stop"];
  readonly runs: number;
  readonly seed: number;
}

/** Agents of the same name must play the same role. Throws CONFIG_INVALID. */
export function sweepScenario(cells: readonly SweepCell[], timing: SweepTiming): Scenario {
  const { name, description, durationMs, stop, runs, seed } = timing;
  const agents = new Map<string, Role>();
  for (const cell of cells)
    for (const agent of cell.agents) {
      const known = agents.get(agent.name);
      if (known !== undefined && specHash(known) !== specHash(agent.role))
        throw new OperatorError("CONFIG_INVALID", {
          message: "two roles of a sweep have the same name and are not alike",
          received: agent.role.name,
          nextStep: "rename one in its file",
        });
      agents.set(agent.name, agent.role);
    }
  return parseWith(
    scenarioSchema,
    {
      name,
      description,
      endpoints: Object.fromEntries(
        cells.map((cell) => [cell.name, { url: BORROWED_URL, engine: "llama-server" }]),
      ),
      agents: [...agents].map(([agent, role]) => ({ name: agent, role, endpoint: cells[0]?.name })),
      cells: cells.map((cell) => ({
        name: cell.name,
        agents: cell.agents.map((agent) => agent.name),
        set: { "agents.*.endpoint": cell.name },
      })),
      runs,
      seed,
      durationMs,
      ...(stop === undefined ? {} : { stop }),
      prompts: "per-repeat",
      solo: false,
    },
    `sweep ${name}`,
  );
}

/** The first role whose turn alone cannot fit a slot: a server would refuse every one of them. */
export function roleTooLarge({ agents, configuration }: SweepCell): Role | undefined {
  return agents
    .map(({ role }) => role)
    .find((role) => turnTokens(role) >= configuration.contextTokensPerSlot);
}

export function turnTokens({ systemTokens, toolResultTokens, messageTokens }: Role): number {
  return systemTokens + toolResultTokens + messageTokens;
}
