/** Runs of two agents whose trials differ as little or as much as a test wants, solo trials included. */
import type { RunManifest } from "../../src/record/run-manifest.ts";
import type { TrialRecord } from "../../src/record/trial-record.ts";
import type { MadeRequest, MadeRun, MadeTrial } from "./recorded-run.ts";
import { madeRun } from "./recorded-run.ts";

export interface MadeCell {
  readonly cell: string;
  readonly scenario?: string;
  /** Decode rate of each agent together, one value per repeat. */
  readonly togetherTokS: readonly number[];
  /** Of both agents, together; default 150. */
  readonly ttftMs?: number;
  /** Requests of each agent; default 2. */
  readonly requests?: number;
  readonly tokens?: number;
  /** Both agents use the first endpoint. */
  readonly oneEndpoint?: boolean;
  readonly record?: (repeat: number) => Partial<TrialRecord>;
  readonly request?: (repeat: number, position: number) => Partial<MadeRequest>;
}

/** Alone, each agent: first token after 80 ms, then 114 tokens per second. */
const SOLO_TOK_S = 114;
const SOLO_TTFT_MS = 80;

export function twoAgentRun(cells: readonly MadeCell[], manifest: Partial<RunManifest> = {}): MadeRun {
  return madeRun(
    cells.flatMap((cell) => cell.togetherTokS.flatMap((tokS, repeat) => blockOf(cell, tokS, repeat))),
    manifest,
  );
}

function blockOf(cell: MadeCell, tokS: number, repeat: number): readonly MadeTrial[] {
  const { requests = 2, ttftMs = 150, oneEndpoint = false } = cell;
  const own = (rate: number, firstMs: number, together: boolean): readonly MadeRequest[] =>
    Array.from({ length: requests }, (_, position) => ({
      ...steady(rate, firstMs, cell.tokens ?? 128),
      ...(together ? cell.request?.(repeat, position) : {}),
      ...(oneEndpoint ? { record: { endpoint: "a" } } : {}),
    }));
  const record = { scenario: cell.scenario ?? "made", ...cell.record?.(repeat) };
  const common = { repeat, cell: cell.cell, record };
  const solo = own(SOLO_TOK_S, SOLO_TTFT_MS, false);
  return [
    { ...common, kind: "solo", agents: { collector: solo } },
    { ...common, kind: "solo", agents: { insight: solo } },
    {
      ...common,
      kind: "together",
      agents: { collector: own(tokS, ttftMs, true), insight: own(tokS - 1, ttftMs + 20, true) },
    },
  ];
}

function steady(tokS: number, ttftMs: number, tokens: number): MadeRequest {
  return { ttftMs, tokens, decodeMs: ((tokens - 1) * 1_000) / tokS };
}
