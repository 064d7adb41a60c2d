/**
 * A closed-loop agent with prompts of an exact token count. With `growingContext` each prompt
 * carries the whole conversation, as an agent's does.
 */
import type {
  AgentProgram,
  ProgramContext,
  ProgramMessage,
  ProgramStep,
  StepResult,
} from "../agent-program.ts";

export const synthetic: AgentProgram = function* synthetic(
  context: ProgramContext,
): Generator<ProgramStep, void, StepResult> {
  const { requests, promptTokens, outputTokens, growingContext } = context.settings;
  let conversation: readonly ProgramMessage[] = [];
  for (let position = 0; position < requests; position++) {
    const text = context.promptOf(promptTokens, context.random("prompt", position));
    const messages: readonly ProgramMessage[] = [...conversation, { role: "user", content: text }];
    const answer = yield {
      kind: "request",
      name: `turn-${position + 1}`,
      maxTokens: outputTokens,
      messages,
      // A grown prompt has no target of its own: its length depends on the answers.
      ...(conversation.length === 0 ? { inputTargetTokens: promptTokens } : {}),
    };
    if (growingContext && answer.kind === "answer")
      conversation = [...messages, { role: "assistant", content: answer.text }];
  }
};
