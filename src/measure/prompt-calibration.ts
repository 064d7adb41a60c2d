/** Finding out how a server counts: by its own tokenizer where it has one, else by its `usage`. */
import type { Clock } from "../core/clock.ts";
import { randomStream } from "../core/random.ts";
import type { Engine, GenerateLimits } from "../engines/engine.ts";
import type { PromptTokenCounter, PromptVocabulary } from "../workload/prompt.ts";
import { calibrateEachWord, calibrateGroups, makePrompt, UNCALIBRATED } from "../workload/prompt.ts";
import { calibrateCode } from "../workload/tool-result.ts";

/** A short text is enough to see what a template adds. */
const PROBE_TOKENS = 16;

/** Each of these is a request with one output token; four cover the template and two groups of words. */
const USAGE_PROBES = 4;

export async function calibratePrompts(
  engine: Engine,
  model: string,
  context: { readonly clock: Clock; readonly limits: GenerateLimits; readonly signal?: AbortSignal },
  /** `turns` need the pieces of code too, which costs some more counts. */
  pieces: "prompts" | "turns" = "prompts",
): Promise<PromptVocabulary> {
  const byUsage = usageCounter(engine, model, context);
  const random = randomStream(0, "prompt-calibration", model);
  if (engine.tokenize === undefined) {
    const first = await byUsage("the");
    if (first === undefined) return UNCALIBRATED;
    const count = certain(byUsage);
    const words = await calibrateGroups(count, USAGE_PROBES, random);
    return pieces === "prompts"
      ? words
      : { ...words, code: await calibrateCode(words, count, "few", random) };
  }
  const tokenize = engine.tokenize.bind(engine);
  const count = (piece: string): Promise<number> => tokenize(model, piece);
  const words = await calibrateEachWord(count, random);
  const vocabulary =
    pieces === "prompts" ? words : { ...words, code: await calibrateCode(words, count, "all", random) };
  // The tokenizer counts the bare text; one real request shows what the chat template adds.
  const text = makePrompt(vocabulary, PROBE_TOKENS, random);
  const seen = await byUsage(text);
  if (seen === undefined) return vocabulary;
  const templateTokens = seen - (await count(text));
  return { ...vocabulary, overheadTokens: vocabulary.overheadTokens + templateTokens };
}

function usageCounter(
  engine: Engine,
  model: string,
  context: { readonly clock: Clock; readonly limits: GenerateLimits; readonly signal?: AbortSignal },
): (text: string) => Promise<number | undefined> {
  return async (text) => {
    const completion = await engine.generate(
      {
        model,
        messages: [{ role: "user", content: text }],
        // A cached prefix must not be left out of the count, nor left behind for a measured prompt.
        options: {
          maxTokens: 1,
          temperature: 0,
          ...(engine.capabilities.cacheControl ? { cachePrompt: false } : {}),
        },
        stream: true,
      },
      context,
    );
    return completion.decoded.inputTokens;
  };
}

function certain(count: (text: string) => Promise<number | undefined>): PromptTokenCounter {
  return async (text) => {
    const tokens = await count(text);
    // The first probe was counted, so a later one without a count is a fault of the moment: 0 makes its group inexact.
    return tokens ?? 0;
  };
}
