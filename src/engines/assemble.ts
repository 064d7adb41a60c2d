/** What every adapter is given, and how its two planes become an engine. */
import type { Clock } from "../core/clock.ts";
import type { ControlClient } from "./control.ts";
import type { EndpointFacts } from "../record/run-manifest.ts";
import type { Engine } from "./engine.ts";
import { generate } from "./generate.ts";
import type { ShowText } from "./server-text.ts";
import type { Transport } from "./transport.ts";

/** A connected endpoint, before it is known which engine answers there. */
export interface EngineLink {
  readonly name: string;
  /** The base URL; it carries no secret. */
  readonly url: string;
  readonly clock: Clock;
  readonly transport: Transport;
  readonly control: ControlClient;
  /** For every text of the server that leaves the engine. */
  readonly shown: ShowText;
  /** Ends the connections of both planes. */
  close(): Promise<void>;
}

/** All that an adapter decides; the rest is the same for every engine. */
export type EngineParts = Omit<Engine, "generate" | "preconnect" | "close">;

export function assembleEngine(link: EngineLink, parts: EngineParts): Engine {
  const { transport, url, shown } = link;
  const target = { plane: parts, transport, url, shown };
  const { loaded } = parts;
  return {
    ...parts,
    health: async () => {
      const { version } = await parts.health();
      return version === undefined ? {} : { version: shown(version) };
    },
    models: async () => (await parts.models()).map(shown),
    facts: async (model, options) => shownFacts(await parts.facts(model, options), shown),
    ...(loaded !== undefined && {
      loaded: async () => (await loaded()).map((entry) => ({ ...entry, model: shown(entry.model) })),
    }),
    generate: (request, context) => generate(target, request, context),
    preconnect: (count) => link.transport.preconnect(count),
    close: () => link.close(),
  };
}

/** Name, address and model are the operator's own words. */
function shownFacts(facts: EndpointFacts, shown: ShowText): EndpointFacts {
  const settings = Object.entries(facts.settings).map(
    ([name, value]) => [name, typeof value === "string" ? shown(value) : value] as const,
  );
  return {
    ...facts,
    ...(facts.version !== undefined && { version: shown(facts.version) }),
    settings: Object.fromEntries(settings),
  };
}
