/**
 * The life of one preset: named states, events, and one transition function. Nothing else changes
 * a state, so an impossible order of events is found where it happens, not where it hurts.
 */
import { assert } from "../core/assert.ts";
import type { PresetState } from "./control/protocol.ts";

export interface PresetCondition {
  readonly state: PresetState;
  /** Why it is so, when that is not by wish. */
  readonly reason?: string;
}

export type PresetEvent =
  /** Its process is being started, woken or adopted. */
  | { readonly kind: "start" }
  /** It is healthy and, where it can be asked, has given a token. */
  | { readonly kind: "became-ready" }
  | { readonly kind: "drain"; readonly reason?: string }
  /** A drain is called off. */
  | { readonly kind: "admit" }
  | { readonly kind: "fell-asleep" }
  | { readonly kind: "stop"; readonly reason?: string }
  /** Its process is gone; also when one that slept died. */
  | { readonly kind: "gone"; readonly reason?: string }
  | { readonly kind: "went-down"; readonly reason: string }
  | { readonly kind: "gave-up"; readonly reason: string };

type EventKind = PresetEvent["kind"];

/** Where each event leads; what does not stand here must not happen. */
const TRANSITIONS: Readonly<Record<PresetState, Partial<Readonly<Record<EventKind, PresetState>>>>> = {
  // A preset that was given up on stays so for the next supervisor, which begins with all stopped.
  stopped: { start: "starting", "gave-up": "failed" },
  starting: {
    "became-ready": "ready",
    // An adopted one turns out to sleep, or a wake that failed is taken back.
    "fell-asleep": "asleep",
    stop: "stopping",
    "gave-up": "failed",
  },
  ready: { drain: "draining", stop: "stopping", "went-down": "restarting", "gave-up": "failed" },
  draining: { admit: "ready", "fell-asleep": "asleep", stop: "stopping", "went-down": "restarting" },
  asleep: { start: "starting", stop: "stopping", gone: "stopped" },
  stopping: { gone: "stopped", "gave-up": "failed" },
  restarting: { start: "starting", "became-ready": "ready", stop: "stopping", "gave-up": "failed" },
  failed: { start: "starting", stop: "stopping" },
};

export const INITIAL_CONDITION: PresetCondition = { state: "stopped" };

/** The condition after an event. An event that cannot happen in this state is a failed assertion. */
export function transition(condition: PresetCondition, event: PresetEvent): PresetCondition {
  const state = TRANSITIONS[condition.state][event.kind];
  assert(state !== undefined, `a preset that is ${condition.state} cannot take the event ${event.kind}`);
  const reason = "reason" in event ? event.reason : undefined;
  return reason === undefined ? { state } : { state, reason };
}

/** Only a ready preset lets clients in. */
export function admits(condition: PresetCondition): boolean {
  return condition.state === "ready";
}
