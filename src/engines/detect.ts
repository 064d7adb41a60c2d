/**
 * Which engine answers at a URL: each has one question that only it answers in its way. They are
 * asked in order of how sure the answer is; OpenAI's model list comes last, since all have it.
 */
import { CONTROL_TIMEOUT_MS } from "../core/limits.ts";
import type { ControlClient } from "./control.ts";
import type { EngineKind } from "./engine.ts";
import { type JsonRecord, asRecord, parseJson, textAt } from "./json-shape.ts";
import { endpointError } from "./next-step.ts";

export interface Detection {
  readonly kind: EngineKind;
  readonly version?: string;
}

interface Question {
  readonly kind: EngineKind;
  readonly path: string;
  readonly recognises: (answer: JsonRecord) => boolean;
  readonly version?: (answer: JsonRecord) => string | undefined;
}

const QUESTIONS: readonly Question[] = [
  {
    kind: "simulated",
    path: "/slipway/engine",
    recognises: () => true,
    version: (answer) => textAt(answer, "version"),
  },
  {
    kind: "ollama",
    path: "/api/version",
    recognises: (answer) => textAt(answer, "version") !== undefined,
    version: (answer) => textAt(answer, "version"),
  },
  {
    kind: "llama-server",
    path: "/props",
    recognises: (answer) => "total_slots" in answer || "default_generation_settings" in answer,
    version: (answer) => textAt(answer, "build_info"),
  },
  {
    kind: "tgi",
    path: "/info",
    recognises: (answer) => "model_id" in answer && ("max_total_tokens" in answer || "router" in answer),
    version: (answer) => textAt(answer, "version"),
  },
  {
    kind: "vllm",
    path: "/version",
    recognises: (answer) => textAt(answer, "version") !== undefined,
    version: (answer) => textAt(answer, "version"),
  },
  { kind: "openai", path: "/v1/models", recognises: (answer) => Array.isArray(answer["data"]) },
];

/** Throws what prevented an answer, or STREAM_MALFORMED when no engine is recognised. */
export async function detect(
  control: ControlClient,
  url: string,
  timeoutMs: number = CONTROL_TIMEOUT_MS,
): Promise<Detection> {
  for (const question of QUESTIONS) {
    const outcome = await control.ask("GET", question.path, undefined, timeoutMs);
    // Only llama-server answers so, whatever it is asked.
    if (outcome.failure?.code === "SERVER_LOADING") return found("llama-server", undefined);
    // Where nobody answers one question, nobody answers the others.
    if (outcome.failure !== undefined && (outcome.status === undefined || isFinal(outcome.failure.code)))
      throw endpointError(outcome.failure, { url });
    const answer = asRecord(parseJson(outcome.text));
    if (answer === undefined) continue;
    if (control.simulated) return found("simulated", question.version?.(answer));
    if (question.recognises(answer)) return found(question.kind, question.version?.(answer));
  }
  throw endpointError(
    { code: "STREAM_MALFORMED", message: `${url} answers, but like no engine that is known here` },
    { url },
  );
}

function found(kind: EngineKind, version: string | undefined): Detection {
  return { kind, ...(version !== undefined && { version }) };
}

function isFinal(code: string): boolean {
  return code === "UNAUTHORIZED" || code === "REDIRECT_REFUSED";
}
