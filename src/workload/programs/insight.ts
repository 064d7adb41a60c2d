/** The studies' second agent: turns the same data into an analysis, then into advice, in two calls. */
import type { AgentProgram, ProgramContext, ProgramStep, StepResult } from "../agent-program.ts";
import { corpusText } from "./corpus-prompt.ts";

export const insight: AgentProgram = function* insight(
  context: ProgramContext,
): Generator<ProgramStep, void, StepResult> {
  const corpus = yield { kind: "read-corpus" };
  if (corpus.kind !== "corpus") return;
  const { corpusCharacters, outputTokens } = context.settings;
  const analysis = yield {
    kind: "request",
    name: "analyse",
    maxTokens: outputTokens,
    messages: [
      {
        role: "user",
        content: `${context.nonce(0)}Analyse these measurement files: what differs between them, and what could explain it?\n\n${corpusText(corpus.files, corpusCharacters)}`,
      },
    ],
  };
  if (analysis.kind !== "answer") return;
  yield {
    kind: "request",
    name: "advise",
    maxTokens: outputTokens,
    messages: [
      {
        role: "user",
        content: `${context.nonce(1)}From this analysis, name the three changes with the largest expected gain and how to test each.\n\n${analysis.text.slice(0, corpusCharacters)}`,
      },
    ],
  };
};
