/**
 * What a reader must know before believing a figure, each with what to do about it. A warning is
 * given once per run and says how often it applies.
 */
import { nsToMs } from "../core/units.ts";
import type { ClientHealth } from "../record/trial-record.ts";
import { tukeyFences } from "../stats/outliers.ts";
import { notCompared, outputLengths, promptLengths } from "./comparison-warnings.ts";
import { coldModel, contextExceeded, requestsQueued, slotsBelowAgents } from "./server-warnings.ts";
import { instancesUnlike } from "./unlike-instances.ts";
import type { RunWarning, WarningCheck, WarningInput } from "./warning-check.ts";
import { blockAgents, count } from "./warning-check.ts";

/**
 * Where a figure stops being the server's. 10 ms of event-loop delay is a third of the time to
 * first token of a small local model; a client at 70 % of a core makes arrivals wait for each
 * other more than three times their own cost (1 ÷ (1 − 0.7), one queue).
 */
const MOST_LOOP_LAG_MS = 10;
const MOST_CLIENT_CPU_PCT = 70;

/**
 * The loop is probed every 10 ms, and a p99 needs a hundred probes. Over a few milliseconds the
 * client is busy whatever it does: starting agents is then all there is.
 */
const SHORTEST_JUDGED_MS = 1_000;

/** In the order of how much they change what may be concluded. */
const CHECKS: readonly WarningCheck[] = [
  impossibleLines,
  failures,
  unfinished,
  notCompared,
  clientLate,
  slotsBelowAgents,
  requestsQueued,
  instancesUnlike,
  contextExceeded,
  coldModel,
  clientBottleneck,
  promptLengths,
  outputLengths,
  countsDiscarded,
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

function impossibleLines({ notices }: WarningInput): readonly RunWarning[] {
  const told = notices.filter(({ kind }) => kind === "impossible-line");
  if (told.length === 0) return [];
  return [
    {
      code: "IMPOSSIBLE_LINES",
      message: `${told.map(({ message }) => message).join("; ")}; figures are without them`,
      remedy: "restore the files from a copy; records that were edited or joined by hand cannot be trusted",
    },
  ];
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

function clientLate({ run }: WarningInput): readonly RunWarning[] {
  const agentRuns = run.trials.flatMap((trial) => [...trial.agents.values()]);
  const told = agentRuns.reduce((total, { rows }) => total + rows.values("clientLateMs").length, 0);
  let late = 0;
  let mostMs = 0;
  for (const { rows } of agentRuns)
    for (const lateMs of rows.values("clientLateMs")) {
      if (lateMs > 0) late++;
      mostMs = Math.max(mostMs, lateMs);
    }
  if (late === 0) return [];
  return [
    {
      code: "CLIENT_LATE",
      message: `${late} of ${count(told, "request")} came back faster than the engine says it worked, by up to ${mostMs.toFixed(1)} ms: the client was too late to stamp it. Blocks with such a request give no true speedup, retention or gain`,
      remedy:
        "give the client a core of its own: measure from another machine or with fewer agents; slipway bench --selftest shows this machine's limits",
    },
  ];
}

function countsDiscarded({ run: { discarded, totals } }: WarningInput): readonly RunWarning[] {
  if (discarded.requests === 0) return [];
  return [
    {
      code: "COUNTS_DISCARDED",
      message: `the server gave counts that cannot be true in ${discarded.requests} of ${count(totals.measured, "request")}, for example ${discarded.first}; figures are without them`,
      remedy:
        "update the server or what stands between it and the client; discardedCounts in requests.jsonl names each count",
    },
  ];
}

function clientBottleneck({ run }: WarningInput): readonly RunWarning[] {
  const judged = run.trials
    .filter(({ record }) => nsToMs(record.endNs - record.barrierNs) >= SHORTEST_JUDGED_MS)
    .map((trial) => trial.record.client);
  const over = judged.filter(isBottleneck);
  if (over.length === 0) return [];
  const worst = (figure: (client: ClientHealth) => number | undefined): number =>
    over.reduce((most, client) => Math.max(most, figure(client) ?? 0), 0);
  const lagMs = worst((client) => client.loopLagMsP99);
  const cpuPct = worst((client) => client.cpuPct);
  const parts = [
    ...(lagMs > 0 ? [`event-loop delay p99 up to ${lagMs.toFixed(0)} ms (limit ${MOST_LOOP_LAG_MS})`] : []),
    ...(cpuPct > 0 ? [`CPU up to ${cpuPct.toFixed(0)} % (limit ${MOST_CLIENT_CPU_PCT})`] : []),
  ];
  return [
    {
      code: "CLIENT_BOTTLENECK",
      message: `in ${over.length} of ${count(judged.length, "trial")} the measuring client was too busy: ${parts.join(", ")}`,
      remedy:
        "measure from another machine or with fewer agents; slipway bench --selftest shows this machine's limits",
    },
  ];
}

function isBottleneck({ loopLagMsP99, cpuPct }: ClientHealth): boolean {
  return (loopLagMsP99 ?? 0) > MOST_LOOP_LAG_MS || (cpuPct ?? 0) > MOST_CLIENT_CPU_PCT;
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
    // Where nothing was answered there is nothing to count, and other warnings say why.
    .flatMap((percentile) => (percentile.kind === "too-few" && percentile.n > 0 ? [percentile] : []));
  const [first] = lacking;
  if (first === undefined) return [];
  const fewest = lacking.reduce((least, { n }) => Math.min(least, n), first.n);
  return [
    {
      code: "PERCENTILES_MISSING",
      message: `too few requests for percentiles over them: ${fewest} of an agent, and a p50 needs ${first.needed}. Medians are given per trial`,
      remedy: "add --runs, or requests per agent",
    },
  ];
}
