/** A planner decides which model does which task and what is loaded at each step. It carries nothing out. */
import type { RouteProblem } from "./route-table.ts";

export interface Planner {
  readonly name: string;
  /** A step for each step of the problem, in their order. The steps must be servable (serve-together). */
  plan(problem: RouteProblem): Promise<Decision>;
}

export interface DecidedStep {
  /** The model of each task, in the order of the step's tasks. */
  readonly models: readonly number[];
  /** What is loaded while the step runs, in the order of the models. */
  readonly resident: readonly number[];
}

/** What is known of how good a decision is. Values are those of the whole problem, larger is better. */
export type Proof =
  | { readonly kind: "optimal" }
  /** The search ended early: nothing is better than `upper`, and the gap is (upper − value) ÷ |value|. */
  | { readonly kind: "bounded"; readonly upper: number; readonly gap: number }
  | { readonly kind: "heuristic" };

export interface Decision {
  readonly steps: readonly DecidedStep[];
  readonly proof: Proof;
  /** The best plan that gives some task of the first step to another model. */
  readonly runnerUp?: { readonly models: readonly number[]; readonly value: number };
  /** Another planner stood in, and why. */
  readonly fallback?: string;
}
