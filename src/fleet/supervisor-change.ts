/** One change from wish to report: planned, checked, and carried out as a transaction. */
import type { SwitchReport } from "./control/protocol.ts";
import { planChange, refuseUnfit } from "./supervisor-plan.ts";
import type { Fleet } from "./supervisor-state.ts";
import { abortedUntouched } from "./switch-failure.ts";
import type { SwitchHandles, SwitchOrder } from "./switch.ts";
import { performSwitch } from "./switch.ts";

export type Wanted = Pick<SwitchOrder, "presets" | "untouched" | "mode">;

export interface Change {
  readonly label: string;
  /** The mode or preset it is about. */
  readonly to: string;
  readonly wanted: Wanted;
}

/** Throws only while nothing is touched: PREFLIGHT_FAILED, SWITCH_ABORTED, DISK_FULL. */
export async function carryOut(
  fleet: Fleet,
  { label, to, wanted }: Change,
  { steps, signal, ending }: SwitchHandles,
): Promise<SwitchReport> {
  const { state } = fleet;
  const plan = await steps.own({ step: "plan", message: `${label}: planning and checking` }, () =>
    planChange(fleet, to, wanted.presets),
  );
  refuseUnfit(plan);
  if (signal.aborted) throw abortedUntouched(signal.reason);
  const order: SwitchOrder = { label, plan, ...wanted };
  if (plan.start.length === 0 && plan.stop.length === 0 && wanted.mode === state.mode)
    return {
      outcome: "already-there",
      ...(state.mode === undefined ? {} : { mode: state.mode }),
      runs: plan.keep,
      steps: steps.steps,
      ...steps.times,
    };
  return performSwitch(fleet, order, { steps, signal, ending });
}
