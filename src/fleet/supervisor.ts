/**
 * The supervisor: the only thing that starts, stops or changes a server. It owns all state; a
 * caller asks for what should be so and is told the outcome.
 *
 * Commands that change something are taken one at a time. A second one while one runs is refused
 * with SWITCH_UNDER_WAY and the step that is being done: a queue would carry out a wish whose
 * reason may be gone by then. `status` answers at any time, also during recovery.
 */
import { OperatorError } from "../core/errors.ts";
import type { PresetCatalogue } from "../preset/catalogue.ts";
import { presetNamed, presetsOfMode } from "../preset/catalogue.ts";
import type { Preset } from "../preset/preset.ts";
import type { ControlProgress, FleetStatus, SwitchPlan, SwitchReport } from "./control/protocol.ts";
import { watchHealth } from "./health-loop.ts";
import { openJournal } from "./journal.ts";
import type { MemoryNeed } from "./memory-need.ts";
import { declaredNeed } from "./memory-need.ts";
import type { MemoryReading } from "./memory.ts";
import type { WantedPreset } from "./plan-switch.ts";
import { admits } from "./preset-state.ts";
import type { Loan, OnLoanTrouble } from "./loan.ts";
import { Loans } from "./loans.ts";
import { recover } from "./recover.ts";
import type { SafetyProfile } from "./safety-profile.ts";
import type { StateDisk } from "./supervisor-disk.ts";
import { type Wanted, carryOut } from "./supervisor-change.ts";
import { leaveAll, stopAll } from "./supervisor-end.ts";
import { EventLog } from "./supervisor-events.ts";
import { planChange, refuseNeeded } from "./supervisor-plan.ts";
import { Repairs } from "./supervisor-repair.ts";
import type { Fleet, Place, Propose, Server } from "./supervisor-state.ts";
import { FleetState } from "./supervisor-state.ts";
import { fleetStatus } from "./supervisor-status.ts";
import { Turn, claimOf } from "./supervisor-turn.ts";
import { SwitchAborted } from "./switch-failure.ts";
import { StepRecorder } from "./switch-steps.ts";
import { watchMemory } from "./watch-loop.ts";
import type { FleetWorld } from "./world.ts";

export type OnProgress = (progress: ControlProgress) => void;

export interface SupervisorParts {
  readonly world: FleetWorld;
  /** The state directory, mode 0700 and locked by the caller: `openStateDisk`. */
  readonly disk: StateDisk;
  /** Its path, for people. */
  readonly stateDirectory: string;
  /** Of this machine as it is now. */
  readonly profile: () => SafetyProfile;
  /** Where figures were parsed or measured; else what presets declare is all that is known. */
  readonly needOf?: (preset: Preset, reading: MemoryReading) => MemoryNeed | undefined;
  /** Read at every command, so that an edited file counts from the next one on. May throw an operator error. */
  readonly catalogue: () => PresetCatalogue;
  /** What would fit instead; without it a plan that does not fit offers nothing. */
  readonly propose?: Propose;
  readonly supervisorPid: number;
}

export interface Lease {
  readonly id: string;
  /** Idempotent. */
  release(): void;
}

export interface Supervisor {
  /**
   * Reads what the supervisor before left, finishes or puts back what it was doing, adopts its
   * living servers and stops its orphans; then watches. To be called once, before any command.
   * Resolves with what was found, in sentences; it does not fail for what a server does.
   */
  begin(onProgress?: OnProgress): Promise<readonly string[]>;
  /** At any time. */
  status(): Promise<FleetStatus>;
  /** At any time; changes nothing. Throws MODE_UNKNOWN, PRESET_UNKNOWN. */
  plan(mode: string): Promise<SwitchPlan>;
  /**
   * Makes this mode so, or puts everything back. Throws only when nothing was touched:
   * MODE_UNKNOWN, PRESET_UNKNOWN, SWITCH_UNDER_WAY, FLEET_LENT, PREFLIGHT_FAILED, DISK_FULL. An
   * abort of `signal` rolls back.
   */
  switchMode(mode: string, onProgress?: OnProgress, signal?: AbortSignal): Promise<SwitchReport>;
  /** Adds a preset to what runs. Throws as {@link switchMode}. */
  startPreset(preset: string, onProgress?: OnProgress, signal?: AbortSignal): Promise<SwitchReport>;
  /** Takes a preset out of what runs. Throws PRESET_NEEDED while others rest on it, else as {@link switchMode}. */
  stopPreset(preset: string, onProgress?: OnProgress): Promise<SwitchReport>;
  /** Lets a client in at a ready preset. Throws PRESET_UNKNOWN, LEASE_REFUSED. */
  lease(preset: string): Lease;
  /** Lends the machine. Throws FLEET_LENT, SWITCH_UNDER_WAY, DISK_FULL. */
  borrow(label: string, onTrouble: OnLoanTrouble): Promise<Loan>;
  /** The loan of this id. Throws LOAN_OVER. */
  loan(id: string): Loan;
  /**
   * Rolls back a switch under way, stops all servers or leaves them to the next supervisor, and
   * ends. Later commands throw SWITCH_UNDER_WAY. Running requests are waited for up to the presets'
   * limits; `now` cuts them off, also those that an earlier shutdown is waiting for.
   */
  shutdown(servers: "stop" | "keep", onProgress?: OnProgress, requests?: "drain" | "now"): Promise<void>;
  /** Resolves once a shutdown, whoever asked for it, is through. */
  readonly ended: Promise<void>;
}

export function createSupervisor(parts: SupervisorParts): Supervisor {
  return new OwningSupervisor(parts);
}

const NO_PROGRESS: OnProgress = () => undefined;

class OwningSupervisor implements Supervisor {
  readonly #parts: SupervisorParts;
  readonly #fleet: Fleet;
  readonly #turn = new Turn();
  readonly #repairs: Repairs;
  readonly #loans: Loans;
  /** Loops end. */
  readonly #watching = new AbortController();
  /** Nothing is started any more. */
  readonly #ending = new AbortController();
  /** Who ends us waits for requests no longer. */
  readonly #cut = new AbortController();
  readonly #watched = new WeakSet<Server>();
  #leases = 0;
  #end: () => void = () => undefined;
  readonly ended: Promise<void>;

  constructor(parts: SupervisorParts) {
    const { world, disk, catalogue, profile } = parts;
    this.#parts = parts;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#fleet = {
      world,
      disk,
      catalogue,
      profile,
      needOf: parts.needOf ?? declaredNeed,
      propose: parts.propose ?? (() => []),
      state: new FleetState((place) => this.#watchOnceReady(place)),
      journal: openJournal(disk),
      events: new EventLog(world.clock, disk),
      onExit: (server) => this.#onExit(server),
      onMemoryShort: (message) => this.#loans.memoryShort(message),
    };
    this.#repairs = new Repairs(this.#fleet, this.#turn, this.#watching.signal);
    this.#loans = new Loans(this.#fleet, this.#turn, this.#ending.signal);
  }

  async begin(onProgress = NO_PROGRESS): Promise<readonly string[]> {
    const found: string[] = [];
    const claim = claimOf("recovery", "what ran before", () => "recover");
    await this.#turn.command(claim, () =>
      recover(
        this.#fleet,
        (message, preset) => {
          found.push(message);
          this.#fleet.events.note(message, preset);
          onProgress({ step: "recover", ...(preset === undefined ? {} : { preset }), message });
        },
        this.#ending.signal,
      ),
    );
    void watchMemory(this.#fleet, this.#turn, this.#watching.signal);
    return found;
  }

  status(): Promise<FleetStatus> {
    return fleetStatus(this.#fleet, this.#parts, this.#turn.claim);
  }

  async plan(mode: string): Promise<SwitchPlan> {
    return planChange(this.#fleet, mode, presetsOfMode(this.#parts.catalogue(), mode));
  }

  switchMode(mode: string, onProgress = NO_PROGRESS, signal?: AbortSignal): Promise<SwitchReport> {
    const wanted = (): Wanted => ({ mode, presets: presetsOfMode(this.#parts.catalogue(), mode) });
    return this.#change(`switch to ${mode}`, mode, wanted, onProgress, signal);
  }

  startPreset(preset: string, onProgress = NO_PROGRESS, signal?: AbortSignal): Promise<SwitchReport> {
    const wanted = (): Wanted => {
      const entry = presetNamed(this.#parts.catalogue(), preset);
      return this.#besides(preset, [entry]);
    };
    return this.#change(`start of ${preset}`, preset, wanted, onProgress, signal);
  }

  stopPreset(preset: string, onProgress = NO_PROGRESS): Promise<SwitchReport> {
    const wanted = (): Wanted => {
      if (this.#fleet.state.known(preset)?.seat === undefined) presetNamed(this.#parts.catalogue(), preset);
      refuseNeeded(this.#fleet.state, preset);
      return this.#besides(preset, []);
    };
    return this.#change(`stop of ${preset}`, preset, wanted, onProgress, undefined);
  }

  lease(preset: string): Lease {
    const { state } = this.#fleet;
    if (state.known(preset)?.seat === undefined) presetNamed(this.#parts.catalogue(), preset);
    const place = state.place(preset);
    if (!admits(place.condition) || !state.admitting)
      throw new OperatorError("LEASE_REFUSED", {
        message: state.admitting
          ? `${preset} is ${place.condition.state}`
          : `${preset} admits nobody: memory is short`,
        received: preset,
        nextStep: "ask again when `slipway status` shows it ready",
      });
    const id = `lease-${++this.#leases}`;
    place.leases.add(id);
    return { id, release: () => void place.leases.delete(id) };
  }

  borrow(label: string, onTrouble: OnLoanTrouble): Promise<Loan> {
    return this.#loans.borrow(label, onTrouble);
  }

  loan(id: string): Loan {
    return this.#loans.named(id);
  }

  async shutdown(
    servers: "stop" | "keep",
    onProgress = NO_PROGRESS,
    requests: "drain" | "now" = "drain",
  ): Promise<void> {
    if (requests === "now") this.#cut.abort();
    if (requests === "now" && this.#ending.signal.aborted) return this.ended;
    this.#watching.abort();
    if (servers === "stop") this.#ending.abort();
    const steps = new StepRecorder(this.#fleet.world.clock, onProgress);
    const claim = claimOf("the end of the supervisor", "nothing", () => steps.current);
    await this.#turn.last(claim, "the supervisor ends", async () => {
      await this.#loans.end(servers);
      if (servers === "keep") return leaveAll(this.#fleet);
      await stopAll(this.#fleet, steps, this.#ending.signal, this.#cut.signal);
    });
    this.#end();
  }

  /** What runs, with this preset taken out and these put in. Edited files of the others count at the next switch. */
  #besides(name: string, added: readonly WantedPreset[]): Wanted {
    const { state } = this.#fleet;
    const others = state.seats().filter(({ preset }) => preset.name !== name);
    return {
      ...(state.mode === undefined ? {} : { mode: state.mode }),
      presets: [...others.filter(({ as }) => as === "ready"), ...added],
      untouched: others.filter(({ as }) => as === "failed"),
    };
  }

  #change(
    label: string,
    to: string,
    wanted: () => Wanted,
    onProgress: OnProgress,
    signal: AbortSignal | undefined,
  ): Promise<SwitchReport> {
    const steps = new StepRecorder(this.#fleet.world.clock, onProgress);
    const claim = claimOf(label, to, () => steps.current);
    const onAbort = (): void => claim.controller.abort(new SwitchAborted("its caller ended it"));
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    const handles = { steps, signal: claim.controller.signal, ending: this.#ending.signal };
    const work = async (): Promise<SwitchReport> => {
      this.#loans.refuseWhileLent();
      return carryOut(this.#fleet, { label, to, wanted: wanted() }, handles);
    };
    return this.#turn.command(claim, work).finally(() => signal?.removeEventListener("abort", onAbort));
  }

  #watchOnceReady(place: Place): void {
    const { server } = place;
    this.#loans.changed(place);
    if (place.condition.state !== "ready" || server === undefined || this.#watched.has(server)) return;
    this.#watched.add(server);
    const onDown = (why: string): void => this.#wentDown(place, why);
    void watchHealth(this.#fleet, place, server, this.#watching.signal, onDown);
  }

  #wentDown(place: Place, why: string): void {
    if (!this.#loans.fell(place, why)) void this.#repairs.wentDown(place, why);
  }

  #onExit(server: Server): void {
    const place = this.#fleet.state.place(server.seat.preset.name);
    if (place.server !== server || this.#watching.signal.aborted) return;
    const { state } = place.condition;
    if (state === "ready" || state === "draining") this.#wentDown(place, "its process ended by itself");
    if (state !== "asleep") return;
    delete place.server;
    delete place.seat;
    this.#fleet.state.apply(place, { kind: "gone", reason: "its process ended while it slept" });
    this.#fleet.events.warn(`${place.name} ended while it slept`, place.name);
  }
}
