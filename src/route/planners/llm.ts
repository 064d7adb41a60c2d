/**
 * A language model as the planner. It is told what the others read from the table and answers with
 * an assignment; what it answers is taken at its word if it is one, even when it does not fit the
 * memory: that is counted as a violation, like anybody's. Everything else becomes greedy's plan.
 */
import { z } from "zod";
import { messageOf } from "../../core/errors.ts";
import { residentWith } from "../plan.ts";
import type { DecidedStep, Decision, Planner } from "../planner.ts";
import type { RouteProblem } from "../route-table.ts";
import { worthAt } from "../route-table.ts";
import { greedyDecision } from "./greedy.ts";

/** Asks a model for JSON of this JSON Schema: its text, or what was parsed from it. */
export type Ask = (prompt: string, schema: Readonly<Record<string, unknown>>) => Promise<unknown>;

/** Characters of an answer that are looked at: an assignment of a thousand tasks has about 100,000. */
const MAX_ANSWER_CHARACTERS = 1_000_000;

const answerSchema = z.object({ assignments: z.array(z.object({ task: z.string(), model: z.string() })) });

export interface LlmPlanner extends Planner {
  /** Since it was made. `invalid` counts answers that were no assignment, `failed` questions without an answer. */
  readonly counts: { readonly asked: number; readonly invalid: number; readonly failed: number };
}

export function llmPlanner(ask: Ask): LlmPlanner {
  const counts = { asked: 0, invalid: 0, failed: 0 };
  const schema = z.toJSONSchema(answerSchema);
  const instead = (problem: RouteProblem, reason: string): Decision => ({
    ...greedyDecision(problem),
    fallback: `greedy: ${reason}`,
  });
  return {
    name: "llm",
    counts,
    plan: async (problem) => {
      counts.asked++;
      let answer: unknown;
      try {
        answer = await ask(routingPrompt(problem), schema);
      } catch (thrown) {
        counts.failed++;
        return instead(problem, messageOf(thrown));
      }
      const read = readAnswer(problem, answer);
      if (typeof read !== "string") return { steps: read, proof: { kind: "heuristic" } };
      counts.invalid++;
      return instead(problem, read);
    },
  };
}

/** The steps, or what is wrong with the answer. */
function readAnswer(problem: RouteProblem, answer: unknown): readonly DecidedStep[] | string {
  const parsed = answerSchema.safeParse(typeof answer === "string" ? jsonIn(answer) : answer);
  if (!parsed.success) return "the answer is not of the schema";
  const { table } = problem;
  const places = new Map(table.models.map(({ name }, place) => [name, place]));
  const chosen = new Map<string, number>();
  for (const { task, model } of parsed.data.assignments) {
    const place = places.get(model);
    if (place === undefined) return `there is no model ${model}`;
    if (chosen.has(task)) return `task ${task} is given twice`;
    chosen.set(task, place);
  }
  const planned = problem.steps.flat();
  const missing = planned.find((task) => !chosen.has(table.taskIds[task] as string));
  if (missing !== undefined) return `task ${table.taskIds[missing]} is given to nobody`;
  if (chosen.size > planned.length) return "tasks are given that were not asked for";
  const modelOf = (task: number): number => chosen.get(table.taskIds[task] as string) as number;
  const unable = planned.find((task) => worthAt(table, task, modelOf(task)) === Number.NEGATIVE_INFINITY);
  if (unable !== undefined) return `the model of task ${table.taskIds[unable]} is not given such tasks`;
  let before = problem.resident;
  return problem.steps.map((tasks) => {
    const models = tasks.map(modelOf);
    before = residentWith(table, new Set(models), before);
    return { models, resident: before };
  });
}

/** The object in a text, which may stand in a fence or between words. */
function jsonIn(text: string): unknown {
  const from = text.indexOf("{");
  const to = text.lastIndexOf("}");
  if (from < 0 || to < from || to - from > MAX_ANSWER_CHARACTERS) return undefined;
  try {
    return JSON.parse(text.slice(from, to + 1));
  } catch {
    return undefined;
  }
}

/** What the exact planner reads, in words and JSON. Exported for whoever wants to see what was asked. */
export function routingPrompt({ table, steps, resident }: RouteProblem): string {
  const { objective, models, taskIds } = table;
  const goal =
    objective.kind === "utility"
      ? `the sum over tasks of quality − ${objective.lambdaToken} × tokenCost, less ${objective.lambdaSwitch} × switchCost for each model that has to be loaded`
      : "minus the seconds until the last step is done";
  const data = {
    memoryBudgetMib: table.budgetMib,
    models: models.map(({ name, memoryMib, switchCost, loadS }, place) => ({
      name,
      memoryMib,
      loaded: resident.includes(place),
      switchCost,
      loadS,
    })),
    steps: steps.map((tasks) =>
      tasks.map((task) => ({
        task: taskIds[task],
        models: models.flatMap(({ name }, place) => {
          const option = table.options[task * models.length + place];
          return option === undefined ? [] : [{ model: name, ...option }];
        }),
      })),
    ),
  };
  return [
    "Assign every task to exactly one of the models that are listed for it.",
    "Steps run one after another. All models that one step uses must be loaded at the same time, and together they may not take more than memoryBudgetMib. Between steps models may be unloaded, which costs nothing.",
    `Make this as large as possible: ${goal}.`,
    'Answer with JSON only: {"assignments": [{"task": "…", "model": "…"}]}.',
    JSON.stringify(data),
  ].join("\n\n");
}
