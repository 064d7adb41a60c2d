/**
 * What a reader must know before believing a figure, each with what to do about it. A warning is
 * given once per run and says how often it applies.
 */
import type { ClientHealth } from "../record/trial-record.ts";
import type { EndpointFacts, RunManifest } from "../record/run-manifest.ts";
import { tukeyFences } from "../stats/outliers.ts";
import type { BlockAgent, BlockAnalysis } from "./block.ts";
import type { CellAnalysis } from "./cell.ts";
import { lengthsDiffer } from "./comparability.ts";
import type { FoldedRun } from "./run-fold.ts";

export interface RunWarning {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/**
 * Where a figure stops being the server's. 10 ms of event-loop delay is a third of the time to
 * first token of a small local model; a client at 70 % of a core makes arrivals wait for each
 * other more than three times their own cost (1 ÷ (1 − 0.7), one queue).
 */
const MOST_LOOP_LAG_MS = 10;
const MOST_CLIENT_CPU_PCT = 70;

interface WarningInput {
  readonly manifest: Pick<RunManifest, "endpoints" | "plannedTrials">;
  readonly run: FoldedRun;
  readonly cells: readonly CellAnalysis[];
}

type Check = (input: WarningInput) => readonly RunWarning[];

/** In the order of how much they change what may be concluded. */
const CHECKS: readonly Check[] = [
  failures,
  unfinished,
  notCompared,
  clientLate,
  slotsBelowAgents,
  contextExceeded,
  coldModel,
  clientBottleneck,
  outputLengths,
  estimatedTokens,
  outliers,
  fewRequests,
];

/** What the runner noted in its trials comes after, unless one of the checks says the same. */
export function runWarnings(input: WarningInput): readonly RunWarning[] {
  const warnings = CHECKS.flatMap((check) => check(input));
  const known = new Set(warnings.map((warning) => warning.code));
  for (const trial of input.run.trials)
    for (const { code, message, remedy } of trial.record.warnings)
      if (!known.has(code)) {
        known.add(code);
        warnings.push({ code, message, remedy });
      }
  return warnings;
}

function failures({ run }: WarningInput): readonly RunWarning[] {
  const { failed, failuresByCode, measured } = run.totals;
  if (failed === 0) return [];
  const trials = run.trials.filter((trial) => trial.record.failures > 0).length;
  const codes = Object.entries(failuresByCode)
    .map(([code, count]) => `${code} ${count}`)
    .join(", ");
  return [
    {
      code: "FAILED_REQUESTS",
      message: `${failed} of ${measured} requests failed, in ${count(trials, "trial")} (${codes}). Agent rates, TTFT and latency leave them out; aggregate throughput counts what they streamed`,
      remedy: "look up the codes in docs/errors.md; slipway doctor shows whether the endpoint is well",
    },
  ];
}

function unfinished({ manifest, run }: WarningInput): readonly RunWarning[] {
  const missing = manifest.plannedTrials - run.trials.length;
  if (missing <= 0) return [];
  return [
    {
      code: "TRIALS_MISSING",
      message: `${missing} of ${count(manifest.plannedTrials, "planned trial")} did not finish and enter no figure`,
      remedy: "complete the run with slipway bench --resume",
    },
  ];
}

function notCompared({ cells }: WarningInput): readonly RunWarning[] {
  const reasons = new Map<string, { message: string; trials: number }>();
  for (const { block, agent } of blockAgents(cells)) {
    if (block.agents.length < 2 || agent.comparability.kind === "comparable") continue;
    const { reason, message } = agent.comparability;
    if (reason === "client-late") continue;
    const seen = reasons.get(reason);
    reasons.set(reason, { message: seen?.message ?? message, trials: (seen?.trials ?? 0) + 1 });
  }
  return [...reasons].map(([reason, { message, trials }]) => ({
    code: NOT_COMPARED_CODE[reason as keyof typeof NOT_COMPARED_CODE],
    message: `true speedup, retention and gain are missing for ${count(trials, "agent trial")}: ${message}`,
    remedy: NOT_COMPARED_REMEDY[reason as keyof typeof NOT_COMPARED_REMEDY],
  }));
}

const NOT_COMPARED_CODE = {
  "no-solo": "SOLO_MISSING",
  "nothing-finished": "NOTHING_TO_COMPARE",
  "prompts-differ": "PROMPTS_DIFFER",
  "cache-differs": "CACHE_HITS_DIFFER",
} as const;

const NOT_COMPARED_REMEDY = {
  "no-solo": "run without --no-solo",
  "nothing-finished": "see the failures above",
  "prompts-differ": "fix the output length, so that later prompts built on earlier answers have equal length",
  "cache-differs": "set promptCache: cold, so that every prompt is computed whole",
} as const;

function clientLate({ run }: WarningInput): readonly RunWarning[] {
  const lateMs = run.trials.flatMap((trial) =>
    [...trial.agents.values()].flatMap(({ rows }) => [...rows.values("clientLateMs")]),
  );
  const late = lateMs.filter((ms) => ms > 0);
  if (late.length === 0) return [];
  return [
    {
      code: "CLIENT_LATE",
      message: `${late.length} of ${count(lateMs.length, "request")} came back faster than the engine says it worked, by up to ${Math.max(...late).toFixed(1)} ms: the client was too late to stamp it. Blocks with such a request give no true speedup, retention or gain`,
      remedy:
        "give the client a core of its own: measure from another machine or with fewer agents; slipway bench --selftest shows this machine's limits",
    },
  ];
}

function slotsBelowAgents({ manifest, cells }: WarningInput): readonly RunWarning[] {
  return manifest.endpoints.flatMap((endpoint) => {
    const { slots } = endpoint;
    const agents = Math.max(0, ...cells.map((cell) => agentsOn(endpoint.name, cell)));
    if (slots === undefined || agents <= slots) return [];
    return [
      {
        code: "SLOTS_BELOW_AGENTS",
        message: `endpoint ${endpoint.name} serves ${count(slots, "request")} at once and ${agents} agents used it: the rest queued, which is not batching`,
        remedy: slotRemedy(endpoint, agents),
      },
    ];
  });
}

function agentsOn(endpoint: string, cell: CellAnalysis): number {
  return cell.agents.filter((agent) => agent.endpoints.includes(endpoint)).length;
}

function slotRemedy({ engine }: EndpointFacts, agents: number): string {
  switch (engine) {
    case "ollama":
      return `restart Ollama with OLLAMA_NUM_PARALLEL=${agents}`;
    case "llama-server":
      return `restart llama-server with --parallel ${agents} (each slot gets its own part of --ctx-size)`;
    case "simulated":
      return `give the simulated engine --slots ${agents}`;
    default:
      return `give the server ${agents} slots, or add an endpoint`;
  }
}

function contextExceeded({ manifest, run, cells }: WarningInput): readonly RunWarning[] {
  const refused = run.totals.failuresByCode["CONTEXT_EXCEEDED"] ?? 0;
  const over = manifest.endpoints.flatMap(({ name, contextTokens }) => {
    const most = Math.max(
      0,
      ...blockAgents(cells)
        .filter(({ agent }) => agent.together.endpoints.includes(name))
        .map(({ agent }) => agent.together.mostContextTokens ?? 0),
    );
    return contextTokens !== undefined && most > contextTokens
      ? [`${name}: ${most} tokens in a context of ${contextTokens}`]
      : [];
  });
  if (over.length === 0 && refused === 0) return [];
  const parts = [...over, ...(refused > 0 ? [`${count(refused, "request")} refused`] : [])];
  return [
    {
      code: "CONTEXT_OVERRUN",
      message: `prompt and output exceeded the context (${parts.join("; ")}): the server cut or shifted the text, so less was computed than asked`,
      remedy: "raise num_ctx or --ctx-size, or shorten prompts and outputs",
    },
  ];
}

function coldModel({ cells }: WarningInput): readonly RunWarning[] {
  const loads = blockAgents(cells).reduce(
    (total, { agent }) => total + agent.together.coldLoads + (agent.solo?.coldLoads ?? 0),
    0,
  );
  if (loads === 0) return [];
  return [
    {
      code: "COLD_MODEL",
      message: `${count(loads, "request")} waited for the model to load. Loading is in their TTFT and latency, and kept out of baselines, true speedup and nulls`,
      remedy: "keep warm-up requests on, and give the server room to keep the model loaded",
    },
  ];
}

function clientBottleneck({ run }: WarningInput): readonly RunWarning[] {
  const clients = run.trials.map((trial) => trial.record.client);
  const over = clients.filter(isBottleneck);
  if (over.length === 0) return [];
  const worst = (figure: (client: ClientHealth) => number | undefined): string => {
    const values = over.map(figure).filter((value) => value !== undefined);
    return values.length === 0 ? "unknown" : Math.max(...values).toFixed(0);
  };
  return [
    {
      code: "CLIENT_BOTTLENECK",
      message: `in ${over.length} of ${count(clients.length, "trial")} the measuring client was too busy: event-loop delay p99 up to ${worst((client) => client.loopLagMsP99)} ms (limit ${MOST_LOOP_LAG_MS}), CPU up to ${worst((client) => client.cpuPct)} % (limit ${MOST_CLIENT_CPU_PCT})`,
      remedy:
        "measure from another machine or with fewer agents; slipway bench --selftest shows this machine's limits",
    },
  ];
}

function isBottleneck({ loopLagMsP99, cpuPct }: ClientHealth): boolean {
  return (loopLagMsP99 ?? 0) > MOST_LOOP_LAG_MS || (cpuPct ?? 0) > MOST_CLIENT_CPU_PCT;
}

function outputLengths({ cells }: WarningInput): readonly RunWarning[] {
  const apart = blockAgents(cells).flatMap(({ agent }) =>
    agent.outputLengthRatio !== undefined &&
    lengthsDiffer(agent.together.outputPerRequest, agent.solo?.outputPerRequest)
      ? [{ name: agent.together.agent, ratio: agent.outputLengthRatio }]
      : [],
  );
  const worst = apart.reduce<(typeof apart)[number] | undefined>(
    (most, one) =>
      most === undefined || Math.abs(Math.log(one.ratio)) > Math.abs(Math.log(most.ratio)) ? one : most,
    undefined,
  );
  if (worst === undefined) return [];
  const change = ((worst.ratio - 1) * 100).toFixed(0);
  return [
    {
      code: "OUTPUT_LENGTHS_DIFFER",
      message: `answers were not equally long alone and together, by up to ${change.startsWith("-") ? change : `+${change}`} % (${worst.name}); true speedup is scaled to the tokens produced, rates still mix lengths`,
      remedy: "fix the output length (fixedOutput: true) on an engine that can go on past the end of text",
    },
  ];
}

function estimatedTokens({ cells }: WarningInput): readonly RunWarning[] {
  const estimated = blockAgents(cells).reduce(
    (total, { agent }) => total + agent.together.estimatedRequests,
    0,
  );
  if (estimated === 0) return [];
  return [
    {
      code: "TOKENS_ESTIMATED",
      message: `the server gave no token count for ${count(estimated, "request")}: streamed events were counted, and an event may hold several tokens`,
      remedy: "use an engine that reports usage; compare these rates only with others of the same server",
    },
  ];
}

function outliers({ cells }: WarningInput): readonly RunWarning[] {
  const flagged = cells.flatMap((cell) => {
    const walls = cell.blocks.map((block) => block.figures.wallMs);
    const fences = tukeyFences(walls);
    return fences === undefined
      ? []
      : cell.blocks.filter(({ figures }) => figures.wallMs < fences.low || figures.wallMs > fences.high);
  });
  if (flagged.length === 0) return [];
  return [
    {
      code: "OUTLIER_TRIALS",
      message: `${count(flagged.length, "trial")} took unusually short or long beside its repeats (Tukey fences): ${flagged.map((block) => block.trialId).join(", ")}. None was dropped`,
      remedy: "see what else the machine did at that time in telemetry.jsonl",
    },
  ];
}

function fewRequests({ cells }: WarningInput): readonly RunWarning[] {
  const lacking = cells
    .flatMap((cell) => cell.agents.flatMap((agent) => agent.requestsTogether.ttftMs.percentiles[0] ?? []))
    .filter((percentile) => percentile.kind === "too-few");
  const fewest = lacking[0];
  if (fewest === undefined) return [];
  return [
    {
      code: "PERCENTILES_MISSING",
      message: `${Math.min(...lacking.map((one) => one.n))} requests per agent carry no percentiles: a p50 needs ${fewest.needed}, so medians are given per trial`,
      remedy: "add --runs, or requests per agent",
    },
  ];
}

function blockAgents(
  cells: readonly CellAnalysis[],
): readonly { readonly block: BlockAnalysis; readonly agent: BlockAgent }[] {
  return cells.flatMap((cell) =>
    cell.blocks.flatMap((block) => block.agents.map((agent) => ({ block, agent }))),
  );
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}
