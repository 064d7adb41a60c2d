/** An agent in a role: turn after turn, each a tool result and a message, as its role says. */
import type {
  AgentProgram,
  ProgramContext,
  ProgramMessage,
  ProgramStep,
  StepResult,
} from "../agent-program.ts";
import type { Role } from "../role.ts";
import { RoleConversation } from "./role-conversation.ts";

/** The first turn after a compaction: its prompt is another text, of which nothing is cached. */
export const COMPACTED_STEP = "compacted-turn";
const TURN_STEP = "turn";

/**
 * Ends after `settings.requests` turns, or when a turn alone does not fit the context: the next
 * would not either. The role's cadence is kept by whoever performs the steps.
 */
export function roleProgram(role: Role): AgentProgram {
  return function* playRole(context: ProgramContext): Generator<ProgramStep, void, StepResult> {
    const conversation = new RoleConversation(role, context.contextTokens);
    const system = systemMessages(role, context);
    let isCompacted = false;
    for (let position = 0; position < context.settings.requests; position++) {
      isCompacted = conversation.compact() || isCompacted;
      const user = context.turnOf(role, context.random("turn", position));
      const isWhole = system.length === 0 && conversation.isEmpty;
      const result = yield {
        kind: "request",
        name: isCompacted ? COMPACTED_STEP : TURN_STEP,
        messages: [...system, ...conversation.messages, { role: "user", content: user }],
        maxTokens: role.maxOutputTokens,
        ...(role.meanOutputTokens === undefined ? {} : { forcedTokens: role.meanOutputTokens }),
        // What stands before the turn has no exact length: a template puts marks between messages.
        ...(isWhole ? { inputTargetTokens: role.toolResultTokens + role.messageTokens } : {}),
        ...(repeatsItself(role) ? { cache: "wanted" as const } : {}),
      };
      isCompacted = false;
      if (result.kind === "answer")
        conversation.answered({
          user,
          answer: result.text,
          ...(result.inputTokens === undefined ? {} : { inputTokens: result.inputTokens }),
          ...(result.outputTokens === undefined ? {} : { outputTokens: result.outputTokens }),
        });
      else if (result.kind === "failed" && result.code === "CONTEXT_EXCEEDED") {
        if (conversation.isEmpty) return;
        conversation.drop();
        isCompacted = true;
      }
    }
  };
}

function systemMessages({ systemTokens }: Role, context: ProgramContext): readonly ProgramMessage[] {
  if (systemTokens === 0) return [];
  return [{ role: "system", content: context.promptOf(systemTokens, context.random("system", 0)) }];
}

/** Whether prompts begin as earlier ones did, so that a cache is part of what is measured. */
function repeatsItself({ conversation, systemTokens }: Role): boolean {
  return conversation.kind === "growing" || systemTokens > 0;
}
