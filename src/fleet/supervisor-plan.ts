/** What a change would do, worked out from what runs now and what preflight finds. */
import { OperatorError } from "../core/errors.ts";
import { formatBytes } from "../core/units.ts";
import type { SwitchPlan } from "./control/protocol.ts";
import type { RunningServer, WantedPreset } from "./plan-switch.ts";
import { judgePlan, missingBytes, planSwitch } from "./plan-switch.ts";
import type { MemoryReading } from "./memory.ts";
import type { Fleet, FleetState } from "./supervisor-state.ts";
import { heldBytesOf } from "./supervisor-state.ts";
import type { LeavingServer } from "./world.ts";

export async function planChange(
  fleet: Fleet,
  to: string,
  target: readonly WantedPreset[],
): Promise<SwitchPlan> {
  const { state, world } = fleet;
  const reading = await world.memory();
  const running = runningServers(fleet, reading);
  const plan = planSwitch({
    ...(state.mode === undefined ? {} : { from: state.mode }),
    to,
    target,
    running,
    hashes: new Map([...fleet.catalogue().presets].map(([name, { hash }]) => [name, hash])),
    reading,
    profile: fleet.profile(),
    needOf: (preset) => fleet.needOf(preset, reading),
  });
  // Who wakes has its port and its files already, and its memory is counted by the plan.
  const starts = new Set(plan.start.flatMap(({ preset, how }) => (how === "start" ? [preset] : [])));
  const stops = new Set(plan.stop.map(({ preset }) => preset));
  const checks = await world.preflight(
    target.flatMap(({ preset }) => (starts.has(preset.name) ? [preset] : [])),
    running.filter(({ preset }) => stops.has(preset.name)),
    { ...reading, promisedBytes: plan.memory.promisedBytes ?? 0 },
  );
  const presets = target.map(({ preset }) => preset);
  const lacking = missingBytes(plan);
  const alternatives =
    lacking > 0 ? fleet.propose({ presets, missingBytes: lacking, kind: reading.kind }) : [];
  return judgePlan(plan, checks, alternatives);
}

function runningServers(
  { state }: Fleet,
  reading: MemoryReading,
): readonly (RunningServer & LeavingServer)[] {
  return state.places().flatMap((place) => {
    const { seat, condition, server } = place;
    if (seat === undefined || condition.state === "stopped") return [];
    const pid = server?.process?.identity.pid;
    const heldBytes = heldBytesOf(place, reading);
    return [
      {
        preset: seat.preset,
        hash: seat.hash,
        state: condition.state,
        ...(pid === undefined ? {} : { pid }),
        ...(heldBytes === undefined ? {} : { heldBytes }),
      },
    ];
  });
}

/** Throws PREFLIGHT_FAILED with every check that stands against it. */
export function refuseUnfit(plan: SwitchPlan): void {
  if (plan.fits) return;
  const against = plan.checks.filter(({ passed, severity }) => !passed && severity === "error");
  const { freeDuringBytes, marginBytes } = plan.memory;
  const tooLarge =
    `${plan.to} does not fit: ${formatBytes(freeDuringBytes)} would be free, and what starts needs more ` +
    `with the margin of ${formatBytes(marginBytes)}`;
  const fitting = plan.alternatives.find(({ fits }) => fits);
  throw new OperatorError("PREFLIGHT_FAILED", {
    message: against.length === 0 ? tooLarge : against.map(({ message }) => message).join("; "),
    received: plan.to,
    nextStep: fitting?.sentence ?? against[0]?.remedy ?? `see \`slipway mode plan ${plan.to}\``,
  });
}

/** Throws PRESET_NEEDED: to stop what rests on it unasked would take down what somebody else works with. */
export function refuseNeeded(state: FleetState, name: string): void {
  const seats = state.seats().filter(({ as }) => as === "ready");
  if (!seats.some(({ preset }) => preset.name === name)) return;
  const dependents = seats.flatMap(({ preset }) => (preset.dependsOn.includes(name) ? [preset.name] : []));
  if (dependents.length === 0) return;
  throw new OperatorError("PRESET_NEEDED", {
    message: `${name} is needed by what runs: ${dependents.join(", ")}`,
    received: name,
    nextStep: `stop ${dependents.join(", ")} first, or switch to a mode without them`,
  });
}
