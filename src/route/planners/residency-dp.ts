/**
 * Exact planning over all feasible residency sets, backwards in time. With V_s(R) the most that
 * steps s, s + 1, … can bring when R is loaded before step s,
 *
 *     V_s(R) = max over sets R′ of  worth_s(R′) − Σ load prices of R′ \ R + V_{s+1}(R′).
 *
 * Going from R to R′ is leaving models out, which is free, and then adding some. Both are done one
 * model at a time for all sets together, so a step costs sets × models instead of sets².
 */
import type { DecidedStep, Decision } from "../planner.ts";
import type { RouteProblem, RouteTable } from "../route-table.ts";
import { worthAt } from "../route-table.ts";
import type { ResidencySets } from "./residency-sets.ts";
import { membersOf } from "./residency-sets.ts";

/** The best of all plans. Of equal ones the one that loads least now, then the one that unloads least, then the first in the order of the models. */
export function bestOverSets(problem: RouteProblem, sets: ResidencySets): Decision {
  const { table } = problem;
  const withRest: Float64Array[] = [];
  let rest: Float64Array = new Float64Array(sets.count);
  for (let step = problem.steps.length - 1; step >= 0; step--) {
    const worth = worthOfSets(table, sets, problem.steps[step] as readonly number[]);
    for (let set = 0; set < sets.count; set++) worth[set] = (worth[set] as number) + (rest[set] as number);
    withRest[step] = worth;
    if (step > 0) rest = bestFromEach(table, sets, worth);
  }
  let { resident } = problem;
  const steps: DecidedStep[] = [];
  let runnerUp: Decision["runnerUp"];
  for (const [step, tasks] of problem.steps.entries()) {
    const scores = scoresFrom(table, sets, withRest[step] as Float64Array, resident);
    const chosen = membersOf(sets, scores.best);
    const models = tasks.map((task) => bestModel(table, task, chosen));
    if (step === 0) runnerUp = secondBest(table, sets, tasks, models, scores.values);
    steps.push({ models, resident: chosen });
    resident = chosen;
  }
  return { steps, proof: { kind: "optimal" }, ...(runnerUp !== undefined && { runnerUp }) };
}

/** What each set can make of the tasks: each goes to its best model of the set. */
function worthOfSets(table: RouteTable, sets: ResidencySets, tasks: readonly number[]): Float64Array {
  const { count, last, parent } = sets;
  const sum = table.combine === "sum";
  const worth = new Float64Array(count).fill(sum ? 0 : Number.POSITIVE_INFINITY);
  const best = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  worth[0] = Number.NEGATIVE_INFINITY;
  for (const task of tasks) {
    const own = sets.models.map((model) => worthAt(table, task, model));
    for (let set = 1; set < count; set++) {
      const value = Math.max(best[parent[set] as number] as number, own[last[set] as number] as number);
      best[set] = value;
      worth[set] = sum ? (worth[set] as number) + value : Math.min(worth[set] as number, value);
    }
  }
  return worth;
}

/** For each set R, the best R′ to go to, less what its loads cost. */
function bestFromEach(table: RouteTable, sets: ResidencySets, goals: Float64Array): Float64Array {
  const { count, without } = sets;
  const width = sets.models.length;
  const best = Float64Array.from(goals);
  // First: loaded on top of D, which is what is kept …
  for (let place = 0; place < width; place++) {
    const price = table.loadPrice[sets.models[place] as number] as number;
    for (let set = 1, at = width + place; set < count; set++, at += width) {
      const smaller = without[at] as number;
      if (smaller < 0) continue;
      const value = (best[set] as number) - price;
      if (value > (best[smaller] as number)) best[smaller] = value;
    }
  }
  // … then: D is any part of R.
  for (let place = 0; place < width; place++)
    for (let set = 1, at = width + place; set < count; set++, at += width) {
      const smaller = without[at] as number;
      if (smaller >= 0 && (best[smaller] as number) > (best[set] as number))
        best[set] = best[smaller] as number;
    }
  return best;
}

interface Scores {
  /** By set: its worth and all that follows, less the loads from what is loaded now. */
  readonly values: Float64Array;
  readonly best: number;
}

function scoresFrom(
  table: RouteTable,
  sets: ResidencySets,
  goals: Float64Array,
  resident: readonly number[],
): Scores {
  const { count, last, parent } = sets;
  const prices = sets.models.map((model) =>
    resident.includes(model) ? 0 : (table.loadPrice[model] as number),
  );
  const loaded = sets.models.map((model) => Number(!resident.includes(model)));
  const cost = new Float64Array(count);
  const loads = new Int16Array(count);
  const size = new Int16Array(count);
  const values = new Float64Array(count);
  values[0] = goals[0] as number;
  let best = 0;
  for (let set = 1; set < count; set++) {
    const smaller = parent[set] as number;
    const place = last[set] as number;
    cost[set] = (cost[smaller] as number) + (prices[place] as number);
    loads[set] = (loads[smaller] as number) + (loaded[place] as number);
    size[set] = (size[smaller] as number) + 1;
    const value = (goals[set] as number) - (cost[set] as number);
    values[set] = value;
    const lead = value - (values[best] as number);
    if (lead > 0 || (lead === 0 && isTidier(set, best, loads, size))) best = set;
  }
  return { values, best };
}

function isTidier(set: number, than: number, loads: Int16Array, size: Int16Array): boolean {
  const fewer = (loads[than] as number) - (loads[set] as number);
  return fewer !== 0 ? fewer > 0 : (size[set] as number) > (size[than] as number);
}

/** The best of these models, of equal ones the first. */
export function bestModel(table: RouteTable, task: number, models: readonly number[]): number {
  return models.reduce((best, model) =>
    worthAt(table, task, model) > worthAt(table, task, best) ? model : best,
  );
}

/** The best plan whose first step differs: another set, or the same one with a task on its second best model. */
function secondBest(
  table: RouteTable,
  sets: ResidencySets,
  tasks: readonly number[],
  chosen: readonly number[],
  values: Float64Array,
): Decision["runnerUp"] {
  let second: Decision["runnerUp"];
  for (let set = 1; set < sets.count; set++) {
    const value = values[set] as number;
    if (value <= (second?.value ?? Number.NEGATIVE_INFINITY)) continue;
    const members = membersOf(sets, set);
    const models = tasks.map((task) => bestModel(table, task, members));
    const other = models.some((model, index) => model !== chosen[index])
      ? { models, value }
      : cheapestChange(table, tasks, models, members, value);
    if (other !== undefined && other.value > (second?.value ?? Number.NEGATIVE_INFINITY)) second = other;
  }
  return second;
}

function cheapestChange(
  table: RouteTable,
  tasks: readonly number[],
  models: readonly number[],
  members: readonly number[],
  value: number,
): Decision["runnerUp"] {
  let least: { readonly models: readonly number[]; readonly value: number } | undefined;
  const slowest = Math.min(...tasks.map((task, index) => worthAt(table, task, models[index] as number)));
  for (const [index, task] of tasks.entries())
    for (const member of members) {
      if (member === models[index]) continue;
      const worth = worthAt(table, task, member);
      const loss =
        table.combine === "sum"
          ? worthAt(table, task, models[index] as number) - worth
          : Math.max(0, slowest - worth);
      if (value - loss > (least?.value ?? Number.NEGATIVE_INFINITY))
        least = { models: models.with(index, member), value: value - loss };
    }
  return least;
}
