/** What a client of the simulated engine should see, from the same simulator in virtual time. */
import { NS_PER_S, nsToMs } from "../../core/units.ts";
import { runVirtual } from "../../predict/simulate/run-virtual.ts";
import { SlotEngine } from "../../predict/simulate/slot-engine.ts";
import { engineOptions } from "./host.ts";
import type { SimulatedSettings } from "./options.ts";

/** A request of ordinary size for an agent: a page of text in, a paragraph out. */
const PROMPT_TOKENS = 512;
const OUTPUT_TOKENS = 128;

export interface ExpectedRates {
  readonly agents: number;
  readonly promptTokens: number;
  /** Of the agent that waits longest. */
  readonly ttftMs: number;
  /** All agents together, from the start to the last token. */
  readonly tokensPerS: number;
}

/** As many agents at once, one request each; undefined when the request does not fit the context. */
export function expectedRates(settings: SimulatedSettings, agents: number): ExpectedRates | undefined {
  const engine = new SlotEngine({ ...engineOptions(settings), loadNs: 0, jitter: 0 });
  const requests = [{ promptTokens: PROMPT_TOKENS, outputTokens: OUTPUT_TOKENS }];
  const clients = Array.from({ length: agents }, (_unused, index) => ({
    name: `agent-${index}`,
    startNs: 0,
    thinkNs: 0,
    requests,
  }));
  const { finished, endNs } = runVirtual(engine, clients);
  if (finished.length < agents) return undefined;
  const tokens = finished.reduce((sum, { tokensNs }) => sum + tokensNs.length, 0);
  return {
    agents,
    promptTokens: PROMPT_TOKENS,
    ttftMs: nsToMs(Math.max(...finished.map(({ timings }) => timings.firstTokenNs))),
    tokensPerS: (tokens * NS_PER_S) / endNs,
  };
}
