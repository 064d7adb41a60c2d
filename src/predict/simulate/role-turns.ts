/**
 * The turns of one agent in a role: how long each prompt is, what of it is cached, how long the answer.
 * The twin of `RoleConversation`, which keeps text where this counts tokens; both compact by one rule.
 */
import { NS_PER_MS } from "../../core/units.ts";
import type { Role } from "../../workload/role.ts";
import type { ConversationPrefix } from "./simulated-request.ts";

export interface Turn {
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly conversation: ConversationPrefix;
}

/** Ids of conversations are this much apart from agent to agent: room for as many compactions. */
const CONVERSATIONS_PER_AGENT = 1_000_000;

export class RoleTurns {
  readonly #role: Role;
  readonly #contextTokens: number;
  #conversationId: number;
  /** Tokens of each turn that is kept, answer included, the oldest first. The next prompt begins with them. */
  #kept: readonly number[] = [];
  /** The part of the kept turns that the server has seen under this id. */
  #seenTokens = 0;

  constructor(role: Role, agent: number, contextTokens: number) {
    this.#role = role;
    this.#contextTokens = contextTokens;
    this.#conversationId = agent * CONVERSATIONS_PER_AGENT;
  }

  next(): Turn {
    const { systemTokens, toolResultTokens, messageTokens, maxOutputTokens, meanOutputTokens } = this.#role;
    const addedTokens = toolResultTokens + messageTokens;
    const outputTokens = meanOutputTokens ?? maxOutputTokens;
    this.#compactFor(systemTokens + addedTokens + outputTokens);
    return {
      promptTokens: systemTokens + this.#keptTokens + addedTokens,
      outputTokens,
      conversation: { id: this.#conversationId, sharedTokens: systemTokens + this.#seenTokens },
    };
  }

  /** The turn has been answered with this many tokens: a growing conversation carries both on. */
  answered(outputTokens: number): void {
    const { conversation, toolResultTokens, messageTokens } = this.#role;
    if (conversation.kind === "fresh") return;
    this.#kept = [...this.#kept, toolResultTokens + messageTokens + outputTokens];
    this.#seenTokens = this.#keptTokens;
  }

  /** When the next turn starts, ns, given when the last one started and ended. */
  nextStartNs(startedNs: number, endedNs: number): number {
    const { cadence } = this.#role;
    if ("thinkMs" in cadence) return endedNs + cadence.thinkMs * NS_PER_MS;
    return Math.max(startedNs + cadence.everyMs * NS_PER_MS, endedNs);
  }

  /** Drops the oldest turns, each whole, where the next would pass the limit. What is left is another text: nothing of it is cached. */
  #compactFor(comingTokens: number): void {
    const { conversation } = this.#role;
    if (conversation.kind === "fresh") return;
    if (this.#keptTokens + comingTokens <= conversation.compactAtShare * this.#contextTokens) return;
    const room = Math.floor(conversation.compactToShare * this.#contextTokens) - comingTokens;
    const before = this.#kept.length;
    while (this.#kept.length > 0 && this.#keptTokens > room) this.#kept = this.#kept.slice(1);
    if (this.#kept.length === before) return;
    this.#seenTokens = 0;
    this.#conversationId++;
  }

  get #keptTokens(): number {
    return this.#kept.reduce((sum, tokens) => sum + tokens, 0);
  }
}
