/**
 * A run, folded line by line. Trial records come first, since they say which window of a trial is
 * steady; then every request; then, where kept, every chunk line, which refines what the request
 * lines alone could only estimate.
 */
import { assert } from "../core/assert.ts";
import { msToNs, NS_PER_US, nsToMs } from "../core/units.ts";
import type { ChunkRecord, RequestRecord } from "../record/request-record.ts";
import type { Membership } from "../record/run-source.ts";
import type { TrialRecord } from "../record/trial-record.ts";
import { LogHistogram } from "../stats/log-histogram.ts";
import { clientLateMs } from "./client-late.ts";
import {
  coldLoadMs,
  decodePart,
  firstEventTokens,
  firstVisibleMs,
  latencyMs,
  meanItlMs,
  responseLatencyMs,
  responseTtftMs,
  ttftMs,
} from "./request-figures.ts";
import type { Row } from "./request-table.ts";
import { RequestRows, RequestTable } from "./request-table.ts";
import type { TokensInWindow, WindowNs } from "./token-window.ts";
import { chunkTokensInWindow, tokensInWindow } from "./token-window.ts";

/** One agent's requests in one trial. */
export interface AgentRun {
  readonly agent: string;
  readonly rows: RequestRows;
  readonly steps: readonly string[];
  readonly endpoints: readonly string[];
}

export interface FoldedTrial {
  readonly record: TrialRecord;
  /** From the barrier until the first agent is done: all agents are busy. */
  readonly steady: WindowNs | undefined;
  /** All that took part, those that sent nothing too: what the others did is not what the trial did. */
  readonly agents: ReadonlyMap<string, AgentRun>;
}

/** Distributions over the chunks of one agent's together trials of one cell. */
export interface ChunkGaps {
  /** Between text events, all of them. */
  readonly gapsMs: LogHistogram;
  /** Gap ÷ tokens of the chunk, where the server streams token counts. */
  readonly itlMs: LogHistogram;
}

export interface FoldTotals {
  readonly measured: number;
  readonly warmUp: number;
  /** Requests of trials that did not finish; no figure contains them. */
  readonly unfinished: number;
  /** Of the measured ones; what is in neither was cancelled. */
  readonly answered: number;
  readonly failed: number;
  readonly failuresByCode: Readonly<Record<string, number>>;
}

export interface FoldedRun {
  readonly trials: readonly FoldedTrial[];
  /** Measured requests whose server gave counts that cannot be true; `first` says which the first of them lost. */
  readonly discarded: { readonly requests: number; readonly first: string | undefined };
  readonly chunkGaps: (cellHash: string, agent: string) => ChunkGaps | undefined;
  readonly totals: FoldTotals;
}

interface OpenTrial {
  readonly record: TrialRecord;
  readonly steady: WindowNs | undefined;
  readonly groups: Map<string, number>;
}

/** A request whose tokens lie on both sides of a steady window's edge. */
interface Straddler {
  readonly row: number;
  readonly outputTokens: number;
  readonly window: WindowNs;
}

export class RunFold {
  readonly #table = new RequestTable();
  readonly #trials = new Map<string, OpenTrial>();
  readonly #names: string[] = [];
  readonly #codes = new Map<string, number>();
  readonly #gaps = new Map<string, ChunkGaps>();
  readonly #straddlers = new Map<string, Straddler>();
  /** Warm-up and failed requests: their gaps enter no distribution. Few, or the run is worthless. */
  readonly #withoutGaps = new Set<string>();
  readonly #failures = new Map<string, number>();
  #groups = 0;
  #measured = 0;
  #answered = 0;
  #warmUp = 0;
  #unfinished = 0;
  #discarded = 0;
  #firstDiscarded: string | undefined;

  constructor(trials: readonly TrialRecord[]) {
    for (const record of trials)
      if (record.status === "complete")
        this.#trials.set(record.trialId, { record, steady: steadyWindow(record), groups: new Map() });
  }

  request(record: RequestRecord, membership: Membership = "finished"): void {
    const trial = this.#trials.get(record.trialId);
    if (record.phase === "warm-up") {
      this.#warmUp++;
      this.#withoutGaps.add(record.requestId);
      return;
    }
    if (trial === undefined || membership === "unfinished") {
      this.#unfinished++;
      return;
    }
    this.#measured++;
    if (record.discardedCounts !== undefined) {
      this.#discarded++;
      this.#firstDiscarded ??= record.discardedCounts;
    }
    if (record.outcome.kind === "ok") this.#answered++;
    else this.#withoutGaps.add(record.requestId);
    if (record.outcome.kind === "failed")
      this.#failures.set(record.outcome.code, (this.#failures.get(record.outcome.code) ?? 0) + 1);
    const inSteady = trial.steady === undefined ? undefined : tokensInWindow(record, trial.steady);
    const row = this.#table.add(this.#groupOf(trial, record.agent), this.#rowOf(record, inSteady));
    if (inSteady?.basis === "share" && trial.steady !== undefined && record.tokens.output !== undefined)
      this.#straddlers.set(record.requestId, {
        row,
        outputTokens: record.tokens.output,
        window: trial.steady,
      });
  }

  /** After the requests. */
  chunks(record: ChunkRecord, membership: Membership = "finished"): void {
    if (membership === "unfinished") return;
    const straddler = this.#straddlers.get(record.requestId);
    if (straddler !== undefined) {
      const tokens = chunkTokensInWindow(record, straddler.outputTokens, straddler.window);
      this.#table.set(straddler.row, "steadyTokens", tokens);
      this.#table.set(straddler.row, "steadyShare", 0);
    }
    if (!this.#withoutGaps.has(record.requestId)) this.#addGaps(record);
  }

  finish(): FoldedRun {
    const rows = this.#table.rowsByGroup(this.#groups);
    const agentRun = ([agent, group]: readonly [string, number]): readonly [string, AgentRun] => {
      const own = rows[group];
      assert(own !== undefined, "every group has rows");
      return [
        agent,
        { agent, rows: own, steps: this.#decode(own, "step"), endpoints: this.#decode(own, "endpoint") },
      ];
    };
    return {
      trials: [...this.#trials.values()].map(({ record, steady, groups }) => ({
        record,
        steady,
        agents: new Map([
          ...record.agents.map((agent) => [agent, this.#silent(agent)] as const),
          ...[...groups].map(agentRun),
        ]),
      })),
      discarded: { requests: this.#discarded, first: this.#firstDiscarded },
      chunkGaps: (cellHash, agent) => this.#gaps.get(`${cellHash}/${agent}`),
      totals: {
        measured: this.#measured,
        answered: this.#answered,
        warmUp: this.#warmUp,
        unfinished: this.#unfinished,
        failed: [...this.#failures.values()].reduce((total, count) => total + count, 0),
        failuresByCode: Object.fromEntries(this.#failures),
      },
    };
  }

  #silent(agent: string): AgentRun {
    return { agent, rows: new RequestRows(this.#table, new Int32Array(0)), steps: [], endpoints: [] };
  }

  #groupOf(trial: OpenTrial, agent: string): number {
    const known = trial.groups.get(agent);
    if (known !== undefined) return known;
    trial.groups.set(agent, this.#groups);
    return this.#groups++;
  }

  #rowOf(record: RequestRecord, inSteady: TokensInWindow | undefined): Row {
    const ok = record.outcome.kind === "ok";
    const figure = (of: (record: RequestRecord) => number | undefined): number | undefined =>
      ok ? of(record) : undefined;
    const decode = decodePart(record);
    const { stamps, tokens, split } = record;
    return {
      position: record.position,
      ok: ok ? 1 : 0,
      cancelled: record.outcome.kind === "cancelled" ? 1 : 0,
      sentMs: stamps.sentNs === undefined ? undefined : nsToMs(stamps.sentNs),
      ttftMs: figure(ttftMs),
      responseTtftMs: figure(responseTtftMs),
      firstVisibleMs: figure(firstVisibleMs),
      latencyMs: figure(latencyMs),
      responseLatencyMs: figure(responseLatencyMs),
      meanItlMs: figure(meanItlMs),
      decodeTokens: decode?.tokens,
      decodeMs: decode?.ms,
      firstEventTokens: firstEventTokens(record),
      outputTokens: tokens.output,
      estimated: tokens.outputSource === "estimated" ? 1 : 0,
      steadyTokens: inSteady?.tokens,
      steadyShare: inSteady?.basis === "share" ? 1 : 0,
      inputTokens: tokens.input,
      inputTargetTokens: tokens.inputTarget,
      cachedTokens: tokens.cached,
      promptCold: record.promptCold ? 1 : 0,
      promptHash: hashNumber(record.promptHash),
      coldLoadMs: coldLoadMs(record),
      engineQueueMs: split?.queueMs,
      engineLoadMs: split?.loadMs,
      enginePrefillMs: split?.prefillMs,
      engineDecodeMs: split?.decodeMs,
      engineDecodeTokens: split?.decodeTokens,
      clientLateMs: figure(clientLateMs),
      step: this.#encode(record.step),
      endpoint: this.#encode(record.endpoint),
    };
  }

  #addGaps(record: ChunkRecord): void {
    const [trialId, agent] = ownerOf(record.requestId);
    const trial = this.#trials.get(trialId);
    if (trial === undefined || trial.record.kind !== "together") return;
    const key = `${trial.record.cellHash}/${agent}`;
    let own = this.#gaps.get(key);
    if (own === undefined) {
      own = { gapsMs: new LogHistogram(), itlMs: new LogHistogram() };
      this.#gaps.set(key, own);
    }
    for (let index = 0; index < record.gapsUs.length; index++) {
      const gapMs = ((record.gapsUs[index] as number) * NS_PER_US) / msToNs(1);
      own.gapsMs.add(gapMs);
      const tokens = record.tokens?.[index + 1] ?? 0;
      if (tokens > 0) own.itlMs.add(gapMs / tokens, tokens);
    }
  }

  #encode(name: string): number {
    const known = this.#codes.get(name);
    if (known !== undefined) return known;
    this.#codes.set(name, this.#names.length);
    return this.#names.push(name) - 1;
  }

  #decode(rows: RequestRows, column: "step" | "endpoint"): readonly string[] {
    return [...new Set(rows.values(column))].map((code) => this.#names[code] as string);
  }
}

/** From the barrier to the earliest of the agents' last ends; `undefined` where an agent's time is missing. */
function steadyWindow(record: TrialRecord): WindowNs | undefined {
  const times = record.agentTimes.map((time) => time.totalMs);
  if (times.length === 0 || times.length < record.agents.length) return undefined;
  return { fromNs: record.barrierNs, toNs: record.barrierNs + msToNs(Math.min(...times)) };
}

/** Request ids are `<trialId>/<agent>/<position>`; neither of the latter holds a slash. */
function ownerOf(requestId: string): readonly [trialId: string, agent: string] {
  const beforePosition = requestId.lastIndexOf("/");
  const beforeAgent = requestId.lastIndexOf("/", beforePosition - 1);
  return [requestId.slice(0, beforeAgent), requestId.slice(beforeAgent + 1, beforePosition)];
}

/** Twelve hex digits are 48 bits, which a double holds exactly. */
const HASH_DIGITS = 12;

function hashNumber(hex: string): number | undefined {
  const value = Number.parseInt(hex.slice(0, HASH_DIGITS), 16);
  return Number.isNaN(value) ? undefined : value;
}
