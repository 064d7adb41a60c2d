/**
 * What may come in from a run directory. Lines are checked by hand, since a schema library costs
 * more per line than parsing does and a run may have a million of them; every check covers the
 * fields that figures are computed from. A check returns the rule that is broken, naming the field.
 */
import { MAX_JSON_DEPTH } from "../core/limits.ts";
import { REQUEST_RECORD_VERSION } from "./request-record.ts";
import { TRIAL_RECORD_VERSION } from "./trial-record.ts";

type Fields = Readonly<Record<string, unknown>>;

/** `undefined`: no rule is broken. `version`: the line is of a format that this program does not know. */
export type LineProblem = string | { readonly version: unknown } | undefined;

export type LineCheck = (value: unknown) => LineProblem;

const REQUEST_TEXTS = [
  "requestId",
  "trialId",
  "agent",
  "phase",
  "step",
  "endpoint",
  "engine",
  "model",
  "promptHash",
] as const;
const REQUEST_OPTIONAL_NUMBERS = ["clientQueueMs"] as const;
const STAMPS_OPTIONAL = ["sentNs", "firstByteNs", "firstTokenNs", "firstVisibleNs", "lastTokenNs"] as const;
const TOKENS_OPTIONAL = [
  "input",
  "inputTarget",
  "cached",
  "output",
  "outputLimit",
  "firstEvent",
  "reasoning",
] as const;
const EVENT_COUNTS = ["text", "role", "empty", "keepAlive", "usage", "finish", "other"] as const;
const SPLIT_OPTIONAL = [
  "queueMs",
  "loadMs",
  "prefillMs",
  "prefillTokens",
  "decodeMs",
  "decodeTokens",
  "totalMs",
] as const;

export function requestProblem(value: unknown): LineProblem {
  if (!isFields(value)) return "a request must be an object";
  if (value["v"] !== REQUEST_RECORD_VERSION) return { version: value["v"] };
  const { stamps, tokens, events, outcome, split } = value;
  if (!isFields(stamps)) return "stamps must be an object";
  if (!isFields(tokens)) return "tokens must be an object";
  if (!isFields(events)) return "events must be an object";
  if (!isFields(outcome)) return "outcome must be an object";
  if (split !== undefined && !isFields(split)) return "split must be an object";
  return (
    texts(value, REQUEST_TEXTS) ??
    numbers(value, ["position", "sharedStampEvents"]) ??
    optionalNumbers(value, REQUEST_OPTIONAL_NUMBERS) ??
    (value["discardedCounts"] === undefined ? undefined : texts(value, ["discardedCounts"])) ??
    booleans(value, ["promptCold", "simulated"]) ??
    numbers(stamps, ["scheduledNs", "endNs"]) ??
    optionalNumbers(stamps, STAMPS_OPTIONAL) ??
    optionalNumbers(tokens, TOKENS_OPTIONAL) ??
    numbers(events, EVENT_COUNTS) ??
    (split === undefined ? undefined : optionalNumbers(split, SPLIT_OPTIONAL)) ??
    oneOf(value, "phase", ["warm-up", "measured"]) ??
    outcomeProblem(outcome)
  );
}

function outcomeProblem(outcome: Fields): LineProblem {
  if (outcome["kind"] === "ok") return undefined;
  if (outcome["kind"] === "cancelled") return texts(outcome, ["reason"]);
  if (outcome["kind"] === "failed")
    return (
      texts(outcome, ["code", "message"]) ??
      booleans(outcome, ["afterFirstToken"]) ??
      optionalNumbers(outcome, ["httpStatus", "retryAfterMs"])
    );
  return "outcome.kind must be ok, cancelled or failed";
}

export function chunkProblem(value: unknown): LineProblem {
  if (!isFields(value)) return "a chunk line must be an object";
  if (value["v"] !== REQUEST_RECORD_VERSION) return { version: value["v"] };
  if (!isNumberList(value["gapsUs"])) return "gapsUs must be a list of numbers";
  if (value["tokens"] !== undefined && !isNumberList(value["tokens"]))
    return "tokens must be a list of numbers";
  return texts(value, ["requestId"]) ?? numbers(value, ["firstNs"]);
}

const AGENT_TIME_NUMBERS = [
  "totalMs",
  "requestMs",
  "fileMs",
  "waitMs",
  "queueMs",
  "otherMs",
  "requests",
  "failures",
] as const;

export function trialProblem(value: unknown): LineProblem {
  if (!isFields(value)) return "a trial must be an object";
  if (value["v"] !== TRIAL_RECORD_VERSION) return { version: value["v"] };
  const { agents, soloFor = [], agentTimes, client, warnings, parameters } = value;
  if (!isTextList(agents)) return "agents must be a list of texts";
  if (!isTextList(soloFor)) return "soloFor must be a list of texts";
  if (!Array.isArray(agentTimes)) return "agentTimes must be a list";
  if (!isFields(client)) return "client must be an object";
  if (!Array.isArray(warnings)) return "warnings must be a list";
  if (!isFields(parameters) || !Object.values(parameters).every(isScalar))
    return "parameters must be an object of texts, numbers and booleans";
  return (
    texts(value, ["trialId", "cellHash", "cell", "scenario", "originIso"]) ??
    numbers(value, ["repeat", "order", "originMonotonicNs", "barrierNs", "endNs", "failures"]) ??
    oneOf(value, "kind", ["solo", "together"]) ??
    (value["kind"] === "solo" ? texts(value, ["soloAgent"]) : undefined) ??
    oneOf(value, "status", ["complete", "incomplete", "interrupted"]) ??
    booleans(value, ["simulated"]) ??
    optionalNumbers(value, ["windowNs"]) ??
    optionalNumbers(client, ["loopLagMsP99", "loopLagMsMax", "cpuPct", "gcMs"]) ??
    firstProblem(
      agentTimes,
      "agentTimes",
      (time) => texts(time, ["agent"]) ?? numbers(time, AGENT_TIME_NUMBERS),
    ) ??
    firstProblem(warnings, "warnings", (warning) => texts(warning, ["code", "message", "remedy"]))
  );
}

export function eventProblem(value: unknown): LineProblem {
  if (!isFields(value)) return "an event must be an object";
  const { data } = value;
  if (data !== undefined && !isFields(data)) return "data must be an object";
  if (nestsDeeper(data, MAX_JSON_DEPTH)) return `data nests deeper than ${MAX_JSON_DEPTH} levels`;
  return texts(value, ["kind", "message"]) ?? numbers(value, ["atNs"]);
}

const SAMPLE_NUMBERS = ["memoryAvailableBytes", "memoryTotalBytes", "cpuPct", "loadAverage1"] as const;
const GPU_NUMBERS = [
  "memoryUsedBytes",
  "memoryFreeBytes",
  "utilizationPct",
  "memoryUtilizationPct",
  "powerW",
  "smClockMhz",
  "memoryClockMhz",
  "temperatureC",
] as const;

export function telemetryProblem(value: unknown): LineProblem {
  if (!isFields(value)) return "a sample must be an object";
  const { gpus = [], processes = [] } = value;
  if (!Array.isArray(gpus)) return "gpus must be a list";
  if (!Array.isArray(processes)) return "processes must be a list";
  return (
    numbers(value, ["atNs"]) ??
    optionalNumbers(value, SAMPLE_NUMBERS) ??
    firstProblem(gpus, "gpus", (gpu) => numbers(gpu, ["index"]) ?? optionalNumbers(gpu, GPU_NUMBERS)) ??
    firstProblem(
      processes,
      "processes",
      (one) =>
        numbers(one, ["pid"]) ??
        texts(one, ["name"]) ??
        optionalNumbers(one, ["rssBytes", "vramBytes", "cpuPct"]),
    )
  );
}

/** Recursion is safe here: it ends at the limit. */
export function nestsDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((member) => nestsDeeper(member, levels - 1));
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isScalar(value: unknown): boolean {
  return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

function isNumberList(value: unknown): boolean {
  return Array.isArray(value) && value.every(Number.isFinite);
}

function texts(fields: Fields, names: readonly string[]): string | undefined {
  for (const name of names) if (typeof fields[name] !== "string") return `${name} must be a text`;
  return undefined;
}

/** JSON reads 1e999 as Infinity, which no figure survives. */
function numbers(fields: Fields, names: readonly string[]): string | undefined {
  for (const name of names) if (!Number.isFinite(fields[name])) return `${name} must be a finite number`;
  return undefined;
}

function optionalNumbers(fields: Fields, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = fields[name];
    if (value !== undefined && !Number.isFinite(value)) return `${name} must be a finite number or absent`;
  }
  return undefined;
}

function booleans(fields: Fields, names: readonly string[]): string | undefined {
  for (const name of names) if (typeof fields[name] !== "boolean") return `${name} must be true or false`;
  return undefined;
}

function oneOf(fields: Fields, name: string, allowed: readonly string[]): string | undefined {
  return allowed.includes(fields[name] as string)
    ? undefined
    : `${name} must be one of ${allowed.join(", ")}`;
}

function firstProblem(
  items: readonly unknown[],
  name: string,
  check: (item: Fields) => LineProblem,
): LineProblem {
  for (const item of items) {
    const problem = isFields(item) ? check(item) : `${name} must be a list of objects`;
    if (problem !== undefined) return problem;
  }
  return undefined;
}
