/**
 * What stops the next agent. Algebra before any simulation: N agents with C tokens each read W bytes
 * of weights and N·k·C bytes of cache in every step, so that
 *
 *   bandwidth knee  N* = W/(k·C): half of the reading is cache, and another agent is no longer cheap
 *   asymptote       η·B/(k·C) tok/s: what N → ∞ agents would get from the bus
 *   compute ridge   the tokens of a step from which multiplying takes longer than reading the weights
 *
 * Weights of a mixture of experts are those that N tokens choose, windowed layers see their window.
 */
import { NS_PER_S, formatBytes } from "../core/units.ts";
import { kvBytesPerTokenAndLayer, weightBytesRead, windowedLayersTokens } from "./model-shape.ts";
import type { ModelShape } from "./model-shape.ts";
import { ASSUMED_HOST, gpuShare, stepNs } from "./step-time.ts";
import type { StepTimeModel } from "./step-time.ts";

export interface WallsQuestion {
  readonly time: StepTimeModel;
  /** Agents that decode at once. */
  readonly agents: number;
  readonly slots: number;
  /** Tokens each agent has in the cache; not what is allocated. */
  readonly contextTokens: number;
  readonly memory?: SlotMemory;
  /** What an agent must get at least, tok/s. */
  readonly leastTokensPerS?: number;
}

/** Totals of the memory ledger. */
export interface SlotMemory {
  /** With the slots there are. */
  readonly usedBytes: number;
  /** With one slot more. */
  readonly usedWithNextBytes: number;
  readonly capacityBytes: number;
}

/** `vram`, `slots` and `service-level` refuse an agent; `bandwidth` and `compute` let it in at the others' cost. */
export type WallKind = "vram" | "slots" | "service-level" | "bandwidth" | "compute";

export interface Wall {
  readonly kind: WallKind;
  /** The most agents on this side of it. */
  readonly agents: number;
  /** One sentence with the distance, in the wall's own unit. */
  readonly distance: string;
}

export interface Walls {
  readonly stepMs: number;
  readonly perAgentTokensPerS: number;
  readonly aggregateTokensPerS: number;
  /** N*; absent where a context of this length has no cache that grows. */
  readonly bandwidthKnee?: number;
  readonly asymptoteTokensPerS?: number;
  /** Tokens of one step. */
  readonly computeRidgeTokens: number;
  /** All that are known, the nearest first. */
  readonly walls: readonly Wall[];
  /** The wall that agent N + 1 meets; absent where it meets none. */
  readonly next?: Wall;
}

/** More agents than any server's slots; a rate that holds up to here holds. */
const MOST_AGENTS = 100_000;

export function wallsOf(question: WallsQuestion): Walls {
  const { time, agents, contextTokens } = question;
  const ns = decodeNs(time, agents, contextTokens);
  const cacheNs = decodeNs(time, 1, contextTokens) - decodeNs(time, 1, 0);
  const knee = bandwidthKnee(time.model, contextTokens);
  const ridge = computeRidgeTokens(time);
  const walls = [
    vramWall(question),
    slotWall(question),
    serviceWall(question),
    bandwidthWall(question, knee),
    computeWall(question, ridge),
  ].filter((wall) => wall !== undefined);
  // Sorting is stable: of walls at one place the one that refuses an agent stands first.
  const nearest = walls.toSorted((a, b) => a.agents - b.agents);
  const next = nearest.find((wall) => wall.agents < agents + 1);
  return {
    stepMs: ns / 1e6,
    perAgentTokensPerS: NS_PER_S / ns,
    aggregateTokensPerS: (agents * NS_PER_S) / ns,
    ...(knee === undefined ? {} : { bandwidthKnee: knee, asymptoteTokensPerS: NS_PER_S / cacheNs }),
    computeRidgeTokens: ridge,
    walls: nearest,
    ...(next === undefined ? {} : { next }),
  };
}

/** Agents at which a step reads as much cache as weights; undefined where there is no cache to read. */
export function bandwidthKnee(model: ModelShape, contextTokens: number): number | undefined {
  const windowLayers = model.slidingWindow?.layers ?? 0;
  const seenTokens =
    (model.layers - windowLayers) * contextTokens +
    windowLayers * Math.min(contextTokens, windowedLayersTokens(model));
  const cacheBytes = kvBytesPerTokenAndLayer(model) * seenTokens;
  if (cacheBytes === 0) return undefined;
  // Per agent the weights read become fewer, the cache does not.
  return crossing((agents) => weightBytesRead(model, agents) - agents * cacheBytes);
}

function computeRidgeTokens(time: StepTimeModel): number {
  const { bandwidthBytesPerS, computeFlopPerS } =
    gpuShare(time) > 0 ? time.device : (time.host ?? ASSUMED_HOST);
  const { model, efficiency } = time;
  return crossing(
    (tokens) =>
      weightBytesRead(model, tokens) / (efficiency.weights * bandwidthBytesPerS) -
      (2 * model.layerParameters * tokens) / (efficiency.compute * computeFlopPerS),
  );
}

/** Where a concave function that is above 0 at first comes down to it. */
function crossing(of: (count: number) => number): number {
  let low = 0;
  let high = 1;
  while (of(high) > 0 && high < MOST_AGENTS * MOST_AGENTS) [low, high] = [high, 2 * high];
  // A double has 53 bits; what is left then is rounding.
  for (let bit = 0; bit < 53; bit++) {
    const middle = (low + high) / 2;
    if (of(middle) > 0) low = middle;
    else high = middle;
  }
  return high;
}

function decodeNs(time: StepTimeModel, sequences: number, contextTokens: number): number {
  return stepNs(time, {
    decodeSequences: sequences,
    decodeContextTokens: sequences * contextTokens,
    decodeWindowTokens: sequences * Math.min(contextTokens, windowedLayersTokens(time.model)),
    prefills: [],
  });
}

function vramWall({ slots, memory }: WallsQuestion): Wall | undefined {
  if (memory === undefined) return undefined;
  const { usedBytes, usedWithNextBytes, capacityBytes } = memory;
  const slotBytes = usedWithNextBytes - usedBytes;
  const freeBytes = capacityBytes - usedBytes;
  if (freeBytes < 0)
    return {
      kind: "vram",
      agents: 0,
      distance: `${slots} slots need ${formatBytes(-freeBytes)} more than there are`,
    };
  return {
    kind: "vram",
    agents: slots + (slotBytes > 0 ? Math.floor(freeBytes / slotBytes) : MOST_AGENTS),
    distance: `the next slot needs ${formatBytes(slotBytes)}, ${formatBytes(freeBytes)} are free`,
  };
}

function slotWall({ slots, agents }: WallsQuestion): Wall {
  const free = slots - agents;
  const distance = free > 0 ? `${free} of ${slots} slots are free` : `all ${slots} slots are taken`;
  return { kind: "slots", agents: slots, distance };
}

function serviceWall(question: WallsQuestion): Wall | undefined {
  const { time, agents, contextTokens, leastTokensPerS } = question;
  if (leastTokensPerS === undefined) return undefined;
  const rate = (count: number): number => NS_PER_S / decodeNs(time, count, contextTokens);
  let low = 0;
  let high = MOST_AGENTS;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (rate(middle) >= leastTokensPerS) low = middle;
    else high = middle;
  }
  return {
    kind: "service-level",
    agents: low,
    distance: `an agent more gets ${rate(agents + 1).toFixed(1)} tok/s, ${leastTokensPerS} are wanted`,
  };
}

function bandwidthWall({ agents }: WallsQuestion, knee: number | undefined): Wall | undefined {
  if (knee === undefined) return undefined;
  const distance = `the cache is read as much as the weights at ${knee.toFixed(1)} agents, ${agents} are there`;
  return { kind: "bandwidth", agents: Math.floor(knee), distance };
}

function computeWall({ agents }: WallsQuestion, ridge: number): Wall {
  const distance = `multiplying takes longer than reading the weights from ${ridge.toFixed(0)} tokens in a step, ${agents} are there`;
  return { kind: "compute", agents: Math.floor(ridge), distance };
}
