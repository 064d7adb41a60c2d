/**
 * Whether an agent's solo trial may be held against its together trial. A prefix that only one of
 * them found in the cache, or prompts of another length, make a difference that is not concurrency.
 */
import type { AgentFigures } from "./trial-figures.ts";

export type Comparability =
  | { readonly kind: "comparable"; readonly prompts: "identical" | "alike" }
  | {
      readonly kind: "not-comparable";
      readonly reason: "no-solo" | "nothing-finished" | "client-late" | "prompts-differ" | "cache-differs";
      readonly message: string;
      readonly remedy: string;
    };

/**
 * Prompts and cache hits may differ by a twentieth: prefill then differs by no more than it does
 * from trial to trial, while a lost or found prefix changes it by most of its length.
 */
const TOLERATED_SHARE = 0.05;

/** `clientLate`: requests of the whole block, since a starved client is late for everybody. */
export function comparability(
  together: AgentFigures,
  solo: AgentFigures | undefined,
  clientLate: number,
): Comparability {
  if (solo === undefined) return refused("no-solo", `no finished solo trial of ${together.agent}`);
  if (solo.throughputTokS === undefined || together.throughputTokS === undefined)
    return refused("nothing-finished", `${together.agent} has no finished request with a token count`);
  if (clientLate > 0)
    return refused(
      "client-late",
      `the client's stamps of ${clientLate} request${clientLate === 1 ? "" : "s"} contradict the engine's own times`,
    );
  if (cacheDiffers(together, solo))
    return refused(
      "cache-differs",
      `${together.agent}: ${percent(solo.cachedShare)} of prompt tokens came from the cache alone, ${percent(together.cachedShare)} together`,
    );
  if (together.promptFingerprint === solo.promptFingerprint)
    return { kind: "comparable", prompts: "identical" };
  if (together.coldPromptShare !== solo.coldPromptShare)
    return refused("prompts-differ", `${together.agent}: prompts were made unique in only one of the trials`);
  if (lengthsDiffer(together.inputPerRequest, solo.inputPerRequest))
    return refused(
      "prompts-differ",
      `${together.agent}: prompts average ${tokens(solo.inputPerRequest)} tokens alone and ${tokens(together.inputPerRequest)} together`,
      differByAnswers(together, solo) ? LENGTHS_OF_ANSWERS : LENGTHS_OF_PROMPTS,
    );
  return { kind: "comparable", prompts: "alike" };
}

type Reason = Extract<Comparability, { kind: "not-comparable" }>["reason"];

const LENGTHS_OF_ANSWERS =
  "fix the output length, so that later prompts built on earlier answers have equal length";
const LENGTHS_OF_PROMPTS =
  "the prompt lengths were approximate: ask for more requests, over which chance evens out, or use a server that counts prompt tokens";

const REMEDIES: Readonly<Record<Reason, string>> = {
  "no-solo": "run without --no-solo",
  "nothing-finished": "what failed stands in requests.jsonl and events.jsonl",
  "client-late": "give the client a core of its own: measure from another machine or with fewer agents",
  "prompts-differ": "measure solo and together trials with the same promptCache",
  "cache-differs": "set promptCache: cold, so that every prompt is computed whole",
};

function refused(reason: Reason, message: string, remedy: string = REMEDIES[reason]): Comparability {
  return { kind: "not-comparable", reason, message, remedy };
}

/** First prompts are alike and answers are not: what differs are prompts that hold earlier answers. */
function differByAnswers(together: AgentFigures, solo: AgentFigures): boolean {
  return (
    together.firstInputTokens !== undefined &&
    solo.firstInputTokens !== undefined &&
    !lengthsDiffer(together.firstInputTokens, solo.firstInputTokens) &&
    together.outputPerRequest !== solo.outputPerRequest
  );
}

function cacheDiffers(together: AgentFigures, solo: AgentFigures): boolean {
  if (together.cachedShare === undefined || solo.cachedShare === undefined) return false;
  return Math.abs(together.cachedShare - solo.cachedShare) > TOLERATED_SHARE;
}

/** Unknown lengths cannot be told apart. */
export function lengthsDiffer(first: number | undefined, second: number | undefined): boolean {
  if (first === undefined || second === undefined) return false;
  return Math.abs(first - second) > TOLERATED_SHARE * Math.max(first, second);
}

function percent(share: number | undefined): string {
  return share === undefined ? "an unknown part" : `${(share * 100).toFixed(0)} %`;
}

function tokens(count: number | undefined): string {
  return count === undefined ? "an unknown number of" : count.toFixed(0);
}
