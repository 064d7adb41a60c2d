/**
 * A job is a graph of tasks: which kinds of work there are, what each needs of the others, and how
 * its answer is graded. Prompts and graders are data here; who asks and who grades reads them.
 */
import { z } from "zod";
import { OperatorError } from "../core/errors.ts";
import { MAX_TOKENS } from "../core/limits.ts";
import { defined } from "../core/assert.ts";
import { nameSchema } from "./scenario.ts";

/** Tasks of one job. The planner is measured at 200; a graph of thousands is a batch, not a job. */
export const MAX_TASKS = 1_000;

/** Jobs of one benchmark: a comparison needs some sixty, and each one is a real run of its tasks. */
const MAX_JOBS = 10_000;

/** Characters of a prompt that is written into a job: as long as a long page. A file holds more. */
const MAX_PROMPT_CHARACTERS = 200_000;

export const DIFFICULTIES = ["easy", "medium", "hard"] as const;
export type Difficulty = (typeof DIFFICULTIES)[number];

/** What a task asks: here, or in a file beside the job. `{{other}}` stands for the answer of a task that it needs. */
const promptSchema = z.union([
  z.strictObject({ text: z.string().min(1).max(MAX_PROMPT_CHARACTERS) }),
  z.strictObject({ file: z.string().min(1) }),
]);

/** A grader by its kind; what else it needs to know is checked by the grader itself. */
const graderSchema = z.looseObject({ kind: nameSchema });

export const taskSchema = z.strictObject({
  id: nameSchema,
  /** What kind of work it is: models differ in quality by it. */
  type: nameSchema,
  difficulty: z.enum(DIFFICULTIES).default("medium"),
  /** Tasks that must be done before. */
  needs: z.array(nameSchema).max(MAX_TASKS).default([]),
  prompt: promptSchema.optional(),
  grader: graderSchema.optional(),
  /** Expected sizes; absent: what records of such tasks say. */
  promptTokens: z.int().min(1).max(MAX_TOKENS).optional(),
  outputTokens: z.int().min(1).max(MAX_TOKENS).optional(),
});
export type Task = z.output<typeof taskSchema>;

export const jobSchema = z.strictObject({
  name: nameSchema,
  description: z.string().optional(),
  tasks: z.array(taskSchema).min(1).max(MAX_TASKS),
});
export type Job = z.output<typeof jobSchema>;

export const benchmarkSchema = z
  .strictObject({
    name: nameSchema,
    description: z.string().optional(),
    jobs: z.array(jobSchema).min(1).max(MAX_JOBS),
  })
  .superRefine(({ jobs }, context) => {
    const repeated = firstRepeated(jobs.map(({ name }) => name));
    if (repeated !== undefined)
      context.addIssue({
        code: "custom",
        path: ["jobs"],
        input: repeated,
        message: "names each job once, since records are told apart by it",
      });
  });

/** A job whose dependencies are known to lead somewhere and never in a circle. Tasks are meant by their place in `tasks`. */
export interface TaskGraph {
  readonly name: string;
  readonly tasks: readonly Task[];
  readonly needs: readonly (readonly number[])[];
  /** Layer by layer: each task stands in the first layer after all that it needs. Within a layer, the order of the file. */
  readonly layers: readonly (readonly number[])[];
}

/** Throws TASK_GRAPH_INVALID, which names the tasks: one given twice, one that is not there, or the circle. */
export function taskGraph(job: Job, source = `job ${job.name}`): TaskGraph {
  const repeated = firstRepeated(job.tasks.map(({ id }) => id));
  if (repeated !== undefined)
    throw invalid(`${source} has two tasks of one id`, repeated, "give each task an id of its own");
  const places = new Map(job.tasks.map(({ id }, place) => [id, place]));
  const needs = job.tasks.map((task) =>
    [...new Set(task.needs)].map((id) => {
      const place = places.get(id);
      if (place === undefined)
        throw invalid(
          `${source}: task ${task.id} needs a task that is not there`,
          id,
          `name one of ${[...places.keys()].slice(0, 10).join(", ")}`,
        );
      return place;
    }),
  );
  const depths = depthsOf(needs);
  if (depths === undefined)
    throw invalid(
      `${source} has tasks that wait for each other in a circle`,
      circleOf(needs)
        .map((place) => defined(job.tasks[place], "task").id)
        .join(" → "),
      "take one of these dependencies out; a task may only need what can be done before it",
    );
  const layers: number[][] = [];
  for (const [place, depth] of depths.entries()) (layers[depth] ??= []).push(place);
  return { name: job.name, tasks: job.tasks, needs, layers };
}

function invalid(message: string, received: string, nextStep: string): OperatorError {
  return new OperatorError("TASK_GRAPH_INVALID", { message, received, nextStep });
}

function firstRepeated(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}

/**
 * The longest chain of needs before each task, by taking away what has none left (Kahn 1962).
 * Nothing, if some tasks never come free. No recursion: a chain may have a thousand links.
 */
function depthsOf(needs: readonly (readonly number[])[]): readonly number[] | undefined {
  const followers: number[][] = needs.map(() => []);
  for (const [place, before] of needs.entries()) for (const one of before) followers[one]?.push(place);
  const waiting = needs.map((before) => before.length);
  const depths = needs.map(() => 0);
  const free = [...waiting.keys()].filter((place) => waiting[place] === 0);
  for (let next = 0; next < free.length; next++) {
    const place = free[next] as number;
    for (const follower of followers[place] ?? []) {
      depths[follower] = Math.max(depths[follower] as number, (depths[place] as number) + 1);
      waiting[follower] = (waiting[follower] as number) - 1;
      if (waiting[follower] === 0) free.push(follower);
    }
  }
  return free.length === needs.length ? depths : undefined;
}

/** One circle of a graph that has some, in the order in which the work would have to be done, its first task repeated at the end. */
function circleOf(needs: readonly (readonly number[])[]): readonly number[] {
  // Following needs from any task that is left when all others are taken away must come back to one seen before.
  const left = new Set(needs.keys());
  for (let shrunk = true; shrunk; ) {
    const size = left.size;
    for (const place of left) if (!needs[place]?.some((one) => left.has(one))) left.delete(place);
    shrunk = left.size < size;
  }
  const trail: number[] = [];
  let place = Math.min(...left);
  while (!trail.includes(place)) {
    trail.push(place);
    place = defined(
      needs[place]?.find((one) => left.has(one)),
      "a need within the circle",
    );
  }
  return [...trail.slice(trail.indexOf(place)), place].reverse();
}

export interface CriticalPath {
  /** Places of its tasks, in the order of their work. */
  readonly tasks: readonly number[];
  readonly seconds: number;
}

/**
 * The chain of tasks that decides how long a job takes at least, when nothing but its tasks takes
 * time and all that may run side by side does. Of equal chains the one that ends in the task that
 * stands first in the file. Nothing, where the duration of a task is unknown.
 */
export function criticalPath(
  graph: TaskGraph,
  durationsS: readonly (number | undefined)[],
): CriticalPath | undefined {
  const endsS = graph.tasks.map(() => 0);
  const before = graph.tasks.map((): number | undefined => undefined);
  for (const place of graph.layers.flat()) {
    const durationS = durationsS[place];
    if (durationS === undefined) return undefined;
    let startS = 0;
    for (const need of graph.needs[place] ?? [])
      if (before[place] === undefined || (endsS[need] as number) > startS) {
        startS = endsS[need] as number;
        before[place] = need;
      }
    endsS[place] = startS + durationS;
  }
  const seconds = Math.max(...endsS);
  const tasks: number[] = [];
  for (let place: number | undefined = endsS.indexOf(seconds); place !== undefined; place = before[place])
    tasks.unshift(place);
  return { tasks, seconds };
}
