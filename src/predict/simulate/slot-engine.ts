/**
 * The one simulator of an inference server: a state machine that never reads a clock. A driver
 * submits requests, begins a step when the last one has ended, and completes it at its end;
 * `run-virtual` drives it as fast as it computes, `paced-engine` along a real clock. Emission times
 * depend on the stamps of the submissions alone, so both give the same.
 *
 * Three ways of serving:
 *   continuous   every step carries one token of each decoding slot and fills up with prompt tokens
 *                in slot order, as llama-server does. All of them wait for the whole step.
 *   sequential   one request at a time from start to end, as Ollama with one parallel.
 *   time-shared  the device is handed round, one step for one slot: separate server processes on
 *                one card. No batching, so each of N gets 1/N.
 */
import { assert, defined } from "../../core/assert.ts";
import type {
  Aborted,
  Admission,
  Emission,
  LoadSettings,
  PrefillProgress,
  SimulatedRequest,
  SlotView,
  Step,
  StepOutcome,
} from "./simulated-request.ts";
import { EMPTY_CACHE, chooseSlot, isDecoding, release, reusableTokens, timingsOf, viewOf } from "./slot.ts";
import type { Running, Slot } from "./slot.ts";
import type { SlotEngineOptions } from "./slot-engine-options.ts";
import { planBatch, planTurn } from "./step-plan.ts";
import type { Share } from "./step-plan.ts";
import { StepTimer } from "./step-timer.ts";
import type { StepReach, StepUnderWay } from "./step-timer.ts";

interface Waiting {
  readonly request: SimulatedRequest;
  readonly submittedNs: number;
  readonly outputTokens: number;
  loadNs: number;
}

/** Which tokens {@link SlotEngine.completeStep} tells of: every one, or each request's last. */
export type TokensTold = "all" | "last";

export class SlotEngine {
  readonly #options: SlotEngineOptions;
  readonly #slots: Slot[];
  readonly #timer: StepTimer;
  #queue: Waiting[] = [];
  #loaded: LoadSettings | undefined;
  #step: StepUnderWay | undefined;
  #lastEndNs = 0;
  #uses = 0;
  /** Time-shared: the slot whose turn it is. */
  #turn = 0;

  constructor(options: SlotEngineOptions) {
    assert(options.slots >= 1 && options.batchTokens > options.slots, "a batch holds more tokens than slots");
    this.#options = options;
    this.#timer = new StepTimer(options);
    this.#loaded = options.loadNs === 0 ? options.defaults : undefined;
    this.#slots = Array.from({ length: options.slots }, (_unused, id) => ({
      id,
      running: undefined,
      cache: EMPTY_CACHE,
      lastUse: 0,
    }));
  }

  /** What the model is loaded with; undefined while it is not in memory. */
  get loaded(): LoadSettings | undefined {
    return this.#loaded;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  get slots(): readonly SlotView[] {
    const { contextTokens } = this.#loaded ?? this.#options.defaults;
    return this.#slots.map((slot) => viewOf(slot, contextTokens));
  }

  /** Stamps must not go backwards from one call to the next. */
  submit(request: SimulatedRequest, nowNs: number): Admission {
    assert(request.promptTokens >= 1 && request.outputTokens >= 1, "a request has tokens in and out");
    assert((request.slotId ?? 0) < this.#slots.length, "the slot exists");
    const { contextTokens } = request.load ?? this.#loaded ?? this.#options.defaults;
    const room = contextTokens - request.promptTokens;
    if (room < 1) return { kind: "refused", contextTokens };
    const outputTokens = Math.min(request.outputTokens, room);
    this.#queue.push({ request, submittedNs: nowNs, outputTokens, loadNs: 0 });
    return { kind: "accepted", outputTokens, cutByContext: outputTokens < request.outputTokens };
  }

  /** Frees the request's slot, or its place in the queue, at once. False when it is not here any more. */
  cancel(id: string): boolean {
    const before = this.#queue.length;
    this.#queue = this.#queue.filter((waiting) => waiting.request.id !== id);
    if (this.#queue.length < before) return true;
    const slot = this.#slots.find((candidate) => candidate.running?.request.id === id);
    if (slot === undefined) return false;
    release(slot);
    return true;
  }

  /** Takes the model out of memory, caches with it. Only while nothing runs. */
  unload(): boolean {
    if (this.#step !== undefined || this.#slots.some((slot) => slot.running !== undefined)) return false;
    this.#loaded = undefined;
    for (const slot of this.#slots) slot.cache = EMPTY_CACHE;
    return true;
  }

  /** When the next step can begin; undefined while there is nothing to do. Not to be asked during a step. */
  nextStartNs(): number | undefined {
    if (this.#slots.some((slot) => slot.running !== undefined)) return this.#lastEndNs;
    const first = this.#queue[0];
    return first === undefined ? undefined : Math.max(this.#lastEndNs, first.submittedNs);
  }

  /** Gives slots to what was submitted by `startNs` and decides what the step computes and how long it takes. */
  beginStep(startNs: number, reach: StepReach = "one-step"): Step {
    assert(this.#step === undefined && startNs >= this.#lastEndNs, "steps follow one another");
    const load = this.#admit(startNs);
    if (load !== undefined) {
      this.#step = this.#timer.loading(startNs, load);
    } else {
      const shares = this.#plan();
      assert(shares.length > 0, "a step computes something");
      this.#step = this.#timer.computing(startNs, shares, {
        reach,
        gpuLayers: (this.#loaded ?? this.#options.defaults).gpuLayers,
        slots: this.#slots,
      });
    }
    return this.#step;
  }

  /** Whether a request that came now would get a slot at the end of the step under way. */
  get hasRoom(): boolean {
    return this.#runningRequests() < this.#mostRunning();
  }

  /** The step under way ends with the first of its decode steps that ends at `nowNs` or later. */
  cutStep(nowNs: number): Step {
    const step = defined(this.#step, "a step under way");
    this.#step = this.#timer.cut(step, nowNs);
    return this.#step;
  }

  /** What runs, with the tokens that came out before `atNs`, which lies inside the step under way or after the last. */
  runningBefore(atNs: number): readonly Aborted[] {
    const steps = this.#step === undefined ? 0 : this.#timer.stepsBefore(this.#step, atNs);
    return this.#slots.flatMap((slot) => {
      const { running } = slot;
      if (running === undefined) return [];
      const ahead = isDecoding(running) ? steps : 0;
      const timings = timingsOf(slot.id, running, atNs);
      return [
        { id: running.request.id, timings: { ...timings, outputTokens: timings.outputTokens + ahead } },
      ];
    });
  }

  /** The step under way has reached its end: tokens come out, slots become free. */
  completeStep(tokens: TokensTold = "all"): StepOutcome {
    const step = defined(this.#step, "a step under way");
    this.#step = undefined;
    this.#lastEndNs = step.endNs;
    if (step.load !== undefined) this.#finishLoad(step, step.load);
    if (step.kind === "exhausted") return this.#abortAll(step.endNs);
    const emissions: Emission[] = [];
    const prefills: PrefillProgress[] = [];
    for (const { slot, running, prefillTokens } of step.shares) {
      if (slot.running !== running) continue; // cancelled during the step
      if (prefillTokens > 0) {
        running.prefilledTokens += prefillTokens;
        const { id, promptTokens } = running.request;
        prefills.push({ id, doneTokens: running.prefilledTokens, totalTokens: promptTokens });
        if (!isDecoding(running)) continue;
        running.firstTokenNs = step.endNs;
      }
      running.emittedTokens += step.stretch?.steps ?? 1;
      if (tokens === "all" || running.emittedTokens === running.outputTokens)
        emissions.push(this.#emission(slot, running, step.endNs));
    }
    return { atNs: step.endNs, emissions, prefills, aborted: [] };
  }

  #emission(slot: Slot, running: Running, atNs: number): Emission {
    const isLast = running.emittedTokens === running.outputTokens;
    if (isLast) release(slot);
    return { id: running.request.id, timings: timingsOf(slot.id, running, atNs), isLast };
  }

  /** Nothing is kept of them: the server does not know how much of its last batch went in. */
  #abortAll(atNs: number): StepOutcome {
    const aborted: Aborted[] = [];
    for (const slot of this.#slots) {
      const { running } = slot;
      if (running === undefined) continue;
      aborted.push({ id: running.request.id, timings: timingsOf(slot.id, running, atNs) });
      slot.running = undefined;
      slot.cache = EMPTY_CACHE;
    }
    return { atNs, emissions: [], prefills: [], aborted };
  }

  #runningRequests(): number {
    return this.#slots.reduce((count, slot) => count + (slot.running === undefined ? 0 : 1), 0);
  }

  #mostRunning(): number {
    return this.#options.mode === "sequential" ? 1 : this.#slots.length;
  }

  /** First come, first served; a request that insists on a busy slot lets the others by. */
  #admit(startNs: number): LoadSettings | undefined {
    const left: Waiting[] = [];
    const mostRunning = this.#mostRunning();
    let running = this.#runningRequests();
    let load: LoadSettings | undefined;
    let closed = false;
    for (const waiting of this.#queue) {
      closed ||= waiting.submittedNs > startNs || running === mostRunning;
      if (!closed && !this.#isLoadedFor(waiting.request)) {
        // Other settings mean another load, and that waits until every slot is free.
        closed = true;
        if (running === 0) load = waiting.request.load ?? this.#options.defaults;
      }
      const slot = closed ? undefined : chooseSlot(this.#slots, waiting.request);
      if (slot === undefined) left.push(waiting);
      else {
        this.#start(slot, waiting, startNs);
        running++;
      }
    }
    this.#queue = left;
    return load;
  }

  #isLoadedFor(request: SimulatedRequest): boolean {
    const loaded = this.#loaded;
    if (loaded === undefined) return false;
    const wanted = request.load ?? loaded;
    return wanted.contextTokens === loaded.contextTokens && wanted.gpuLayers === loaded.gpuLayers;
  }

  #start(slot: Slot, waiting: Waiting, startNs: number): void {
    const cachedTokens = reusableTokens(slot, waiting.request);
    slot.lastUse = ++this.#uses;
    slot.cache = EMPTY_CACHE;
    slot.running = {
      request: waiting.request,
      submittedNs: waiting.submittedNs,
      startedNs: startNs,
      loadNs: waiting.loadNs,
      cachedTokens,
      outputTokens: waiting.outputTokens,
      prefilledTokens: cachedTokens,
      emittedTokens: 0,
      firstTokenNs: 0,
    };
  }

  #finishLoad(step: Step, load: LoadSettings): void {
    this.#loaded = load;
    for (const slot of this.#slots) slot.cache = EMPTY_CACHE;
    for (const waiting of this.#queue)
      if (waiting.submittedNs < step.endNs)
        waiting.loadNs += step.endNs - Math.max(step.startNs, waiting.submittedNs);
  }

  #plan(): readonly Share[] {
    const { mode, batchTokens } = this.#options;
    if (mode !== "time-shared") return planBatch(this.#slots, batchTokens);
    const shares = planTurn(this.#slots, this.#turn, batchTokens);
    this.#turn = ((shares[0]?.slot.id ?? 0) + 1) % this.#slots.length;
    return shares;
  }
}
