/** A preset that went down is started again, later each time, until it has crashed too often. */
import { NS_PER_MS } from "../core/units.ts";
import type { CrashHistory } from "./restart-policy.ts";
import { NO_CRASHES, afterCrash } from "./restart-policy.ts";
import type { Fleet, Place } from "./supervisor-state.ts";
import { settleOrWarn, withForgivingJournal } from "./supervisor-state.ts";
import type { Turn } from "./supervisor-turn.ts";
import { becomeReady, endProcess, startServer, stuckFailure } from "./switch-acts.ts";
import { asStepFailure, presetFailure } from "./switch-failure.ts";
import { awaitMemoryFor } from "./switch-memory.ts";
import { pauseUntil } from "./switch-wait.ts";

export class Repairs {
  readonly #fleet: Fleet;
  readonly #turn: Turn;
  readonly #ended: AbortSignal;
  readonly #crashes = new Map<string, CrashHistory>();
  readonly #underWay = new Set<string>();
  /** Why the last restart of each failed: it tells more than the fall that led to it. */
  readonly #causes = new Map<string, string>();

  constructor(fleet: Fleet, turn: Turn, ended: AbortSignal) {
    this.#fleet = withForgivingJournal(fleet);
    this.#turn = turn;
    this.#ended = ended;
  }

  /** The server counts as down: from now on it is being repaired. */
  async wentDown(place: Place, why: string): Promise<void> {
    const { state, events } = this.#fleet;
    const exit = place.server?.exit;
    const told = { code: "PROCESS_FAILED", message: why, nextStep: "read its log" } as const;
    const reason = presetFailure(this.#fleet, "health", place.name, told, exit).message;
    state.apply(place, { kind: "went-down", reason });
    events.warn(`${place.name} is down: ${reason}`, place.name);
    this.#causes.set(place.name, reason);
    if (this.#underWay.has(place.name)) return;
    this.#underWay.add(place.name);
    try {
      await this.#repair(place);
    } finally {
      this.#underWay.delete(place.name);
    }
  }

  async #repair(place: Place): Promise<void> {
    const { clock } = this.#fleet.world;
    let crashed = true;
    while (isDown(place) && !this.#ended.aborted) {
      if (crashed) {
        const decision = afterCrash(this.#crashes.get(place.name) ?? NO_CRASHES, clock.nowNs());
        this.#crashes.set(place.name, decision.history);
        if (decision.kind === "give-up") {
          const often = `${decision.crashes} crashes within ${decision.withinMs / 1000} s`;
          await this.#turn.repair(() => this.#giveUp(place, often));
          return;
        }
        await pauseUntil(clock, clock.nowNs() + decision.waitMs * NS_PER_MS, this.#ended);
      }
      await this.#turn.repair(async (signal) => {
        crashed = await this.#attempt(place, signal);
      });
    }
  }

  /** True when it was tried and counts as another crash; false when it worked, or gave way. */
  async #attempt(place: Place, signal: AbortSignal): Promise<boolean> {
    const { seat } = place;
    if (!isDown(place) || seat === undefined || this.#ended.aborted) return false;
    try {
      await this.#endRemains(place);
      if (!isDown(place)) return false;
      await awaitMemoryFor(this.#fleet, seat.preset, "start", signal);
      await becomeReady(this.#fleet, await startServer(this.#fleet, seat, signal));
      place.restarts++;
      this.#fleet.events.note(`${place.name} was started again`, place.name);
      settleOrWarn(this.#fleet);
      return true;
    } catch (thrown) {
      const { failure } = asStepFailure(thrown, "restart", place.name);
      await this.#endRemains(place);
      if (signal.aborted) return false;
      this.#causes.set(place.name, failure.message);
      this.#fleet.events.warn(`${place.name} could not be started again: ${failure.message}`, place.name);
      settleOrWarn(this.#fleet);
      return true;
    }
  }

  async #endRemains(place: Place): Promise<void> {
    const { server } = place;
    if (server === undefined) return;
    const { state } = this.#fleet;
    const stuck = await endProcess(this.#fleet, server);
    delete place.server;
    if (stuck === undefined) return;
    state.leftovers.push(server);
    this.#fallen(place, stuckFailure(this.#fleet, place.name).message);
  }

  async #giveUp(place: Place, often: string): Promise<void> {
    if (!isDown(place)) return;
    const reason = this.#causes.get(place.name);
    await this.#endRemains(place);
    if (isDown(place)) this.#fallen(place, `${often}; ${reason ?? "no cause is known"}`);
  }

  #fallen(place: Place, reason: string): void {
    this.#fleet.state.apply(place, { kind: "gave-up", reason });
    this.#fleet.events.warn(`${place.name} has failed and is left alone: ${reason}`, place.name);
    settleOrWarn(this.#fleet);
  }
}

function isDown(place: Place): boolean {
  return place.condition.state === "restarting";
}
