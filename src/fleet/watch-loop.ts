/** Looks at memory while servers run, and gives up what the watchdog says must be given up. */
import { NS_PER_MS } from "../core/units.ts";
import type { Fleet, Place } from "./supervisor-state.ts";
import { heldBytesOf, settleOrWarn } from "./supervisor-state.ts";
import type { Turn } from "./supervisor-turn.ts";
import { endServer } from "./switch-acts.ts";
import { pauseUntil } from "./switch-wait.ts";
import type { WatchdogAction } from "./watchdog.ts";
import { WATCHING, watchdogStep } from "./watchdog.ts";

const STOPPED_BECAUSE = "stopped because memory ran short";

/** Runs until the supervisor ends. */
export async function watchMemory(fleet: Fleet, turn: Turn, ended: AbortSignal): Promise<void> {
  const { clock } = fleet.world;
  let watchdog = WATCHING;
  while (!ended.aborted) {
    const limits = fleet.profile().watchdog;
    await pauseUntil(clock, clock.nowNs() + limits.pollMs * NS_PER_MS, ended);
    const reading = await fleet.world.memory();
    if (ended.aborted) return;
    const servers = running(fleet).map((place) => {
      const heldBytes = heldBytesOf(place, reading);
      return {
        preset: place.name,
        priority: place.server?.seat.preset.priority ?? 0,
        ...(heldBytes === undefined ? {} : { heldBytes }),
      };
    });
    const step = watchdogStep(watchdog, reading, clock.nowNs(), limits, servers);
    watchdog = step.state;
    if (step.actions.some((action) => action.do === "stop-admitting"))
      fleet.onMemoryShort(step.actions.flatMap((one) => (one.do === "record" ? one.message : [])).join("; "));
    for (const action of step.actions) await act(fleet, turn, action);
  }
}

function running({ state }: Fleet): readonly Place[] {
  return state.places().filter(({ server }) => server !== undefined);
}

async function act(fleet: Fleet, turn: Turn, action: WatchdogAction): Promise<void> {
  switch (action.do) {
    case "record":
      return fleet.events.warn(action.message);
    case "stop-admitting":
      fleet.state.admitting = false;
      return;
    case "admit":
      fleet.state.admitting = true;
      return;
    case "stop-preset":
      return giveUp(fleet, turn, (place) => place.name === action.preset);
    case "stop-all":
      return giveUp(fleet, turn, () => true);
  }
}

/** A switch under way is called off first: it would start more. */
async function giveUp(fleet: Fleet, turn: Turn, isMeant: (place: Place) => boolean): Promise<void> {
  const claim = {
    label: "giving up memory",
    to: "less",
    step: () => "stop",
    controller: new AbortController(),
  };
  await turn.urgent(claim, "memory ran short", async () => {
    await Promise.all(
      running(fleet)
        .filter(isMeant)
        .map((place) => endServer(fleet, place, STOPPED_BECAUSE)),
    );
    settleOrWarn(fleet);
  });
}
