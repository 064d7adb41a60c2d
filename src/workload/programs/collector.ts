/**
 * The first of the studies' two agents: reads a folder of files, summarises them in one call and
 * puts the summary into a structure in a second.
 */
import type { AgentProgram, ProgramContext, ProgramStep, StepResult } from "../agent-program.ts";
import { corpusText } from "./corpus-prompt.ts";

export const collector: AgentProgram = function* collector(
  context: ProgramContext,
): Generator<ProgramStep, void, StepResult> {
  const corpus = yield { kind: "read-corpus" };
  if (corpus.kind !== "corpus") return;
  const { corpusCharacters, outputTokens } = context.settings;
  const summary = yield {
    kind: "request",
    name: "summarise",
    maxTokens: outputTokens,
    messages: [
      {
        role: "user",
        content: `${context.nonce(0)}Summarise these measurement files. Keep every number with its unit.\n\n${corpusText(corpus.files, corpusCharacters)}`,
      },
    ],
  };
  if (summary.kind !== "answer") return;
  yield {
    kind: "request",
    name: "structure",
    maxTokens: outputTokens,
    messages: [
      {
        role: "user",
        content: `${context.nonce(1)}Put this summary into JSON with the keys "files", "figures" and "open_questions".\n\n${summary.text.slice(0, corpusCharacters)}`,
      },
    ],
  };
};
