/** Turns of a simulation, by role: the same table as of a measured run. */
import { nsToMs } from "../../core/units.ts";
import type { SimulatedAgent, SimulatedTurn, TurnOutcome } from "../../predict/simulate/simulate-workload.ts";
import type { TrialRoles } from "./role-table.ts";
import { TrialTally } from "./role-tally.ts";
import type { RoleTurnOutcome } from "./role-turn.ts";

const OUTCOMES: Readonly<Record<TurnOutcome, RoleTurnOutcome>> = {
  done: "done",
  refused: "refused",
  aborted: "failed",
  unfinished: "unfinished",
};

/** One simulation as one trial. Hand `add` to the simulation; `finish` when it has ended. */
export class SimulatedRoles {
  readonly #agents: readonly SimulatedAgent[];
  readonly #windowMs: number;
  readonly #tally: TrialTally;
  readonly #lastPrompt = new Map<number, number>();

  constructor(agents: readonly SimulatedAgent[], durationNs: number) {
    this.#agents = agents;
    this.#windowMs = nsToMs(durationNs);
    this.#tally = new TrialTally(new Map(agents.map(({ name, role }) => [name, role.name])));
  }

  add(turn: SimulatedTurn): void {
    const agent = this.#agents[turn.agent];
    if (agent === undefined) return;
    const turnMs = nsToMs(turn.endNs - turn.submittedNs);
    // A compaction makes a prompt shorter; what only grew is the conversation going on.
    const hasGrown = turn.promptTokens > (this.#lastPrompt.get(turn.agent) ?? Infinity);
    this.#lastPrompt.set(turn.agent, turn.promptTokens);
    this.#tally.add({
      role: agent.role.name,
      agent: agent.name,
      outcome: OUTCOMES[turn.outcome],
      turnMs,
      callMs: turnMs,
      outputTokens: turn.outputTokens,
      windowTokens: turn.outputTokens,
      promptTokens: turn.promptTokens,
      ...(turn.cachedTokens === undefined ? {} : { cachedTokens: turn.cachedTokens }),
      continues: agent.role.conversation.kind === "growing" && hasGrown,
      ...(turn.outcome === "done" && turn.cutByContext ? { contextFault: "cut" as const } : {}),
    });
  }

  finish(): TrialRoles {
    return { windowMs: this.#windowMs, roles: this.#tally.finish() };
  }
}
