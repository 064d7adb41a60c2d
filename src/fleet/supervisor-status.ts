/** What `status` says: read from the state, and asked of the servers that can say. */
import { NS_PER_S } from "../core/units.ts";
import type { Preset } from "../preset/preset.ts";
import type { FleetStatus, PresetState, PresetStatus } from "./control/protocol.ts";
import type { Fleet, Place } from "./supervisor-state.ts";
import { heldBytesOf } from "./supervisor-state.ts";
import type { Claim } from "./supervisor-turn.ts";
import { answerWithin } from "./switch-wait.ts";
import type { MemoryReading } from "./memory.ts";
import type { ServerActivity } from "./world.ts";

/** A status that waits for a busy server helps nobody: the last figures stand then. */
const ACTIVITY_LIMIT_MS = 500;

/** Rates over less than this are noise of the polls. */
const SHORTEST_RATE_NS = 0.2 * NS_PER_S;

/** Where what a server said of itself can still be true. */
const ACTIVE: ReadonlySet<PresetState> = new Set(["ready", "draining"]);

export async function fleetStatus(
  fleet: Fleet,
  owner: { readonly supervisorPid: number; readonly stateDirectory: string },
  claim: Claim | undefined,
): Promise<FleetStatus> {
  const { state, world, events } = fleet;
  const [memory] = await Promise.all([
    world.memory(),
    ...state.places().map((place) => askActivity(fleet, place)),
  ]);
  const presets = knownPresets(fleet).map((preset) =>
    presetStatus(fleet, state.place(preset.name), preset, memory),
  );
  return {
    supervisorPid: owner.supervisorPid,
    stateDirectory: owner.stateDirectory,
    ...(state.mode === undefined ? {} : { mode: state.mode, ...modePresets(fleet, state.mode) }),
    ...(claim === undefined ? {} : { switching: { to: claim.to, step: claim.step() } }),
    ...(state.lent === undefined ? {} : { lentTo: state.lent.label }),
    memory: {
      kind: memory.kind,
      totalBytes: memory.budgetBytes ?? memory.totalBytes,
      freeBytes: memory.freeBytes,
      ...(memory.foreignBytes === undefined ? {} : { foreignBytes: memory.foreignBytes }),
      ...(state.admitting ? {} : { short: true }),
    },
    presets,
    warnings: [
      ...(state.unsettled ? ["what runs is not on the disk: fleet.json could not be written"] : []),
      ...(state.admitting ? [] : ["memory is short: nobody is admitted"]),
      ...events.warnings(),
    ],
  };
}

/** As its file says now, which counts from the next switch on; a file that cannot be read is noted with the presets. */
function modePresets({ catalogue }: Fleet, mode: string): Pick<FleetStatus, "modePresets"> {
  try {
    const entry = catalogue().modes.get(mode);
    return entry === undefined ? {} : { modePresets: entry.mode.presets };
  } catch {
    return {};
  }
}

/** Those of the catalogue as it is now, and those that run and are no longer in it. */
function knownPresets({ catalogue, state, events }: Fleet): readonly Preset[] {
  const known = new Map<string, Preset>();
  try {
    for (const { preset } of catalogue().presets.values()) known.set(preset.name, preset);
  } catch (thrown) {
    // Somebody is in the middle of editing a file; what runs is told all the same.
    events.note(`presets cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
  for (const { seat } of state.places()) if (seat !== undefined) known.set(seat.preset.name, seat.preset);
  return [...known.values()];
}

function presetStatus(fleet: Fleet, place: Place, preset: Preset, memory: MemoryReading): PresetStatus {
  const { condition } = place;
  // Of a process that has ended nothing is held, busy or listening, whatever it said last.
  const server = place.server?.exit === undefined ? place.server : undefined;
  const activity = server !== undefined && ACTIVE.has(condition.state) ? place.activity : undefined;
  const need = fleet.needOf(preset, memory);
  const slots = activity?.slots ?? preset.slots;
  const pid = server?.process?.identity.pid;
  const usedBytes = heldBytesOf(place, memory);
  return {
    preset: place.name,
    engine: preset.engine,
    ...(preset.model === undefined ? {} : { model: preset.model }),
    state: condition.state,
    ...(server === undefined ? {} : { url: server.launch.url }),
    ...(pid === undefined ? {} : { pid }),
    ...(condition.reason === undefined ? {} : { reason: condition.reason }),
    ...(slots === undefined ? {} : { slots }),
    ...(activity?.busySlots === undefined ? {} : { busySlots: activity.busySlots }),
    ...(activity?.tokensPerSecond === undefined ? {} : { tokensPerSecond: activity.tokensPerSecond }),
    ...(need === undefined ? {} : { declaredBytes: need.bytes }),
    ...(usedBytes === undefined ? {} : { usedBytes }),
    restarts: place.restarts,
    ...(place.upSinceIso === undefined ? {} : { upSinceIso: place.upSinceIso }),
  };
}

async function askActivity(fleet: Fleet, place: Place): Promise<void> {
  const { server } = place;
  if (server === undefined || place.condition.state !== "ready") return;
  const nothing: ServerActivity = {};
  const { clock } = fleet.world;
  const said = await answerWithin(clock, ACTIVITY_LIMIT_MS, server.client.activity(), nothing);
  if (said !== nothing && place.server === server) noteActivity(fleet, place, said);
}

/** Keeps what a server says of itself; the rate is that of its tokens since the figures before. */
export function noteActivity({ world }: Fleet, place: Place, said: ServerActivity): void {
  const atNs = world.clock.nowNs();
  const before = place.activity;
  const base = before?.base;
  const { generatedTokens } = said;
  if (generatedTokens === undefined) {
    place.activity = said;
    return;
  }
  const isFresh = base === undefined || generatedTokens < base.tokens;
  if (!isFresh && atNs - base.atNs < SHORTEST_RATE_NS) {
    place.activity = { ...before, ...said };
    return;
  }
  place.activity = {
    ...said,
    base: { tokens: generatedTokens, atNs },
    ...(isFresh
      ? {}
      : { tokensPerSecond: ((generatedTokens - base.tokens) * NS_PER_S) / (atNs - base.atNs) }),
  };
}
