/** An engine without a server: its data plane is real, its control plane must not be asked. */
import type { EngineLink } from "../../src/engines/assemble.ts";
import type { Engine } from "../../src/engines/engine.ts";
import { createOllamaEngine } from "../../src/engines/ollama/ollama.ts";
import { createOpenAiEngine } from "../../src/engines/openai/openai.ts";

/** Any use of the connection fails, since there is none. */
const NO_LINK = new Proxy({} as EngineLink, {
  get: (_target, name) => {
    if (name === "transport" || name === "url" || name === "shown") return undefined;
    throw new Error(`a stub engine has no ${String(name)}`);
  },
});

export function stubEngine(kind: "openai" | "ollama"): Engine {
  return kind === "ollama" ? createOllamaEngine(NO_LINK) : createOpenAiEngine(NO_LINK);
}
