/** One configuration: whether it fits, how its agents fare, and what stops the next one. */
import type { RoleTable } from "../../analysis/roles/role-table.ts";
import { roleTable } from "../../analysis/roles/role-table.ts";
import { SimulatedRoles } from "../../analysis/roles/simulated-roles.ts";
import { msToNs } from "../../core/units.ts";
import type { SweepCell } from "../../experiment/sweep-cells.ts";
import { roleTooLarge } from "../../experiment/sweep-cells.ts";
import type { Evaluated, NoisyFigure } from "../../plan/evaluation.ts";
import { calibratedTime } from "../../predict/calibrate/calibrate.ts";
import type { Calibration } from "../../predict/calibrate/calibration.ts";
import { modelShapeOf } from "../../predict/gguf/model-shape-of.ts";
import { simulateWorkload } from "../../predict/simulate/simulate-workload.ts";
import type { ServingMode, SlotEngineOptions } from "../../predict/simulate/slot-engine-options.ts";
import type { KernelEfficiency, StepTimeModel } from "../../predict/step-time.ts";
import { alternativesThatFit } from "../../predict/vram/alternatives.ts";
import type { LaunchMemory } from "../../predict/vram/launch-memory.ts";
import { llamaServerMemory, ollamaMemory } from "../../predict/vram/launch-memory.ts";
import type { MemoryLedger } from "../../predict/vram/ledger.ts";
import type { Surroundings } from "../../predict/vram/memory-ledger.ts";
import { memoryLedger } from "../../predict/vram/memory-ledger.ts";
import type { Walls } from "../../predict/walls.ts";
import { wallsOf } from "../../predict/walls.ts";
import type { Role } from "../../workload/role.ts";
import type { SimulatedDevice } from "./device.ts";
import type { SimulatedServer } from "./server.ts";

export interface Simulation {
  readonly server: SimulatedServer;
  readonly device: SimulatedDevice;
  readonly kernels: KernelEfficiency;
  readonly calibration?: Calibration;
  /** How far the figures may be off, as a share; absent where nobody knows. Widens every interval. */
  readonly errorShare?: number;
  readonly durationMs: number;
  /** Simulations of each cell, with noise of their own. */
  readonly runs: number;
  /** Relative standard deviation of a step. */
  readonly jitter: number;
  readonly seed: number;
  /** What each agent must get at least, tok/s. */
  readonly leastTokensPerS?: number;
}

interface MemoryOfCell {
  readonly cell: SweepCell;
  readonly ledger: MemoryLedger;
  readonly neededBytes: number;
  readonly capacityBytes: number;
}

export type CellResult =
  | (MemoryOfCell & {
      readonly kind: "simulated";
      readonly roles: RoleTable;
      readonly evaluation: Evaluated;
      /** The context ended answers or refused prompts: less work was done, and turns are no turns of the role. */
      readonly answersCut: boolean;
      /** Tokens that an agent has in the cache, on average over its turns. */
      readonly contextTokens: number;
      readonly walls: Walls;
    })
  | (MemoryOfCell & {
      readonly kind: "does-not-fit";
      readonly missingBytes: number;
      /** Single changes that would make it fit, as instructions. */
      readonly alternatives: readonly string[];
    })
  | (MemoryOfCell & { readonly kind: "not-simulated"; readonly reason: string });

export function simulateCell(simulation: Simulation, cell: SweepCell): CellResult {
  const { server, device } = simulation;
  const launch = launchOf(server, cell);
  const surroundings = surroundingsOf(simulation, cell);
  const ledger = memoryLedger(server.facts, launch, surroundings);
  const capacityBytes = device.device.memoryBytes;
  const memory = { cell, ledger, neededBytes: ledger.deviceBytes, capacityBytes };
  if (ledger.deviceBytes > capacityBytes) {
    const alternatives = alternativesThatFit(server.facts, launch, capacityBytes, surroundings);
    return {
      ...memory,
      kind: "does-not-fit",
      missingBytes: ledger.deviceBytes - capacityBytes,
      alternatives: alternatives.map(({ change }) => change),
    };
  }
  const tooLarge = roleTooLarge(cell);
  if (tooLarge !== undefined)
    return {
      ...memory,
      kind: "not-simulated",
      reason: `a turn of ${tooLarge.name} alone is longer than a slot`,
    };
  const time = timeOf(simulation, cell, launch);
  if (typeof time === "string") return { ...memory, kind: "not-simulated", reason: time };
  const { roles, evaluation, contextTokens } = played(simulation, cell, launch, time);
  const walls = wallsOf({
    time,
    agents: Math.min(cell.agents.length, launch.slots),
    slots: launch.slots,
    contextTokens,
    memory: {
      usedBytes: ledger.deviceBytes,
      usedWithNextBytes: memoryLedger(server.facts, withOneMore(launch), surroundings).deviceBytes,
      capacityBytes,
    },
    ...(simulation.leastTokensPerS === undefined ? {} : { leastTokensPerS: simulation.leastTokensPerS }),
  });
  const answersCut = roles.all.contextFaults.cut + roles.all.turns.refused > 0;
  return { ...memory, kind: "simulated", roles, evaluation, answersCut, contextTokens, walls };
}

/** Bytes of the device that a configuration needs. */
export function neededBytes(simulation: Simulation, cell: SweepCell): number {
  const { facts } = simulation.server;
  return memoryLedger(facts, launchOf(simulation.server, cell), surroundingsOf(simulation, cell)).deviceBytes;
}

function launchOf(
  { servedBy, settings, facts }: SimulatedServer,
  { configuration }: SweepCell,
): LaunchMemory {
  if (servedBy !== "ollama") return llamaServerMemory({ ...settings, ...configuration }, facts);
  const { slots, contextTokensPerSlot, kvTypeK } = { ...settings, ...configuration };
  return ollamaMemory({ slots, contextTokensPerSlot, kvType: kvTypeK }, facts);
}

function withOneMore(launch: LaunchMemory): LaunchMemory {
  const perSlot = launch.contextTokens / launch.slots;
  return { ...launch, slots: launch.slots + 1, contextTokens: launch.contextTokens + perSlot };
}

function surroundingsOf({ server, device }: Simulation, { vision }: SweepCell): Surroundings {
  return {
    coTenants: device.coTenants,
    ...(server.projectorBytes === undefined || vision === "off"
      ? {}
      : { projectorBytes: server.projectorBytes }),
  };
}

/** A sentence where the calibration does not reach so far. */
function timeOf(
  { server, device, kernels, calibration }: Simulation,
  cell: SweepCell,
  launch: LaunchMemory,
): StepTimeModel | string {
  const time = {
    model: modelShapeOf(server.facts, launch),
    device: device.device,
    allocatedTokens: launch.contextTokens,
    ...(launch.gpuLayers === "all" ? {} : { gpuLayers: launch.gpuLayers }),
  };
  if (calibration === undefined) return { ...time, efficiency: kernels };
  const longest = Math.max(...cell.agents.map(({ role }) => longestTurnTokens(role, cell)));
  const sequences = Math.min(cell.agents.length, launch.slots);
  const answer = calibratedTime(calibration, time, { sequences, contextTokens: longest });
  return answer.kind === "time" ? answer.time : answer.message;
}

/** Prompt and answer; a conversation grows up to its compaction. */
function longestTurnTokens(role: Role, { configuration }: SweepCell): number {
  const { contextTokensPerSlot } = configuration;
  const answerTokens = role.meanOutputTokens ?? role.maxOutputTokens;
  const alone = role.systemTokens + role.toolResultTokens + role.messageTokens + answerTokens;
  const { conversation } = role;
  const grown =
    conversation.kind === "fresh" ? 0 : Math.floor(conversation.compactAtShare * contextTokensPerSlot);
  return Math.min(Math.max(alone, grown), contextTokensPerSlot);
}

interface Played {
  readonly roles: RoleTable;
  readonly evaluation: Evaluated;
  readonly contextTokens: number;
}

function played(simulation: Simulation, cell: SweepCell, launch: LaunchMemory, time: StepTimeModel): Played {
  const { runs, seed, errorShare } = simulation;
  const agents = cell.agents.map((agent) => ({ ...agent, server: 0 }));
  const durationNs = msToNs(simulation.durationMs);
  const turns = { count: 0, tokens: 0 };
  const trials = Array.from({ length: runs }, (_unused, run) => {
    const trial = new SimulatedRoles(agents, durationNs);
    const server = engineOf(simulation, launch, time, seed + run);
    simulateWorkload({ servers: [server], agents, durationNs }, (turn) => {
      trial.add(turn);
      turns.count++;
      turns.tokens += turn.promptTokens + turn.outputTokens / 2;
    });
    return trial.finish();
  });
  const roles = roleTable(trials, seed);
  const each = trials.map((trial) => roleTable([trial], seed));
  return {
    roles,
    evaluation: evaluationOf(roles, each, errorShare),
    contextTokens: turns.tokens / turns.count,
  };
}

function engineOf(
  { server, jitter }: Simulation,
  launch: LaunchMemory,
  time: StepTimeModel,
  seed: number,
): SlotEngineOptions {
  // One cache for all is as long as all of it for each.
  const contextTokens = launch.unifiedCache
    ? launch.contextTokens
    : Math.floor(launch.contextTokens / launch.slots);
  return {
    time,
    mode: modeOf(server, launch),
    slots: launch.slots,
    batchTokens: Math.max(launch.batchTokens, launch.slots + 1),
    defaults: {
      contextTokens,
      gpuLayers: launch.gpuLayers === "all" ? time.model.layers + 1 : launch.gpuLayers,
    },
    ...(launch.unifiedCache ? { poolTokens: launch.contextTokens } : {}),
    loadNs: 0,
    jitter,
    speed: 1,
    seed,
  };
}

function modeOf({ servedBy }: SimulatedServer, { slots }: LaunchMemory): ServingMode {
  if (servedBy === "time-shared") return "time-shared";
  return servedBy === "ollama" && slots === 1 ? "sequential" : "continuous";
}

function evaluationOf(all: RoleTable, each: readonly RoleTable[], errorShare = 0): Evaluated {
  const figure = (of: (table: RoleTable) => number | undefined): NoisyFigure => {
    const values = each.flatMap((table) => of(table) ?? []);
    return {
      value: of(all) ?? 0,
      low: (values.length === 0 ? 0 : Math.min(...values)) * (1 - errorShare),
      high: (values.length === 0 ? 0 : Math.max(...values)) * (1 + errorShare),
    };
  };
  const latencies = all.roles.flatMap(({ role, turnMs }) => {
    if (turnMs.mean === undefined) return [];
    const of = (table: RoleTable) => table.roles.find((one) => one.role === role)?.turnMs.mean;
    return [[role, figure(of)] as const];
  });
  return {
    kind: "evaluated",
    aggregateTokensPerS: figure(({ all: one }) => one.aggregateTokS?.mean),
    perAgentTokensPerS: figure(({ all: one }) => one.perCallTokS?.mean),
    roleLatencyMs: Object.fromEntries(latencies),
  };
}
