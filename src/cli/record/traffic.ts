/** What passed through a recording so far, by agent: for the live line, the summary and the trial's line. */
import { UNKNOWN, formatNumber, nsToMs, nsToS } from "../../core/units.ts";
import type { RequestRecord } from "../../record/request-record.ts";
import type { AgentTime } from "../../record/trial-record.ts";

export interface AgentTraffic {
  readonly agent: string;
  readonly requests: number;
  readonly failures: number;
  readonly cancelled: number;
  readonly outputTokens: number;
  /** Some answer came without the server's own count. */
  readonly estimated: boolean;
  /** Σ output tokens / Σ (end − sent) over answered requests; absent when there was none. */
  readonly outputTokensPerS?: number;
}

interface Sums {
  requests: number;
  failures: number;
  cancelled: number;
  outputTokens: number;
  estimated: boolean;
  answeredNs: number;
  requestNs: number;
  lastEndNs: number;
}

export class Traffic {
  readonly #byAgent = new Map<string, Sums>();
  #simulated = false;

  /** Whether any answer came from the simulated engine. */
  get simulated(): boolean {
    return this.#simulated;
  }

  add(record: RequestRecord): void {
    const sums = this.#sumsOf(record.agent);
    const { stamps, tokens, outcome } = record;
    const requestNs = stamps.endNs - (stamps.sentNs ?? stamps.endNs);
    sums.requests++;
    sums.requestNs += requestNs;
    sums.lastEndNs = Math.max(sums.lastEndNs, stamps.endNs);
    this.#simulated ||= record.simulated;
    switch (outcome.kind) {
      case "ok":
        sums.answeredNs += requestNs;
        sums.outputTokens += tokens.output ?? 0;
        sums.estimated ||= tokens.outputSource === "estimated";
        return;
      case "cancelled":
        sums.cancelled++;
        return;
      case "failed":
        sums.failures++;
    }
  }

  agents(): readonly AgentTraffic[] {
    return [...this.#byAgent].map(([agent, sums]) => ({
      agent,
      requests: sums.requests,
      failures: sums.failures,
      cancelled: sums.cancelled,
      outputTokens: sums.outputTokens,
      estimated: sums.estimated,
      ...(sums.answeredNs > 0 && { outputTokensPerS: sums.outputTokens / nsToS(sums.answeredNs) }),
    }));
  }

  /** A client's own time is unknown to us beyond its requests, so all else is `other`. */
  agentTimes(): readonly AgentTime[] {
    return [...this.#byAgent].map(([agent, sums]) => {
      const totalMs = nsToMs(sums.lastEndNs);
      const requestMs = nsToMs(sums.requestNs);
      return {
        agent,
        totalMs,
        requestMs,
        fileMs: 0,
        waitMs: 0,
        queueMs: 0,
        otherMs: Math.max(totalMs - requestMs, 0),
        requests: sums.requests,
        failures: sums.failures,
      };
    });
  }

  #sumsOf(agent: string): Sums {
    const known = this.#byAgent.get(agent);
    if (known !== undefined) return known;
    const sums: Sums = {
      requests: 0,
      failures: 0,
      cancelled: 0,
      outputTokens: 0,
      estimated: false,
      answeredNs: 0,
      requestNs: 0,
      lastEndNs: 0,
    };
    this.#byAgent.set(agent, sums);
    return sums;
  }
}

export const TRAFFIC_COLUMNS: readonly string[] = [
  "agent",
  "requests",
  "failed",
  "cancelled",
  "output tokens",
  "tok/s",
];

export function trafficRow(one: AgentTraffic): readonly string[] {
  const mark = one.estimated ? " (estimated)" : "";
  return [
    one.agent,
    String(one.requests),
    String(one.failures),
    String(one.cancelled),
    `${one.outputTokens}${mark}`,
    one.outputTokensPerS === undefined ? UNKNOWN : formatNumber(one.outputTokensPerS),
  ];
}
