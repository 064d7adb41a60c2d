/**
 * HiGHS in a thread of its own, so that the event loop never waits for a solve. The thread is started
 * by the first program and replaced when it dies or does not come back in time.
 */
import { Worker } from "node:worker_threads";
import type { Clock, Timer } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import { sToNs } from "../../core/units.ts";
import type { LinearProgram, LinearSolver, SolveLimits, SolverAnswer } from "./linear-program.ts";

export interface SolverTask {
  readonly id: number;
  readonly program: LinearProgram;
  readonly limits: SolveLimits;
}

export interface SolverReply {
  readonly id: number;
  readonly answer: SolverAnswer;
}

/** Where a caller sets no time limit. */
const DEFAULT_TIME_LIMIT_S = 60;

/** HiGHS looks at its clock between steps, and a step of a large program takes seconds. After this, the thread is ended. */
const GRACE_S = 10;

interface Waiting {
  readonly task: SolverTask;
  readonly resolve: (answer: SolverAnswer) => void;
}

export interface SolverThread extends LinearSolver {
  /** Ends the thread; what is still waited for is answered as stopped. */
  close(): Promise<void>;
}

export function solverInWorker(clock: Clock): SolverThread {
  return new WorkerSolver(clock);
}

class WorkerSolver implements SolverThread {
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  #worker: Worker | undefined;
  #alarm: Timer | undefined;
  #nextId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  solve(program: LinearProgram, limits: SolveLimits = {}): Promise<SolverAnswer> {
    return new Promise((resolve) => {
      const timeLimitS = limits.timeLimitS ?? DEFAULT_TIME_LIMIT_S;
      this.#waiting.push({
        task: { id: this.#nextId++, program, limits: { ...limits, timeLimitS } },
        resolve,
      });
      if (this.#waiting.length === 1) this.#sendFirst();
    });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    for (const { resolve } of this.#waiting.splice(0))
      resolve({ kind: "stopped", reason: "the solver was closed" });
    this.#alarm?.cancel();
    await worker?.terminate();
  }

  /** One at a time, so that a time limit counts from the start of its own program. */
  #sendFirst(): void {
    const first = this.#waiting[0];
    if (first === undefined) {
      // An idle solver keeps no process alive.
      this.#worker?.unref();
      return;
    }
    const worker = this.#thread();
    worker.ref();
    const limitS = (first.task.limits.timeLimitS ?? DEFAULT_TIME_LIMIT_S) + GRACE_S;
    this.#alarm = this.#clock.timerAt(this.#clock.nowNs() + sToNs(limitS), () =>
      this.#replace(`the solver did not come back within ${limitS} s`),
    );
    worker.postMessage(first.task);
  }

  #thread(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(new URL("./worker-main.js", import.meta.url));
    worker.on("message", ({ id, answer }: SolverReply) => {
      if (this.#waiting[0]?.task.id === id) this.#answerFirst(answer);
    });
    worker.on("error", (thrown: unknown) => {
      if (this.#worker === worker) this.#replace(`the solver failed: ${messageOf(thrown)}`);
    });
    this.#worker = worker;
    return worker;
  }

  #answerFirst(answer: SolverAnswer): void {
    this.#alarm?.cancel();
    this.#waiting.shift()?.resolve(answer);
    this.#sendFirst();
  }

  #replace(reason: string): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
    this.#answerFirst({ kind: "stopped", reason });
  }
}
