/** Lends the machine to one borrower at a time, and sees to it that what ran before comes back. */
import { OperatorError } from "../core/errors.ts";
import type { PresetCatalogue } from "../preset/catalogue.ts";
import { presetHash } from "../preset/preset-hash.ts";
import type { Preset } from "../preset/preset.ts";
import type { ControlProgress, SwitchReport } from "./control/protocol.ts";
import type { Loan, OnLoanTrouble } from "./loan.ts";
import { carryOut } from "./supervisor-change.ts";
import type { Fleet, Place } from "./supervisor-state.ts";
import { newId, settle, settleOrWarn } from "./supervisor-state.ts";
import type { Turn } from "./supervisor-turn.ts";
import { claimOf } from "./supervisor-turn.ts";
import { SwitchAborted, presetFailure } from "./switch-failure.ts";
import { putBack } from "./switch-put-back.ts";
import { StepRecorder } from "./switch-steps.ts";

type OnProgress = (progress: ControlProgress) => void;

/** While a sweep has the machine nothing sleeps: a sleeper would hold memory that is being measured. */
const NO_SLEEPERS: PresetCatalogue = { presets: new Map(), modes: new Map() };

interface Current extends Loan {
  readonly label: string;
  readonly ended: AbortController;
  readonly onTrouble: OnLoanTrouble;
}

export class Loans {
  readonly #fleet: Fleet;
  readonly #turn: Turn;
  /** Nothing is started any more. */
  readonly #ending: AbortSignal;
  #current: Current | undefined;

  constructor(fleet: Fleet, turn: Turn, ending: AbortSignal) {
    this.#fleet = fleet;
    this.#turn = turn;
    this.#ending = ending;
  }

  /** Throws FLEET_LENT, which names the borrower. */
  refuseWhileLent(): void {
    if (this.#current === undefined) return;
    throw new OperatorError("FLEET_LENT", {
      message: `the machine is lent to ${this.#current.label}`,
      nextStep: "wait until it is given back (`slipway status --watch`), or end the borrower with Ctrl-C",
    });
  }

  /** What runs now is on the disk as what is to come back, before anything is touched. */
  async borrow(label: string, onTrouble: OnLoanTrouble): Promise<Loan> {
    this.refuseWhileLent();
    const { state, world, events } = this.#fleet;
    await this.#turn.command(
      claimOf(`loan to ${label}`, label, () => "note"),
      async () => {
        state.lent = {
          label,
          ...(state.mode === undefined ? {} : { mode: state.mode }),
          seats: state.seats(),
        };
        try {
          settle(this.#fleet);
        } catch (thrown) {
          state.lent = undefined;
          throw thrown;
        }
      },
    );
    const current = this.#loanOf(newId(world, "loan"), label, onTrouble);
    this.#current = current;
    events.note(`the machine is lent to ${label}`);
    return current;
  }

  /** Throws LOAN_OVER for any other than the one there is. */
  named(id: string): Loan {
    if (this.#current?.id === id) return this.#current;
    throw loanOver("there is no such loan any more");
  }

  /** To be told of every change: of a lent server that is being lost the borrower hears why. */
  changed({ name, condition }: Place): void {
    const { state, reason } = condition;
    if (reason !== undefined && (state === "stopping" || state === "failed"))
      this.#current?.onTrouble({ kind: "server-lost", preset: name, message: reason });
  }

  memoryShort(message: string): void {
    this.#current?.onTrouble({ kind: "memory-short", message });
  }

  /** A lent server fell. It is left as it is: starting it again would hide what was measured. */
  fell(place: Place, why: string): boolean {
    if (this.#current === undefined) return false;
    const told = { code: "PROCESS_FAILED", message: why, nextStep: "read its log" } as const;
    const { message } = presetFailure(this.#fleet, "health", place.name, told, place.server?.exit).failure;
    this.#fleet.state.apply(place, { kind: "went-down", reason: message });
    this.#fleet.state.apply(place, { kind: "gave-up", reason: message });
    return true;
  }

  /** For the end of the supervisor, which has the turn: puts back what is to run on, or forgets it. */
  async end(servers: "stop" | "keep"): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    if (servers === "keep") await this.#restore("the supervisor ends");
    else this.#forget();
    current.ended.abort(loanOver("the supervisor ended"));
  }

  #loanOf(id: string, label: string, onTrouble: OnLoanTrouble): Current {
    const ended = new AbortController();
    let returned: Promise<SwitchReport> | undefined;
    return {
      id,
      label,
      ended,
      onTrouble,
      over: ended.signal,
      use: (presets, onProgress, signal) => this.#use(id, label, presets, onProgress, signal),
      giveBack: (onProgress = () => undefined) => {
        returned ??= this.#giveBack(id, label, onProgress);
        return returned;
      },
    };
  }

  async #use(
    id: string,
    label: string,
    presets: readonly Preset[],
    onProgress: OnProgress = () => undefined,
    signal?: AbortSignal,
  ): Promise<SwitchReport> {
    this.named(id);
    const steps = new StepRecorder(this.#fleet.world.clock, onProgress);
    const claim = claimOf(label, presets.at(-1)?.name ?? label, () => steps.current);
    const onAbort = (): void => claim.controller.abort(new SwitchAborted("its borrower ended it"));
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    const wanted = { presets: presets.map((preset) => ({ preset, hash: presetHash(preset) })) };
    const fleet = { ...this.#fleet, catalogue: () => NO_SLEEPERS };
    try {
      return await this.#turn.command(claim, () =>
        carryOut(
          fleet,
          { label, to: claim.to, wanted },
          { steps, signal: claim.controller.signal, ending: this.#ending },
        ),
      );
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** A use under way is called off. */
  async #giveBack(id: string, label: string, onProgress: OnProgress): Promise<SwitchReport> {
    this.named(id);
    const { state, world } = this.#fleet;
    const steps = new StepRecorder(world.clock, onProgress);
    const claim = claimOf(`return of ${label}`, state.lent?.mode ?? "what ran before", () => "put-back");
    let notPutBack: SwitchReport["notPutBack"];
    await this.#turn.urgent(claim, "the machine is given back", async () => {
      if (this.#current?.id !== id) return;
      const message = `${label} gives the machine back: what ran before runs again`;
      notPutBack = await steps.engines({ step: "put-back", message }, () => this.#restore(message));
    });
    return {
      outcome: "committed",
      ...(state.mode === undefined ? {} : { mode: state.mode }),
      ...(notPutBack === undefined || notPutBack.length === 0 ? {} : { notPutBack }),
      runs: state.places().flatMap(({ name, condition }) => (condition.state === "ready" ? [name] : [])),
      steps: steps.steps,
      ...steps.times,
    };
  }

  async #restore(reason: string): ReturnType<typeof putBack> {
    const { state, events } = this.#fleet;
    const { lent } = state;
    const failures =
      lent === undefined
        ? []
        : await putBack(this.#fleet, lent.seats, { step: "give-back", reason }, this.#ending);
    for (const { preset, message } of failures)
      events.warn(`${preset ?? "a preset"} could not be put back: ${message}`, preset);
    state.mode = lent?.mode;
    this.#forget();
    settleOrWarn(this.#fleet);
    events.note(reason);
    return failures;
  }

  #forget(): void {
    this.#current?.ended.abort(loanOver("the machine was given back"));
    this.#current = undefined;
    this.#fleet.state.lent = undefined;
  }
}

function loanOver(why: string): OperatorError {
  return new OperatorError("LOAN_OVER", {
    message: why,
    nextStep: "look at what runs now with: slipway status",
  });
}
