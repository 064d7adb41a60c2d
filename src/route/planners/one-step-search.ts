/**
 * One step with many models: which of them to load is a facility-location problem with a knapsack,
 *
 *     max Σ_t max_{m ∈ R} u_tm − Σ_{m ∈ R} w_m   with   Σ_{m ∈ R} v_m ≤ G.
 *
 * Branch and bound over the models, with the Lagrangian bound of Cornuéjols, Fisher and Nemhauser
 * (Location of bank accounts to optimize float, 1977): "each task has exactly one model" is priced at
 * π_t, what is left falls apart into one gain per model and a fractional knapsack, and the prices are
 * improved by subgradient steps with Polyak's length. Models whose penalty alone passes the best known
 * plan are settled without branching.
 */
import { residentWith } from "../plan.ts";
import type { Decision } from "../planner.ts";
import type { RouteProblem, RouteTable } from "../route-table.ts";
import { WORTH_GRID, canTake, memoryOf } from "../route-table.ts";
import { AssignmentBound, FREE, IN, OUT } from "./assignment-bound.ts";
import { greedyDecision } from "./greedy.ts";
import { bestModel } from "./residency-dp.ts";

/** Subgradient steps at the root, where the prices start from nothing, and below it, where they start from the parent's. */
const ROOT_STEPS = 40;
const NODE_STEPS = 5;

/** Nodes before the search gives up: ten times what the hardest of 600 problems of 200 tasks on 20 models took (966; medians of 6 to 143). */
const MAX_NODES = 10_000;

/** The best plan of a single step whose worths add up; nothing, where the search would take too long. */
export function searchOneStep(problem: RouteProblem): Decision | undefined {
  const { table, resident } = problem;
  const tasks = problem.steps[0] as readonly number[];
  const start = greedyDecision(problem).steps[0]?.models ?? [];
  const found = new OneStepSearch(table, tasks, resident).best([...new Set(start)]);
  if (found === undefined) return undefined;
  const models = tasks.map((task) => bestModel(table, task, found));
  const step = { models, resident: residentWith(table, new Set(models), resident) };
  return { steps: [step], proof: { kind: "optimal" } };
}

class OneStepSearch {
  readonly #bound: AssignmentBound;
  readonly #models: readonly number[];
  #best: readonly number[] = [];
  #bestValue = Number.NEGATIVE_INFINITY;
  #nodes = 0;

  constructor(table: RouteTable, tasks: readonly number[], resident: readonly number[]) {
    this.#models = [...table.models.keys()].filter((model) =>
      tasks.some((task) => canTake(table, task, model)),
    );
    this.#bound = new AssignmentBound({
      budgetMib: table.budgetMib,
      sizesMib: this.#models.map((model) => memoryOf(table, model)),
      prices: this.#models.map((model) =>
        resident.includes(model) ? 0 : (table.loadPrice[model] as number),
      ),
      worth: this.#models.map((model) =>
        Float64Array.from(tasks, (task) => table.worth[task * table.models.length + model] as number),
      ),
    });
  }

  /** The models of the best plan, starting from one that is known to fit. */
  best(start: readonly number[]): readonly number[] | undefined {
    this.#offer(start.map((model) => this.#models.indexOf(model)).sort((a, b) => a - b));
    this.#improveBySwaps();
    const prices = this.#bound.firstPrices();
    return this.#explore(prices, ROOT_STEPS) ? this.#best.map((at) => this.#models[at] as number) : undefined;
  }

  #offer(set: readonly number[]): boolean {
    if (!this.#bound.fits(set)) return false;
    const value = this.#bound.valueOf(set);
    if (!(value > this.#bestValue)) return false;
    this.#bestValue = value;
    this.#best = set;
    return true;
  }

  /** One model more, or one in the place of another, as long as that helps. */
  #improveBySwaps(): void {
    for (let improved = true; improved; ) {
      improved = false;
      for (const rest of [this.#best, ...this.#best.map((_model, index) => this.#best.toSpliced(index, 1))]) {
        const { set } = this.#bound.bestAddition(rest);
        if (this.#offer([...set].sort((a, b) => a - b))) improved = true;
      }
    }
  }

  /** False when the node limit was met. `prices` is left as the best that was found for this node. */
  #explore(prices: Float64Array, steps: number): boolean {
    if (++this.#nodes > MAX_NODES) return false;
    const bound = this.#bound;
    // Worths lie on a grid, so what is not better by half of its width is not better.
    const goal = this.#bestValue + WORTH_GRID / 2;
    const upper = bound.improve(prices, steps, goal);
    if (upper < goal) return true;
    const settled = bound.settle(upper, goal);
    this.#offer(bound.rounded());
    const at = bound.mostUndecided();
    let complete = true;
    if (at === undefined) this.#offer(bound.taken());
    else
      for (const side of bound.leansIn(at) ? ([IN, OUT] as const) : ([OUT, IN] as const)) {
        const excluded = bound.decide(at, side);
        if (excluded === undefined) continue;
        complete &&= this.#explore(Float64Array.from(prices), NODE_STEPS);
        for (const model of [at, ...excluded]) bound.state[model] = FREE;
      }
    for (const model of settled) bound.state[model] = FREE;
    return complete;
  }
}
