/**
 * One change at a time. A person's command goes before the supervisor's own repairs, which give way
 * and come back; a second command is refused; memory running out calls a command off.
 */
import { OperatorError } from "../core/errors.ts";
import { SwitchAborted } from "./switch-failure.ts";

export interface Claim {
  readonly label: string;
  /** The mode or preset it is about, for `status`. */
  readonly to: string;
  /** Where it stands. */
  readonly step: () => string;
  readonly controller: AbortController;
}

export function claimOf(label: string, to: string, step: () => string): Claim {
  return { label, to, step, controller: new AbortController() };
}

interface Running {
  readonly controller: AbortController;
  readonly finished: Promise<void>;
}

export class Turn {
  #claim: Claim | undefined;
  #command: Running | undefined;
  #repair: Running | undefined;
  #ending = false;

  get claim(): Claim | undefined {
    return this.#claim;
  }

  /** Throws SWITCH_UNDER_WAY at once when another command runs or the supervisor ends. */
  async command<T>(claim: Claim, work: () => Promise<T>): Promise<T> {
    if (this.#ending || this.#claim !== undefined) throw this.#refusal();
    return this.#run(claim, work);
  }

  /** As a command, but what runs is called off and waited for. Of several, each has its turn. */
  async urgent(claim: Claim, why: string, work: () => Promise<void>): Promise<void> {
    while (this.#command !== undefined) {
      this.#command.controller.abort(new SwitchAborted(why));
      await this.#command.finished;
    }
    return this.#run(claim, work);
  }

  /** The last: no command is taken any more. */
  async last(claim: Claim, why: string, work: () => Promise<void>): Promise<void> {
    if (this.#ending) throw this.#refusal();
    this.#ending = true;
    return this.urgent(claim, why, work);
  }

  /** When nobody else wants it. The signal is aborted when a command comes; the repair may be asked again then. */
  async repair(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    for (;;) {
      const busy = this.#command ?? this.#repair;
      if (busy === undefined) break;
      await busy.finished;
    }
    if (this.#ending) return;
    const controller = new AbortController();
    const { running, end } = begun(controller);
    this.#repair = running;
    try {
      await work(controller.signal);
    } finally {
      this.#repair = undefined;
      end();
    }
  }

  async #run<T>(claim: Claim, work: () => Promise<T>): Promise<T> {
    const { running, end } = begun(claim.controller);
    this.#claim = claim;
    this.#command = running;
    try {
      while (this.#repair !== undefined) {
        this.#repair.controller.abort(new SwitchAborted("a command came"));
        await this.#repair.finished;
      }
      return await work();
    } finally {
      this.#claim = undefined;
      this.#command = undefined;
      end();
    }
  }

  #refusal(): OperatorError {
    const { label, step } = this.#claim ?? { label: "the end of the supervisor", step: () => "shutdown" };
    return new OperatorError("SWITCH_UNDER_WAY", {
      message: `${label} is under way, at the step ${step()}`,
      nextStep: "wait until it is done (`slipway status --watch`), then ask again",
    });
  }
}

function begun(controller: AbortController): { readonly running: Running; readonly end: () => void } {
  let end: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { running: { controller, finished }, end };
}
