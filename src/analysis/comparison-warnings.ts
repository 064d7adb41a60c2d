/** Why solo and together are not compared, and what lengths were not those that were asked for. */
import { lengthsDiffer } from "./comparability.ts";
import type { RunWarning, WarningInput } from "./warning-check.ts";
import { blockAgents, changeText, count, furthestOff } from "./warning-check.ts";

export function notCompared({ cells, run }: WarningInput): readonly RunWarning[] {
  // A set time asks how much is done in it: a workload of roles has no solo trials, and misses none.
  const setTimes = new Set(
    run.trials.filter(({ record }) => record.windowNs !== undefined).map(({ record }) => record.trialId),
  );
  const refusals = new Map<string, { code: string; message: string; remedy: string; trials: number }>();
  for (const { block, agent } of blockAgents(cells)) {
    if (block.agents.length < 2 || agent.comparability.kind === "comparable") continue;
    const { reason, message, remedy } = agent.comparability;
    if (reason === "client-late" || (reason === "no-solo" && setTimes.has(block.trialId))) continue;
    const seen = refusals.get(`${reason} ${remedy}`);
    refusals.set(`${reason} ${remedy}`, {
      code: NOT_COMPARED_CODE[reason],
      message: seen?.message ?? message,
      remedy,
      trials: (seen?.trials ?? 0) + 1,
    });
  }
  return [...refusals.values()].map(({ code, message, remedy, trials }) => ({
    code,
    message: `true speedup, retention and gain are missing for ${count(trials, "agent trial")}: ${message}`,
    remedy,
  }));
}

/** A late client has a warning of its own, which counts requests. */
const NOT_COMPARED_CODE = {
  "no-solo": "SOLO_MISSING",
  "nothing-finished": "NOTHING_TO_COMPARE",
  "prompts-differ": "PROMPTS_DIFFER",
  "cache-differs": "CACHE_HITS_DIFFER",
} as const;

/** Prompts have a target where nothing is built on earlier answers. */
export function promptLengths({ run }: WarningInput): readonly RunWarning[] {
  const missed = run.trials.flatMap((trial) =>
    [...trial.agents.values()].flatMap(({ agent, rows }) => {
      const aimed = rows.where(
        (index) =>
          rows.at(index, "inputTokens") !== undefined && rows.at(index, "inputTargetTokens") !== undefined,
      );
      const [tokens, target] = [aimed.sum("inputTokens"), aimed.sum("inputTargetTokens")];
      if (tokens === 0 || !lengthsDiffer(tokens, target)) return [];
      return [
        { agent, ratio: tokens / target, tokens: tokens / aimed.length, target: target / aimed.length },
      ];
    }),
  );
  const worst = furthestOff(missed);
  if (worst === undefined) return [];
  return [
    {
      code: "PROMPT_LENGTH_MISSED",
      message: `prompts were not as long as asked in ${count(missed.length, "agent trial")}, by up to ${changeText(worst.ratio)} (${worst.agent}: ${worst.tokens.toFixed(0)} tokens for ${worst.target.toFixed(0)})`,
      remedy:
        "read figures by the measured length; lengths are exact only where the server counts prompt tokens for the client, which prompt-calibration in events.jsonl tells",
    },
  ];
}

export function outputLengths({ cells }: WarningInput): readonly RunWarning[] {
  const apart = blockAgents(cells).flatMap(({ agent }) =>
    agent.outputLengthRatio !== undefined &&
    lengthsDiffer(agent.together.outputPerRequest, agent.solo?.outputPerRequest)
      ? [{ name: agent.together.agent, ratio: agent.outputLengthRatio }]
      : [],
  );
  const worst = furthestOff(apart);
  if (worst === undefined) return [];
  return [
    {
      code: "OUTPUT_LENGTHS_DIFFER",
      message: `answers were not equally long alone and together, by up to ${changeText(worst.ratio)} (${worst.name}); true speedup is scaled to the tokens produced, rates still mix lengths`,
      remedy: "fix the output length (fixedOutput: true) on an engine that can go on past the end of text",
    },
  ];
}
