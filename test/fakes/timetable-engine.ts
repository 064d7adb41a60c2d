/**
 * An engine whose every request takes a known time on the clock it is given: with the virtual clock
 * a trial's figures can be worked out by hand. It has no socket and no server.
 */
import { NS_PER_MS } from "../../src/core/units.ts";
import type {
  Completion,
  DecodedStream,
  Engine,
  EngineCapabilities,
  GenerateContext,
  GenerateRequest,
} from "../../src/engines/engine.ts";
import type { EndpointFacts } from "../../src/record/run-manifest.ts";
import type { Outcome } from "../../src/record/request-record.ts";

export interface Timetable {
  readonly ttftMs: number;
  readonly perTokenMs: number;
  /** The outcome of the n-th request sent to this engine, counted from 0; absent: ok. */
  readonly outcomeOf?: (index: number) => Outcome | undefined;
  readonly facts?: Partial<EndpointFacts>;
  readonly capabilities?: Partial<EngineCapabilities>;
}

export interface TimetableEngine extends Engine {
  /** Every request in the order it was sent, warm-ups and probes included. */
  readonly requests: readonly GenerateRequest[];
  /** Control-plane calls in order. */
  readonly calls: readonly string[];
}

const CAPABILITIES: EngineCapabilities = {
  chat: true,
  completion: false,
  stream: true,
  ignoreEos: true,
  tokenize: false,
  slots: false,
  load: false,
  unload: false,
  loadOptions: false,
  cacheControl: true,
};

export function timetableEngine(table: Timetable): TimetableEngine {
  const requests: GenerateRequest[] = [];
  const calls: string[] = [];
  const never = (): never => {
    throw new Error("a timetable engine has no wire");
  };
  return {
    kind: "openai",
    capabilities: { ...CAPABILITIES, ...table.capabilities },
    requests,
    calls,
    buildRequest: never,
    createDecoder: never,
    classifyError: never,
    generate: async (request, context) => {
      const index = requests.push(request) - 1;
      return answer(request, context, table, index);
    },
    health: async () => ({}),
    models: async () => ["m"],
    facts: async (model) => {
      calls.push(`facts ${model}`);
      return { name: "", url: "", engine: "openai", model, simulated: false, settings: {}, ...table.facts };
    },
    unload: async (model) => void calls.push(`unload ${model}`),
    close: async () => undefined,
  };
}

async function answer(
  request: GenerateRequest,
  context: GenerateContext,
  table: Timetable,
  index: number,
): Promise<Completion> {
  const { clock, signal } = context;
  const sentNs = clock.nowNs();
  const outcome = table.outcomeOf?.(index) ?? { kind: "ok" };
  const tokens = outcome.kind === "ok" ? (request.options.maxTokens ?? 1) : 0;
  const stampsNs = Float64Array.from(
    { length: tokens },
    (_, token) => sentNs + (table.ttftMs + token * table.perTokenMs) * NS_PER_MS,
  );
  const endNs = stampsNs.at(-1) ?? sentNs + table.ttftMs * NS_PER_MS;
  try {
    await clock.sleepUntil(endNs, signal);
  } catch {
    const arrived = stampsNs.filter((stampNs) => stampNs <= clock.nowNs());
    return completion(request, { kind: "cancelled", reason: "interrupted" }, sentNs, clock.nowNs(), arrived);
  }
  return completion(request, outcome, sentNs, endNs, stampsNs);
}

function completion(
  request: GenerateRequest,
  outcome: Outcome,
  sentNs: number,
  endNs: number,
  stampsNs: Float64Array,
): Completion {
  const words = (request.messages ?? []).reduce(
    (sum, message) => sum + message.content.split(/\s+/).length,
    0,
  );
  const first = stampsNs[0];
  const last = stampsNs.at(-1);
  const decoded: DecodedStream = {
    content: "word ".repeat(stampsNs.length).trim(),
    reasoning: "",
    toolCalls: "",
    events: { text: stampsNs.length, role: 0, empty: 0, keepAlive: 0, usage: 1, finish: 1, other: 0 },
    ...(first === undefined ? {} : { firstTokenNs: first, firstVisibleNs: first }),
    ...(last === undefined ? {} : { lastTokenNs: last }),
    textStampsNs: stampsNs,
    sharedStampEvents: 0,
    // One token a word and a template of seven: easy to check, and not what a prompt's length is.
    inputTokens: words + 7,
    ...(stampsNs.length === 0 ? {} : { outputTokens: stampsNs.length }),
  };
  return {
    sentNs,
    ...(first === undefined ? {} : { firstByteNs: first }),
    endNs,
    decoded,
    outcome,
    simulated: false,
  };
}
