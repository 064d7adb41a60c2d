/**
 * One closed-loop agent: it sends its next request when the last one is answered and its cadence
 * allows. Everything it does is timed into disjoint parts, so that an agent's time can be explained.
 */
import { messageOf } from "../core/errors.ts";
import type { Outcome } from "../record/request-record.ts";
import { WINDOW_ENDED } from "../record/request-record.ts";
import { specHash } from "../core/ids.ts";
import { randomStream } from "../core/random.ts";
import { NS_PER_MS, nsToMs } from "../core/units.ts";
import type { Completion, GenerateRequest } from "../engines/engine.ts";
import type { AgentTime } from "../record/trial-record.ts";
import type { AgentProgram, ProgramContext, ProgramStep, StepResult } from "../workload/agent-program.ts";
import { makeNonce, makePrompt, UNCALIBRATED } from "../workload/prompt.ts";
import type { AgentSpec } from "../workload/scenario.ts";
import { cadenceOf } from "../workload/scenario.ts";
import { makeTurn } from "../workload/tool-result.ts";
import type { ConnectedEndpoint } from "./endpoint.ts";
import { failureOf, retryWaitMs } from "./failure.ts";
import { samplingOptions } from "./sampling.ts";
import { toRequestRecord } from "./to-record.ts";
import type { TrialContext } from "./trial-context.ts";

/**
 * In a set time an agent goes on after a failure, and a server that refuses at once would be asked
 * thousands of times a second: a failed turn is followed by a pause of this length.
 */
const PAUSE_AFTER_FAILURE_MS = 1_000;

/** A turn that is due after the set time waits for its end, which interrupts the wait. */
const NEVER_NS = Number.MAX_SAFE_INTEGER;

/** Integer nanoseconds, summed as the agent goes. */
interface Parts {
  requestNs: number;
  fileNs: number;
  waitNs: number;
  queueNs: number;
  requests: number;
  failures: number;
}

/** Runs one agent from the barrier to its last answer. Failed requests are records, never throws. */
export class AgentLoop {
  readonly #agent: AgentSpec;
  readonly #endpoint: ConnectedEndpoint;
  readonly #model: string;
  readonly #trial: TrialContext;
  readonly #contextTokens: number | undefined;
  readonly #parts: Parts = { requestNs: 0, fileNs: 0, waitNs: 0, queueNs: 0, requests: 0, failures: 0 };
  #scheduledNs = 0;
  #lastEndNs = 0;
  #position = 0;
  #lastFailed = false;

  /** `contextTokens`: of one slot, where the server states it. */
  constructor(
    agent: AgentSpec,
    model: string,
    endpoint: ConnectedEndpoint,
    trial: TrialContext,
    contextTokens: number | undefined,
  ) {
    this.#contextTokens = contextTokens;
    this.#agent = agent;
    this.#model = model;
    this.#endpoint = endpoint;
    this.#trial = trial;
  }

  async run(program: AgentProgram, barrierNs: number): Promise<AgentTime> {
    this.#scheduledNs = barrierNs;
    this.#lastEndNs = barrierNs;
    const steps = program(this.#programContext());
    let next = steps.next();
    while (next.done !== true && !this.#trial.signal.aborted)
      next = steps.next(await this.#perform(next.value));
    return this.#agentTime(barrierNs);
  }

  #programContext(): ProgramContext {
    const { seed, promptKey, promptCold, window } = this.#trial;
    const vocabulary = this.#endpoint.vocabularies.get(this.#model) ?? UNCALIBRATED;
    const random = (purpose: string, position: number) =>
      randomStream(seed, purpose, this.#agent.name, position, promptKey);
    return {
      agent: this.#agent.name,
      random,
      promptOf: (targetTokens, stream) => makePrompt(vocabulary, targetTokens, stream),
      turnOf: (sizes, stream) => makeTurn(vocabulary, sizes, stream),
      ...(this.#contextTokens === undefined ? {} : { contextTokens: this.#contextTokens }),
      nonce: (position) => {
        if (!promptCold) return "";
        return `${makeNonce(vocabulary, random("nonce", position))}\n`;
      },
      settings: window === undefined ? this.#agent : { ...this.#agent, requests: Infinity },
    };
  }

  async #perform(step: ProgramStep): Promise<StepResult> {
    switch (step.kind) {
      case "read-corpus": {
        const startNs = this.#trial.clock.nowNs();
        try {
          return { kind: "corpus", files: await this.#trial.readCorpus() };
        } catch (thrown) {
          this.#parts.failures++;
          this.#trial.onRequestEnd?.(this.#agent.name, messageOf(thrown));
          return { kind: "failed", message: messageOf(thrown) };
        } finally {
          this.#parts.fileNs += this.#trial.clock.nowNs() - startNs;
        }
      }
      case "request":
        return this.#request(step);
    }
  }

  async #request(step: Extract<ProgramStep, { kind: "request" }>): Promise<StepResult> {
    const position = this.#position++;
    if (position > 0) await this.#awaitCadence();
    for (let attempt = 0; ; attempt++) {
      const completion = await this.#attempt(step, position, attempt);
      if (completion === undefined) return { kind: "failed", message: "interrupted" };
      if (completion.outcome.kind === "ok") return answerOf(completion);
      const waitMs = retryWaitMs(completion, attempt);
      if (attempt >= this.#trial.retries || waitMs === undefined) return failedStep(completion.outcome);
      await this.#waitUntil(this.#trial.clock.nowNs() + waitMs * NS_PER_MS);
    }
  }

  /** Start to start: max(previous scheduled + cadence, previous end). End to start: previous end + think. */
  async #awaitCadence(): Promise<void> {
    const cadence = cadenceOf(this.#agent);
    const pauseMs = this.#lastFailed && this.#trial.window !== undefined ? PAUSE_AFTER_FAILURE_MS : 0;
    const freeNs = this.#lastEndNs + pauseMs * NS_PER_MS;
    this.#scheduledNs =
      "everyMs" in cadence
        ? Math.max(this.#scheduledNs + Math.round(cadence.everyMs * NS_PER_MS), freeNs)
        : Math.max(this.#lastEndNs + Math.round(cadence.thinkMs * NS_PER_MS), freeNs);
    const isOpen = this.#trial.window?.isOpenAt(this.#scheduledNs) !== false;
    await this.#waitUntil(isOpen ? this.#scheduledNs : NEVER_NS);
  }

  async #waitUntil(atNs: number): Promise<void> {
    const { clock, signal } = this.#trial;
    const startNs = clock.nowNs();
    if (atNs <= startNs) return;
    try {
      await clock.sleepUntil(atNs, signal);
    } catch {
      // Interrupted: the caller sees the signal; the time waited still counts.
    }
    this.#parts.waitNs += clock.nowNs() - startNs;
  }

  /** One attempt at a request; undefined when it was interrupted before anything was sent. */
  async #attempt(
    step: Extract<ProgramStep, { kind: "request" }>,
    position: number,
    attempt: number,
  ): Promise<Completion | undefined> {
    const { clock, signal, limits } = this.#trial;
    const { inFlight } = this.#endpoint;
    const queuedNs = clock.nowNs();
    const free = inFlight.tryAcquire();
    const release = free ?? (await inFlight.acquire(signal).catch(() => undefined));
    if (release === undefined || signal.aborted) {
      release?.();
      return undefined;
    }
    const clientQueueNs = free === undefined ? clock.nowNs() - queuedNs : 0;
    this.#parts.queueNs += clientQueueNs;
    try {
      const request = this.#generateRequest(step);
      const startNs = clock.nowNs();
      let shownEvents = 0;
      const ended = await this.#endpoint.engine.generate(request, {
        clock,
        limits,
        signal,
        onProgress: (textEvents) => {
          this.#trial.window?.count(textEvents - shownEvents);
          shownEvents = textEvents;
          this.#trial.onProgress?.(this.#agent.name, textEvents);
        },
      });
      const completion = { ...ended, outcome: this.#outcome(ended.outcome) };
      this.#parts.requestNs += completion.endNs - (completion.sentNs ?? startNs);
      this.#lastEndNs = completion.endNs;
      this.#parts.requests++;
      this.#lastFailed = failureOf(completion.outcome) !== undefined;
      if (this.#lastFailed) this.#parts.failures++;
      this.#record(step, position, attempt, completion, request, clientQueueNs);
      return completion;
    } finally {
      release();
    }
  }

  /** Whatever an engine says of a cancellation: at the end of the window it has one reason. */
  #outcome(outcome: Outcome): Outcome {
    const isEnd = this.#trial.window?.signal.aborted === true;
    return isEnd && outcome.kind === "cancelled" ? { kind: "cancelled", reason: WINDOW_ENDED } : outcome;
  }

  #generateRequest(step: Extract<ProgramStep, { kind: "request" }>): GenerateRequest {
    return {
      model: this.#model,
      messages: step.messages,
      options: samplingOptions(this.#agent, this.#endpoint, {
        maxTokens: step.maxTokens,
        ...(step.forcedTokens === undefined ? {} : { forcedTokens: step.forcedTokens }),
        cache: this.#isCold(step) ? "unwanted" : "wanted",
      }),
      stream: true,
    };
  }

  #isCold({ cache }: Extract<ProgramStep, { kind: "request" }>): boolean {
    return this.#trial.promptCold && cache === undefined;
  }

  #record(
    step: Extract<ProgramStep, { kind: "request" }>,
    position: number,
    attempt: number,
    completion: Completion,
    request: GenerateRequest,
    clientQueueNs: number,
  ): void {
    const { trialId, originNs, sink } = this.#trial;
    const { maxTokens } = request.options;
    const suffix = attempt === 0 ? "" : `.r${attempt}`;
    const lines = toRequestRecord({
      completion,
      requestId: `${trialId}/${this.#agent.name}/${position}${suffix}`,
      trialId,
      agent: this.#agent.name,
      phase: "measured",
      position,
      step: step.name,
      endpoint: this.#endpoint.name,
      engine: this.#endpoint.engine.kind,
      model: this.#model,
      originNs,
      scheduledNs: this.#scheduledNs,
      ...(step.inputTargetTokens === undefined ? {} : { inputTarget: step.inputTargetTokens }),
      ...(maxTokens === undefined ? {} : { outputLimit: maxTokens }),
      ...(clientQueueNs > 0 ? { clientQueueMs: nsToMs(clientQueueNs) } : {}),
      promptCold: this.#isCold(step),
      promptHash: specHash(request.messages),
    });
    sink.request(lines.record, lines.chunks);
    this.#trial.onRequestEnd?.(this.#agent.name, failureOf(completion.outcome));
  }

  #agentTime(barrierNs: number): AgentTime {
    const { requestNs, fileNs, waitNs, queueNs, requests, failures } = this.#parts;
    // In a set time, waiting for the next turn when it is over was part of the agent's time.
    const wasCutShort = this.#trial.window?.signal.aborted === true;
    const untilNs = wasCutShort ? this.#trial.clock.nowNs() : this.#lastEndNs;
    const totalNs = Math.max(untilNs - barrierNs, 0);
    const otherNs = Math.max(totalNs - requestNs - fileNs - waitNs - queueNs, 0);
    return {
      agent: this.#agent.name,
      totalMs: nsToMs(totalNs),
      requestMs: nsToMs(requestNs),
      fileMs: nsToMs(fileNs),
      waitMs: nsToMs(waitNs),
      queueMs: nsToMs(queueNs),
      otherMs: nsToMs(otherNs),
      requests,
      failures,
    };
  }
}

function answerOf({ decoded }: Completion): StepResult {
  const { content: text, inputTokens, outputTokens } = decoded;
  return {
    kind: "answer",
    text,
    ...(inputTokens === undefined ? {} : { inputTokens }),
    ...(outputTokens === undefined ? {} : { outputTokens }),
  };
}

function failedStep(outcome: Outcome): StepResult {
  const message = failureOf(outcome) ?? "the set time was over";
  return { kind: "failed", message, ...(outcome.kind === "failed" ? { code: outcome.code } : {}) };
}
