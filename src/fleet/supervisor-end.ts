/** The end of a supervisor: its servers with it, or left to the next one. */
import { OperatorError } from "../core/errors.ts";
import type { Fleet } from "./supervisor-state.ts";
import { settleOrWarn } from "./supervisor-state.ts";
import { endServer } from "./switch-acts.ts";
import type { StepRecorder } from "./switch-steps.ts";
import type { SwitchOrder } from "./switch.ts";
import { performSwitch } from "./switch.ts";

/** Running requests are waited for as in any switch, until `cut` is aborted. */
export async function stopAll(
  fleet: Fleet,
  steps: StepRecorder,
  ending: AbortSignal,
  cut: AbortSignal,
): Promise<void> {
  const everything = fleet.state.places();
  const order: SwitchOrder = {
    label: "the end of the supervisor",
    plan: { keep: [], stop: everything.map(({ name }) => ({ preset: name, how: "stop" })), start: [] },
    presets: [],
    cut,
  };
  try {
    await performSwitch(fleet, order, { steps, signal: new AbortController().signal, ending });
  } catch (thrown) {
    if (!(thrown instanceof OperatorError)) throw thrown;
    // The disk is full: what ran is stopped all the same, and the next supervisor finds it gone.
    fleet.events.warn(thrown.message);
    await Promise.all(everything.map((place) => endServer(fleet, place)));
  }
}

export async function leaveAll(fleet: Fleet): Promise<void> {
  settleOrWarn(fleet);
  const clients = fleet.state.places().flatMap(({ server }) => server?.client ?? []);
  await Promise.all(clients.map((client) => client.close()));
}
