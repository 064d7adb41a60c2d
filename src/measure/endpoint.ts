import type { Engine } from "../engines/engine.ts";
import type { PromptVocabulary } from "../workload/prompt.ts";
import type { InFlightLimit } from "./in-flight-limit.ts";

/** One endpoint of a scenario, connected. */
export interface ConnectedEndpoint {
  /** The name agents use for it. */
  readonly name: string;
  readonly url: string;
  readonly engine: Engine;
  /** The endpoint's credential as request headers, for what does not go through `engine`; never recorded. */
  readonly headers: Readonly<Record<string, string>>;
  readonly inFlight: InFlightLimit;
  /** Calibrated words by model; filled before the first trial. */
  readonly vocabularies: Map<string, PromptVocabulary>;
}
