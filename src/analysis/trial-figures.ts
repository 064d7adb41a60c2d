/** The figures of one trial: each agent's, and those of all agents together. */
import { nsToMs } from "../core/units.ts";
import type { AgentTime } from "../record/trial-record.ts";
import { mean, median } from "../stats/quantile.ts";
import type { PooledRequests } from "./pooled-requests.ts";
import { pooledRequests } from "./pooled-requests.ts";
import { ratePerS } from "./request-figures.ts";
import type { RequestRows } from "./request-table.ts";
import type { AgentRun, FoldedTrial } from "./run-fold.ts";

/** What an agent's rates leave out: requests that failed or were cancelled, or have no token count. */
export interface ExcludedRequests {
  readonly requests: number;
  readonly outputTokens: number;
}

export interface AgentFigures {
  readonly agent: string;
  readonly endpoints: readonly string[];
  readonly steps: readonly string[];
  /** Requests that ended well. */
  readonly requests: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly excluded: ExcludedRequests;
  /** Of the requests that ended well. */
  readonly outputTokens: number | undefined;
  /** Σ output tokens ÷ Σ (end − sent), tokens per second; never a mean of per-request rates. */
  readonly throughputTokS: number | undefined;
  /** Σ tokens after each first event ÷ Σ (last − first token). */
  readonly decodeTokS: number | undefined;
  readonly ttftMedianMs: number | undefined;
  readonly latencyMedianMs: number | undefined;
  /** Barrier → the agent's last end. */
  readonly totalMs: number | undefined;
  /** Its parts: requests, files, waiting, queueing and the rest. */
  readonly time: AgentTime | undefined;
  readonly outputPerRequest: number | undefined;
  readonly inputPerRequest: number | undefined;
  /** Prompt tokens of the first request, which is built on no answer. */
  readonly firstInputTokens: number | undefined;
  /** Σ cached ÷ Σ prompt tokens of the requests that say both. */
  readonly cachedShare: number | undefined;
  readonly coldPromptShare: number | undefined;
  readonly promptFingerprint: number;
  readonly estimatedRequests: number;
  readonly coldLoads: number;
  /** Requests whose client stamps contradict the engine's own times. */
  readonly clientLate: number;
  /** Largest prompt + output of one request. */
  readonly mostContextTokens: number | undefined;
}

/** Tokens streamed inside a window, unfinished requests included. */
export interface WindowThroughput {
  readonly windowMs: number;
  readonly tokens: number;
  readonly tokS: number | undefined;
  /** `share`: some request straddles an edge and no chunk stamps say where its tokens lie. */
  readonly basis: "counted" | "share";
}

export interface TrialFigures {
  readonly agents: readonly AgentFigures[];
  readonly pooled: PooledRequests;
  /** Barrier → last end of all. */
  readonly wallMs: number;
  /** Of a trial of a set time: how long it was. Agents then end together, however they shared. */
  readonly windowMs: number | undefined;
  readonly whole: WindowThroughput;
  /** While all agents are busy; `undefined` where an agent's end is not known, or it was never answered. */
  readonly steady: WindowThroughput | undefined;
}

export function trialFigures(trial: FoldedTrial): TrialFigures {
  const { record } = trial;
  const wallMs = wallOf(trial);
  const windowMs = record.windowNs === undefined ? undefined : nsToMs(record.windowNs);
  const runs = [...trial.agents.values()];
  const steady = trial.steady;
  const timeOf = new Map(record.agentTimes.map((time) => [time.agent, time]));
  const agents = record.agents.flatMap((agent) => {
    const run = trial.agents.get(agent);
    return run === undefined ? [] : [agentFigures(run, timeOf.get(agent))];
  });
  const answered = agents.filter((agent) => agent.requests > 0).length;
  return {
    pooled: pooledRequests(runs.map((run) => run.rows)),
    agents,
    wallMs,
    windowMs,
    // In a set time, only what a request that is being cancelled still received comes after the window.
    whole: throughput(windowMs ?? wallMs, sumOf(runs, "outputTokens"), "counted"),
    steady:
      steady === undefined || answered < record.agents.length
        ? undefined
        : throughput(
            nsToMs(steady.toNs - steady.fromNs),
            sumOf(runs, "steadyTokens"),
            sumOf(runs, "steadyShare") > 0 ? "share" : "counted",
          ),
  };
}

/** The latest of the agents' last ends; the trial's own end where no agent has a time. */
function wallOf({ record }: FoldedTrial): number {
  const times = record.agentTimes.map((time) => time.totalMs);
  return times.length === 0 ? nsToMs(record.endNs - record.barrierNs) : Math.max(...times);
}

function sumOf(runs: readonly AgentRun[], column: "outputTokens" | "steadyTokens" | "steadyShare"): number {
  return runs.reduce((total, run) => total + run.rows.sum(column), 0);
}

function throughput(windowMs: number, tokens: number, basis: WindowThroughput["basis"]): WindowThroughput {
  return { windowMs, tokens, tokS: ratePerS(tokens, windowMs), basis };
}

function agentFigures(run: AgentRun, time: AgentTime | undefined): AgentFigures {
  const { rows } = run;
  const ok = rows.where((index) => rows.at(index, "ok") === 1);
  const counted = ok.where((index) => ok.at(index, "outputTokens") !== undefined);
  const outputTokens = counted.length === 0 ? undefined : counted.sum("outputTokens");
  const decodeMs = ok.sum("decodeMs");
  const cancelled = rows.sum("cancelled");
  return {
    agent: run.agent,
    endpoints: run.endpoints,
    steps: run.steps,
    requests: ok.length,
    failed: rows.length - ok.length - cancelled,
    cancelled,
    excluded: {
      requests: rows.length - counted.length,
      outputTokens: rows.sum("outputTokens") - (outputTokens ?? 0),
    },
    outputTokens,
    throughputTokS: outputTokens === undefined ? undefined : ratePerS(outputTokens, counted.sum("latencyMs")),
    decodeTokS: ratePerS(ok.sum("decodeTokens"), decodeMs),
    ttftMedianMs: median(ok.values("ttftMs")),
    latencyMedianMs: median(ok.values("latencyMs")),
    totalMs: time?.totalMs,
    time,
    outputPerRequest: mean(counted.values("outputTokens")),
    inputPerRequest: mean(ok.values("inputTokens")),
    firstInputTokens: mean(ok.where((index) => ok.at(index, "position") === 0).values("inputTokens")),
    cachedShare: cachedShare(ok),
    coldPromptShare: mean(ok.values("promptCold")),
    promptFingerprint: promptFingerprint(ok),
    estimatedRequests: ok.sum("estimated"),
    coldLoads: ok.where((index) => (ok.at(index, "coldLoadMs") ?? 0) > 0).length,
    clientLate: ok.where((index) => (ok.at(index, "clientLateMs") ?? 0) > 0).length,
    mostContextTokens: mostContextTokens(rows),
  };
}

function cachedShare(rows: RequestRows): number | undefined {
  const both = rows.where(
    (index) => rows.at(index, "cachedTokens") !== undefined && rows.at(index, "inputTokens") !== undefined,
  );
  const input = both.sum("inputTokens");
  return input > 0 ? both.sum("cachedTokens") / input : undefined;
}

/** Equal for equal prompts at equal positions, whatever order the requests ended in. */
function promptFingerprint(rows: RequestRows): number {
  let fingerprint = 0;
  for (let index = 0; index < rows.length; index++) {
    const position = rows.at(index, "position") ?? 0;
    fingerprint =
      (fingerprint + (rows.at(index, "promptHash") ?? 0) * (position + 1)) % Number.MAX_SAFE_INTEGER;
  }
  return fingerprint;
}

function mostContextTokens(rows: RequestRows): number | undefined {
  let most: number | undefined;
  for (let index = 0; index < rows.length; index++) {
    const input = rows.at(index, "inputTokens");
    if (input === undefined) continue;
    most = Math.max(most ?? 0, input + (rows.at(index, "outputTokens") ?? 0));
  }
  return most;
}
