/** The turns of one trial, added up by role as they come. Memory grows by one number a turn. */
import type { ContextFault, RoleTurn, RoleTurnOutcome } from "./role-turn.ts";

/**
 * A turn that continues a conversation finds it in the server's cache, but for its last tokens and
 * what a template renders otherwise the second time. With less than this share of it, its slot was
 * given to somebody else.
 */
const CACHE_KEPT_SHARE = 0.5;

export interface RoleTally {
  readonly role: string;
  readonly agents: ReadonlySet<string>;
  readonly outcomes: Readonly<Record<RoleTurnOutcome, number>>;
  readonly contextFaults: Readonly<Record<ContextFault, number>>;
  /** Turns that continued a conversation, and said how much of it was cached. */
  readonly continued: number;
  /** Of these, the ones whose cache was gone. */
  readonly lostCaches: number;
  readonly windowTokens: number;
  /** Of turns that are done and have a count. */
  readonly callTokens: number;
  readonly callMs: number;
  /** Of turns that are done. */
  readonly turnsMs: readonly number[];
  readonly longestUnfinishedMs: number | undefined;
}

/** The tally while it is made. */
interface OpenTally extends RoleTally {
  readonly agents: Set<string>;
  readonly outcomes: Record<RoleTurnOutcome, number>;
  readonly contextFaults: Record<ContextFault, number>;
  continued: number;
  lostCaches: number;
  windowTokens: number;
  callTokens: number;
  callMs: number;
  readonly turnsMs: number[];
  longestUnfinishedMs: number | undefined;
}

export class TrialTally {
  readonly #roles = new Map<string, OpenTally>();
  /** Prompt tokens of each agent's last turn, where it is done. */
  readonly #lastPrompt = new Map<string, number>();

  /** `seats`: every agent with its role, so that a silent one is counted too. */
  constructor(seats: ReadonlyMap<string, string>) {
    for (const [agent, role] of seats) this.#of(role).agents.add(agent);
  }

  /** Of one agent in the order they were taken. */
  add(turn: RoleTurn): void {
    const tally = this.#of(turn.role);
    tally.agents.add(turn.agent);
    tally.outcomes[turn.outcome]++;
    tally.windowTokens += turn.windowTokens;
    if (turn.contextFault !== undefined) tally.contextFaults[turn.contextFault]++;
    if (turn.outcome === "done") {
      tally.turnsMs.push(turn.turnMs);
      if (turn.outputTokens !== undefined && turn.callMs !== undefined) {
        tally.callTokens += turn.outputTokens;
        tally.callMs += turn.callMs;
      }
    }
    if (turn.outcome === "unfinished")
      tally.longestUnfinishedMs = Math.max(tally.longestUnfinishedMs ?? 0, turn.turnMs);
    this.#watchCache(turn, tally);
  }

  /** Tokens that are known better now than when their turn was added. */
  correct(role: string, windowTokens: number): void {
    this.#of(role).windowTokens += windowTokens;
  }

  finish(): readonly RoleTally[] {
    return [...this.#roles.values()];
  }

  #watchCache(turn: RoleTurn, tally: OpenTally): void {
    const before = this.#lastPrompt.get(turn.agent);
    if (turn.outcome !== "done" || turn.promptTokens === undefined) this.#lastPrompt.delete(turn.agent);
    else this.#lastPrompt.set(turn.agent, turn.promptTokens);
    if (!turn.continues || before === undefined || turn.cachedTokens === undefined) return;
    tally.continued++;
    if (turn.cachedTokens < before * CACHE_KEPT_SHARE) tally.lostCaches++;
  }

  #of(role: string): OpenTally {
    let tally = this.#roles.get(role);
    if (tally === undefined) {
      tally = {
        role,
        agents: new Set(),
        outcomes: { done: 0, refused: 0, failed: 0, unfinished: 0 },
        contextFaults: { truncated: 0, shifted: 0, cut: 0 },
        continued: 0,
        lostCaches: 0,
        windowTokens: 0,
        callTokens: 0,
        callMs: 0,
        turnsMs: [],
        longestUnfinishedMs: undefined,
      };
      this.#roles.set(role, tally);
    }
    return tally;
  }
}
