/**
 * Asks one running server how it is, for one token, and to sleep or to load. Whatever the server
 * does, the answer is a value: a reason is for the log and the operator, not for a catch.
 */
import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import { nsToMs } from "../core/units.ts";
import { type ControlClient, createControlClient } from "../engines/control.ts";
import type { Engine, EngineKind, SamplingOptions } from "../engines/engine.ts";
import { createHttpTransport } from "../engines/http-transport.ts";
import { asRecord, listAt, parseJson } from "../engines/json-shape.ts";
import { createEngine } from "../engines/registry.ts";
import { shownText } from "../engines/server-text.ts";
import type { LaunchDescription } from "../preset/launch.ts";
import type { Preset } from "../preset/preset.ts";
import { loadResident, residentOptions, unloadResident } from "./resident-model.ts";
import { readActivity } from "./server-activity.ts";
import type { ServerLink } from "./server-link.ts";
import { sleepVllm, wakeVllm } from "./vllm-sleep.ts";
import type { Canary, Health, ServerActivity, ServerClient } from "./world.ts";

/**
 * One token. The first one after a start reads the whole model from disk, where it is mapped into
 * memory: 40 GB from a slow disk take most of a minute.
 */
export const CANARY_LIMIT_MS = 60_000;

/** A request or two of ours at a time; none waits behind a canary that hangs. */
const CONNECTIONS = 3;

/** Connects when it is first asked something. */
export function connectServer(preset: Preset, launch: LaunchDescription, clock: Clock): ServerClient {
  return new Client(preset, launch, clock);
}

class Client implements ServerClient {
  readonly #preset: Preset;
  readonly #clock: Clock;
  readonly #healthPath: string;
  readonly #control: ControlClient;
  readonly #engine: Promise<Engine | undefined>;
  readonly #close: () => Promise<void>;
  /** The highest count so far: what a request adds between two readings can be missed for a moment. */
  #seen: ServerActivity = {};

  constructor(preset: Preset, launch: LaunchDescription, clock: Clock) {
    this.#preset = preset;
    this.#clock = clock;
    const own = launch.kind === "process" ? launch : launch.server;
    this.#healthPath = own?.healthPath ?? preset.healthPath ?? "/api/version";
    const { url } = launch;
    const transport = createHttpTransport(url, { clock, headers: {}, connections: CONNECTIONS });
    this.#control = createControlClient({ url, transport, clock, loadingMs: 0, shown: shownText([]) });
    const kind = engineKindOf(preset);
    this.#engine =
      kind === undefined
        ? Promise.resolve(undefined)
        : createEngine(
            { name: preset.name, url, engine: kind },
            { clock, env: {}, connections: CONNECTIONS },
          );
    // Seen again, with its reason, by whoever asks for the engine.
    this.#engine.catch(() => undefined);
    this.#close = () => transport.close();
  }

  async health(): Promise<Health> {
    const { failure, status } = await this.#control.ask("GET", this.#healthPath);
    if (failure === undefined) return { kind: "healthy" };
    // vLLM has no state of loading, and answers 503 once its engine is dead.
    const says503 = status === 503 && this.#preset.engine !== "vllm";
    if (failure.code === "SERVER_LOADING" || says503) return { kind: "loading" };
    return { kind: "down", reason: failure.message };
  }

  async activity(): Promise<ServerActivity> {
    const link = await this.#link();
    if (typeof link === "string") return {};
    const now = await readActivity(link);
    this.#seen = { ...highest("generatedTokens", now, this.#seen), ...highest("progress", now, this.#seen) };
    return { ...now, ...this.#seen };
  }

  async canary(): Promise<Canary> {
    const link = await this.#link();
    if (typeof link === "string") return { kind: "silent", reason: link };
    if (link.engine === undefined) return { kind: "not-askable" };
    const startNs = this.#clock.nowNs();
    const reason = embeds(this.#preset) ? await askEmbedding(link) : await askToken(link, link.engine);
    if (reason !== undefined) return { kind: "silent", reason };
    return { kind: "token", tookMs: nsToMs(this.#clock.nowNs() - startNs) };
  }

  sleep(level: 1 | 2): Promise<string | undefined> {
    return this.#act("vllm", "sleep", ({ control }) => sleepVllm(control, level));
  }

  wake(): Promise<string | undefined> {
    return this.#act("vllm", "sleep", ({ control, preset }) => wakeVllm(control, preset));
  }

  load(): Promise<string | undefined> {
    return this.#act("ollama", "load a model into a running server", loadResident);
  }

  unload(): Promise<string | undefined> {
    return this.#act("ollama", "unload a model from a running server", unloadResident);
  }

  async close(): Promise<void> {
    const engine = await this.#engine.catch(() => undefined);
    await Promise.all([this.#close(), engine?.close()]);
  }

  async #act(
    engine: Preset["engine"],
    deed: string,
    act: (link: ServerLink) => Promise<string | undefined>,
  ): Promise<string | undefined> {
    if (this.#preset.engine !== engine) return `${this.#preset.engine} cannot ${deed}`;
    const link = await this.#link();
    if (typeof link === "string") return link;
    try {
      return await act(link);
    } catch (thrown) {
      return messageOf(thrown);
    }
  }

  /** Or why there is none. */
  async #link(): Promise<ServerLink | string> {
    try {
      const engine = await this.#engine;
      const shared = { preset: this.#preset, clock: this.#clock, control: this.#control };
      return engine === undefined ? shared : { ...shared, engine };
    } catch (thrown) {
      return messageOf(thrown);
    }
  }
}

function engineKindOf(preset: Preset): EngineKind | undefined {
  if (preset.engine !== "command") return preset.engine;
  return preset.api === "none" ? undefined : preset.api;
}

function embeds(preset: Preset): boolean {
  return preset.engine !== "command" && preset.embedding;
}

function highest(
  field: "generatedTokens" | "progress",
  now: ServerActivity,
  before: ServerActivity,
): Partial<ServerActivity> {
  const value = now[field];
  return value === undefined ? {} : { [field]: Math.max(value, before[field] ?? 0) };
}

/** Undefined when a token came, else why none did. */
async function askToken({ preset, clock }: ServerLink, engine: Engine): Promise<string | undefined> {
  try {
    const limits = { gapMs: CANARY_LIMIT_MS, totalMs: CANARY_LIMIT_MS, loadingMs: 0 };
    const model = await servedName(preset, engine);
    const request = {
      model,
      messages: [{ role: "user", content: "Say one word." } as const],
      options: canaryOptions(preset),
      stream: true,
    };
    const { outcome, decoded } = await engine.generate(request, { clock, limits });
    if (outcome.kind === "failed") return outcome.message;
    if (outcome.kind !== "ok") return `the request was ${outcome.kind}`;
    // An end of sequence at once is a token without a text.
    const any =
      decoded.events.text > 0 || (decoded.outputTokens ?? 0) > 0 || decoded.finishReason !== undefined;
    return any ? undefined : "the answer held no token";
  } catch (thrown) {
    return messageOf(thrown);
  }
}

/** Ollama loads a model anew when a request names other settings than the loaded one has. */
function canaryOptions(preset: Preset): SamplingOptions {
  const once: SamplingOptions = { maxTokens: 1, temperature: 0 };
  return preset.engine === "ollama" ? { ...once, ...residentOptions(preset) } : once;
}

/** vLLM refuses any name but the one it serves, which its arguments may have changed. */
async function servedName(preset: Preset, engine: Engine): Promise<string> {
  if (preset.engine === "llama-server" || preset.engine === "ollama") return preset.model;
  const names = await engine.models();
  return names.find((name) => name === preset.model) ?? names[0] ?? preset.model ?? "";
}

/**
 * llama-server is asked at its own path: for a model that says nothing of how its vectors are pooled,
 * that of OpenAI's protocol refuses.
 */
async function askEmbedding({ preset, control, engine }: ServerLink): Promise<string | undefined> {
  try {
    const model = engine === undefined ? preset.name : await servedName(preset, engine);
    const path = preset.engine === "llama-server" ? "/embeddings" : "/v1/embeddings";
    const { failure, text } = await control.ask("POST", path, { model, input: "one word" }, CANARY_LIMIT_MS);
    if (failure !== undefined) return failure.message;
    const answer = parseJson(text);
    const vectors = Array.isArray(answer) ? (answer as readonly unknown[]) : listAt(asRecord(answer), "data");
    const holdsNumbers = listAt(asRecord(vectors[0]), "embedding").length > 0;
    return holdsNumbers ? undefined : "the answer held no embedding";
  } catch (thrown) {
    return messageOf(thrown);
  }
}
