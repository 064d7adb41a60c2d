/**
 * What is believed of each model at each kind of work: quality as a Beta distribution that graded
 * answers move, sizes and speeds as pooled sums of what request records measured. Only this object
 * learns; a plan reads one estimate of it and is the same for the same estimates.
 */
import { NS_PER_S } from "../core/units.ts";
import type { RequestRecord } from "../record/request-record.ts";
import type { Difficulty, Task } from "../workload/task-graph.ts";
import type { Beta, RoutedModel } from "./model-file.ts";
import { priorOf } from "./model-file.ts";

/** The part of a task that estimates depend on. */
export interface TaskKind {
  readonly type: string;
  readonly difficulty: Difficulty;
}

/** What one request took. Absent is what its record does not say. */
export interface TaskMeasurement {
  readonly promptTokens?: number;
  readonly outputTokens?: number;
  readonly prefillS?: number;
  readonly decodeS?: number;
}

export interface TaskEstimate {
  readonly quality: Beta;
  readonly promptTokens?: number;
  readonly outputTokens?: number;
  /** Prefill and decode, without a load. */
  readonly seconds?: number;
  /** In the unit of the file's prices. */
  readonly price?: number;
}

interface Pool {
  amount: number;
  over: number;
}

interface ModelPools {
  readonly prefill: Pool;
  readonly decode: Pool;
  readonly loads: Pool;
}

export class Estimator {
  readonly #models: ReadonlyMap<string, RoutedModel>;
  readonly #grades = new Map<string, { right: number; wrong: number }>();
  readonly #pools = new Map<string, ModelPools>();
  /** Tokens per request, by kind of task, on one model and over all. */
  readonly #sizes = new Map<string, { readonly prompt: Pool; readonly output: Pool }>();

  constructor(models: readonly RoutedModel[]) {
    this.#models = new Map(models.map((model) => [model.name, model]));
  }

  /** A graded answer: 1 right, 0 wrong, between them what a grader with parts gives. */
  grade(model: string, kind: TaskKind, score: number): void {
    const counts = entry(this.#grades, keyOf(kind, model), () => ({ right: 0, wrong: 0 }));
    counts.right += score;
    counts.wrong += 1 - score;
  }

  measure(model: string, kind: TaskKind, measured: TaskMeasurement): void {
    const { promptTokens, outputTokens, prefillS, decodeS } = measured;
    for (const key of [keyOf(kind, model), keyOf(kind)]) {
      const sizes = entry(this.#sizes, key, () => ({ prompt: emptyPool(), output: emptyPool() }));
      if (promptTokens !== undefined) pool(sizes.prompt, promptTokens, 1);
      if (outputTokens !== undefined) pool(sizes.output, outputTokens, 1);
    }
    const pools = this.#poolsOf(model);
    if (promptTokens !== undefined && prefillS !== undefined) pool(pools.prefill, promptTokens, prefillS);
    if (outputTokens !== undefined && decodeS !== undefined) pool(pools.decode, outputTokens, decodeS);
  }

  measureLoad(model: string, seconds: number): void {
    pool(this.#poolsOf(model).loads, seconds, 1);
  }

  /** The prior and every grade since; nothing, where there is no prior. */
  quality(model: string, kind: TaskKind): Beta | undefined {
    const known = this.#models.get(model);
    const prior = known && priorOf(known, kind.type, kind.difficulty);
    if (prior === undefined) return undefined;
    const graded = this.#grades.get(keyOf(kind, model));
    return { alpha: prior.alpha + (graded?.right ?? 0), beta: prior.beta + (graded?.wrong ?? 0) };
  }

  /** Seconds that a load takes: the mean of those measured, else the file's. */
  loadS(model: string): number | undefined {
    return quotient(this.#pools.get(model)?.loads) ?? this.#models.get(model)?.loadS;
  }

  /** Nothing, where the model is not given such tasks. */
  estimate(model: string, task: Task): TaskEstimate | undefined {
    const quality = this.quality(model, task);
    const known = this.#models.get(model);
    if (quality === undefined || known === undefined) return undefined;
    const promptTokens = task.promptTokens ?? this.#tokens(model, task, "prompt");
    const outputTokens = task.outputTokens ?? this.#tokens(model, task, "output");
    if (known.contextTokens !== undefined && (promptTokens ?? 0) + (outputTokens ?? 0) > known.contextTokens)
      return undefined;
    const pools = this.#pools.get(model);
    const prefill = quotient(pools?.prefill) ?? known.prefillTokensPerS;
    const decode = quotient(pools?.decode) ?? known.decodeTokensPerS;
    const sized = promptTokens !== undefined && outputTokens !== undefined;
    return {
      quality,
      ...(promptTokens !== undefined && { promptTokens }),
      ...(outputTokens !== undefined && { outputTokens }),
      ...(sized &&
        prefill !== undefined &&
        decode !== undefined && { seconds: promptTokens / prefill + outputTokens / decode }),
      ...(sized &&
        known.tokenPrice !== undefined && {
          price: (promptTokens * known.tokenPrice.prompt + outputTokens * known.tokenPrice.output) / 1000,
        }),
    };
  }

  /** On this model first, since models differ in how long they talk; then over all. */
  #tokens(model: string, kind: TaskKind, side: "prompt" | "output"): number | undefined {
    return (
      quotient(this.#sizes.get(keyOf(kind, model))?.[side]) ?? quotient(this.#sizes.get(keyOf(kind))?.[side])
    );
  }

  #poolsOf(model: string): ModelPools {
    return entry(this.#pools, model, () => ({
      prefill: emptyPool(),
      decode: emptyPool(),
      loads: emptyPool(),
    }));
  }
}

/**
 * What the record of a task's request says about time and size. The engine's own split where it has
 * one; else prefill is sent to first token and decode the rest of the stream. A failed request says nothing.
 */
export function measurementOf(record: RequestRecord): TaskMeasurement {
  if (record.outcome.kind !== "ok") return {};
  const { stamps, split, tokens } = record;
  const betweenS = (from: number | undefined, to: number | undefined): number | undefined =>
    from === undefined || to === undefined ? undefined : (to - from) / NS_PER_S;
  const ms = (value: number | undefined): number | undefined =>
    value === undefined ? undefined : value / 1000;
  // A prompt that came from the cache was not prefilled, and says nothing about the speed of it.
  const prefillS =
    (tokens.cached ?? 0) > 0
      ? undefined
      : (ms(split?.prefillMs) ?? betweenS(stamps.sentNs, stamps.firstTokenNs));
  const decodeS = ms(split?.decodeMs) ?? betweenS(stamps.firstTokenNs, stamps.lastTokenNs);
  return {
    ...(tokens.input !== undefined && { promptTokens: tokens.input }),
    ...(tokens.output !== undefined && { outputTokens: tokens.output }),
    ...(prefillS !== undefined && prefillS > 0 && { prefillS }),
    ...(decodeS !== undefined && decodeS > 0 && { decodeS }),
  };
}

function keyOf({ type, difficulty }: TaskKind, model?: string): string {
  return JSON.stringify([type, difficulty, model ?? null]);
}

function entry<V>(map: Map<string, V>, key: string, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

function emptyPool(): Pool {
  return { amount: 0, over: 0 };
}

function pool(into: Pool, amount: number, over: number): void {
  into.amount += amount;
  into.over += over;
}

function quotient(from: Pool | undefined): number | undefined {
  return from === undefined || from.over === 0 ? undefined : from.amount / from.over;
}
