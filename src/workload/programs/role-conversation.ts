/**
 * What an agent in a role carries from turn to turn. Its simulated twin is `RoleTurns` in
 * `predict/simulate`, which counts tokens where this one keeps text; both compact by the same rule.
 */
import type { ProgramMessage } from "../agent-program.ts";
import type { Role } from "../role.ts";

/** A turn and its answer. Tokens are as the server counted them: what the turn made the prompt longer by. */
interface KeptTurn {
  readonly messages: readonly ProgramMessage[];
  readonly tokens: number;
}

export interface AnsweredTurn {
  readonly user: string;
  readonly answer: string;
  /** Of the whole prompt; absent where the server did not say. */
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}

export class RoleConversation {
  readonly #role: Role;
  readonly #contextTokens: number | undefined;
  #turns: readonly KeptTurn[] = [];

  /** `contextTokens`: of the slot; where it is not known, nothing is compacted before the server refuses. */
  constructor(role: Role, contextTokens: number | undefined) {
    this.#role = role;
    this.#contextTokens = contextTokens;
  }

  get messages(): readonly ProgramMessage[] {
    return this.#turns.flatMap((turn) => turn.messages);
  }

  get isEmpty(): boolean {
    return this.#turns.length === 0;
  }

  /** Drops the oldest turns where the next would pass the limit, and says whether it did. */
  compact(): boolean {
    const { conversation, systemTokens, toolResultTokens, messageTokens } = this.#role;
    if (conversation.kind === "fresh" || this.#contextTokens === undefined) return false;
    const outputTokens = this.#role.meanOutputTokens ?? this.#role.maxOutputTokens;
    const comingTokens = systemTokens + toolResultTokens + messageTokens + outputTokens;
    if (this.#keptTokens + comingTokens <= conversation.compactAtShare * this.#contextTokens) return false;
    const room = Math.floor(conversation.compactToShare * this.#contextTokens) - comingTokens;
    const before = this.#turns.length;
    while (this.#turns.length > 0 && this.#keptTokens > room) this.#turns = this.#turns.slice(1);
    return this.#turns.length < before;
  }

  /** Everything, because the server refused the prompt. */
  drop(): void {
    this.#turns = [];
  }

  answered({ user, answer, inputTokens, outputTokens }: AnsweredTurn): void {
    const { conversation, toolResultTokens, messageTokens, systemTokens, maxOutputTokens } = this.#role;
    if (conversation.kind === "fresh") return;
    const newTokens =
      inputTokens === undefined
        ? toolResultTokens + messageTokens
        : inputTokens - systemTokens - this.#keptTokens;
    const turn: KeptTurn = {
      messages: [
        { role: "user", content: user },
        { role: "assistant", content: answer },
      ],
      // An answer's thinking is not carried on: the next prompt's count then takes it back.
      tokens: newTokens + (outputTokens ?? maxOutputTokens),
    };
    this.#turns = [...this.#turns, turn];
  }

  get #keptTokens(): number {
    return this.#turns.reduce((sum, turn) => sum + turn.tokens, 0);
  }
}
