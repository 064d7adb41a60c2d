/** What every adapter is given, and how its two planes become an engine. */
import type { Clock } from "../core/clock.ts";
import type { ControlClient } from "./control.ts";
import type { Engine } from "./engine.ts";
import { generate } from "./generate.ts";
import type { Transport } from "./transport.ts";

/** A connected endpoint, before it is known which engine answers there. */
export interface EngineLink {
  readonly name: string;
  /** The base URL; it carries no secret. */
  readonly url: string;
  readonly clock: Clock;
  readonly transport: Transport;
  readonly control: ControlClient;
  /** Ends the connections of both planes. */
  close(): Promise<void>;
}

/** All that an adapter decides; the rest is the same for every engine. */
export type EngineParts = Omit<Engine, "generate" | "preconnect" | "close">;

export function assembleEngine(link: EngineLink, parts: EngineParts): Engine {
  const target = { plane: parts, transport: link.transport, url: link.url };
  return {
    ...parts,
    generate: (request, context) => generate(target, request, context),
    preconnect: (count) => link.transport.preconnect(count),
    close: () => link.close(),
  };
}
