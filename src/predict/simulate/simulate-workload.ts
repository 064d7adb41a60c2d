/**
 * Agents in closed loops against simulated servers, in virtual time: one queue of events, no clock,
 * the same bytes for the same input. At one instant steps end first, then turns arrive, then the
 * next steps begin.
 */
import { assert, defined } from "../../core/assert.ts";
import type { Role } from "../../workload/role.ts";
import { EventQueue } from "./event-queue.ts";
import { RoleTurns } from "./role-turns.ts";
import type { Turn } from "./role-turns.ts";
import type { RequestTimings, Step, StepOutcome } from "./simulated-request.ts";
import { SlotEngine } from "./slot-engine.ts";
import type { SlotEngineOptions } from "./slot-engine-options.ts";
import type { StepReach } from "./step-timer.ts";

export interface SimulatedAgent {
  readonly name: string;
  readonly role: Role;
  /** Index of its server. */
  readonly server: number;
  /** When its first turn starts; absent: at once. */
  readonly startNs?: number;
}

export interface WorkloadOptions {
  readonly servers: readonly SlotEngineOptions[];
  readonly agents: readonly SimulatedAgent[];
  readonly durationNs: number;
  /** `one-step` is for the test that shows both to be the same. */
  readonly reach?: StepReach;
}

/**
 * How a turn ended. `refused`: its prompt does not fit the context; the agent stops, for the next
 * would not either. `aborted`: the shared cache was full. `unfinished`: the time was over.
 */
export type TurnOutcome = "done" | "refused" | "aborted" | "unfinished";

export interface SimulatedTurn {
  /** Index into the agents. */
  readonly agent: number;
  readonly position: number;
  readonly outcome: TurnOutcome;
  readonly submittedNs: number;
  /** The last token came out, or the turn ended otherwise. */
  readonly endNs: number;
  readonly promptTokens: number;
  /** Tokens that came out, before the time was over. */
  readonly outputTokens: number;
  /** The context left less room than the answer wanted. */
  readonly cutByContext: boolean;
  /** Absent for a turn that got no slot. */
  readonly startedNs?: number;
  /** Absent for a turn without a token. */
  readonly firstTokenNs?: number;
  readonly cachedTokens?: number;
}

/** `place` is the server's index, or the agent's. */
type Event =
  | {
      readonly kind: "step-end";
      readonly rank: 0;
      readonly atNs: number;
      readonly place: number;
      readonly version: number;
    }
  | { readonly kind: "turn"; readonly rank: 1; readonly atNs: number; readonly place: number }
  | { readonly kind: "step-begin"; readonly rank: 2; readonly atNs: number; readonly place: number };

interface Server {
  readonly engine: SlotEngine;
  step: Step | undefined;
  /** Step ends in the queue with another number are of steps that were cut since. */
  version: number;
}

interface Out {
  readonly turn: Turn;
  readonly submittedNs: number;
  readonly cutByContext: boolean;
}

interface Agent {
  readonly turns: RoleTurns;
  readonly server: number;
  position: number;
  out: Out | undefined;
}

/** Hands each turn to `onTurn` when it ends; what is under way at the end comes last, in the order of the agents. */
export function simulateWorkload(options: WorkloadOptions, onTurn: (turn: SimulatedTurn) => void): void {
  new Workload(options, onTurn).run();
}

class Workload {
  readonly #options: WorkloadOptions;
  readonly #onTurn: (turn: SimulatedTurn) => void;
  readonly #servers: readonly Server[];
  readonly #agents: readonly Agent[];
  readonly #queue = new EventQueue<Event>();

  constructor(options: WorkloadOptions, onTurn: (turn: SimulatedTurn) => void) {
    this.#options = options;
    this.#onTurn = onTurn;
    this.#servers = options.servers.map((server) => ({
      engine: new SlotEngine(server),
      step: undefined,
      version: 0,
    }));
    this.#agents = options.agents.map(({ role, server }, agent) => {
      const { contextTokens } = defined(options.servers[server], "the agent's server").defaults;
      return { turns: new RoleTurns(role, agent, contextTokens), server, position: 0, out: undefined };
    });
  }

  run(): void {
    for (const [agent, { startNs = 0 }] of this.#options.agents.entries())
      this.#queue.push({ kind: "turn", rank: 1, atNs: startNs, place: agent });
    for (;;) {
      const event = this.#queue.pop();
      if (event === undefined || event.atNs >= this.#options.durationNs) break;
      switch (event.kind) {
        case "step-end":
          this.#endStep(event.place, event.version, event.atNs);
          break;
        case "turn":
          this.#submit(event.place, event.atNs);
          break;
        case "step-begin":
          this.#beginStep(event.place, event.atNs);
          break;
      }
    }
    this.#finish();
  }

  #submit(index: number, nowNs: number): void {
    const agent = this.#agentAt(index);
    const server = this.#serverAt(agent.server);
    const turn = agent.turns.next();
    const admission = server.engine.submit({ id: String(index), ...turn }, nowNs);
    if (admission.kind === "refused") {
      this.#report(index, { turn, submittedNs: nowNs, cutByContext: false }, "refused", nowNs);
      return;
    }
    agent.out = { turn, submittedNs: nowNs, cutByContext: admission.cutByContext };
    if (server.step === undefined)
      this.#queue.push({ kind: "step-begin", rank: 2, atNs: nowNs, place: agent.server });
    else if (server.engine.hasRoom) this.#expectEnd(agent.server, server.engine.cutStep(nowNs));
  }

  #beginStep(index: number, nowNs: number): void {
    const server = this.#serverAt(index);
    // Two turns of one instant ask for the same step.
    if (server.step !== undefined || server.engine.nextStartNs() === undefined) return;
    this.#expectEnd(index, server.engine.beginStep(nowNs, this.#options.reach ?? "until-change"));
  }

  #expectEnd(index: number, step: Step): void {
    const server = this.#serverAt(index);
    if (server.step?.endNs !== step.endNs)
      this.#queue.push({
        kind: "step-end",
        rank: 0,
        atNs: step.endNs,
        place: index,
        version: ++server.version,
      });
    server.step = step;
  }

  #endStep(index: number, version: number, nowNs: number): void {
    const server = this.#serverAt(index);
    if (version !== server.version) return;
    server.step = undefined;
    this.#settle(server.engine.completeStep("last"));
    this.#queue.push({ kind: "step-begin", rank: 2, atNs: nowNs, place: index });
  }

  #settle({ emissions, aborted, atNs }: StepOutcome): void {
    for (const { id, timings, isLast } of emissions) if (isLast) this.#end(Number(id), "done", atNs, timings);
    for (const { id, timings } of aborted) this.#end(Number(id), "aborted", atNs, timings);
  }

  #end(index: number, outcome: "done" | "aborted", atNs: number, timings: RequestTimings): void {
    const agent = this.#agentAt(index);
    const out = defined(agent.out, "the turn that ends");
    agent.out = undefined;
    this.#report(index, out, outcome, atNs, timings);
    if (outcome === "done") agent.turns.answered(timings.outputTokens);
    agent.position++;
    const nextNs = agent.turns.nextStartNs(out.submittedNs, atNs);
    this.#queue.push({ kind: "turn", rank: 1, atNs: nextNs, place: index });
  }

  /** The time is over: each turn under way is reported with the tokens that came out before. */
  #finish(): void {
    const { durationNs } = this.#options;
    const running = new Map<number, RequestTimings>();
    for (const { engine } of this.#servers)
      for (const { id, timings } of engine.runningBefore(durationNs)) running.set(Number(id), timings);
    for (const [index, { out }] of this.#agents.entries())
      if (out !== undefined) this.#report(index, out, "unfinished", durationNs, running.get(index));
  }

  #report(index: number, out: Out, outcome: TurnOutcome, endNs: number, timings?: RequestTimings): void {
    assert(endNs >= out.submittedNs, "a turn ends after it began");
    this.#onTurn({
      agent: index,
      position: this.#agentAt(index).position,
      outcome,
      submittedNs: out.submittedNs,
      endNs,
      promptTokens: out.turn.promptTokens,
      outputTokens: timings?.outputTokens ?? 0,
      cutByContext: out.cutByContext,
      ...(timings === undefined ? {} : { startedNs: timings.startedNs, cachedTokens: timings.cachedTokens }),
      ...(timings === undefined || timings.outputTokens === 0 ? {} : { firstTokenNs: timings.firstTokenNs }),
    });
  }

  #agentAt(index: number): Agent {
    return defined(this.#agents[index], "an agent");
  }

  #serverAt(index: number): Server {
    return defined(this.#servers[index], "a server");
  }
}
