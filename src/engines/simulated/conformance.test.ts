/** The simulated engine through every adapter whose API it answers. */
import { describeEngine } from "../../../test/fakes/engine-conformance.ts";
import { realClock } from "../../core/clock.ts";
import { createEngine } from "../registry.ts";
import type { Flavour } from "./options.ts";
import { startSimulatedEngine } from "./start.ts";

const MODEL = "gemma3:latest";

/** Each adapter on the flavour that its own server has, and our own adapter on all of them. */
const PAIRS = [
  ["openai", "openai"],
  ["llama-server", "llama-server"],
  ["ollama", "ollama"],
  ["simulated", "any"],
  ["simulated", "ollama"],
  ["simulated", "openai"],
] as const satisfies readonly (readonly [string, Flavour])[];

for (const [engine, like] of PAIRS)
  describeEngine(`the simulated server like "${like}" through the adapter ${engine}`, async () => {
    const server = await startSimulatedEngine({ like, models: [MODEL], speed: 20, loadMs: 200 }, realClock);
    const options = { clock: realClock, env: {} };
    const adapter = await createEngine({ name: "simulated", url: server.url, engine }, options);
    // Some flavours load at their start and answer 503 until then; a first request waits that out.
    const limits = { gapMs: 10_000, totalMs: 10_000, loadingMs: 10_000 };
    const messages = [{ role: "user", content: "hi" }] as const;
    await adapter.generate(
      { model: MODEL, messages, options: { maxTokens: 1 }, stream: true },
      { ...options, limits },
    );
    return {
      engine: adapter,
      model: MODEL,
      stop: () => server.stop(),
    };
  });
