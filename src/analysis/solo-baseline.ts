/** What a solo trial is held for: the pace, the work and the figures of an agent with nobody beside it. */
import { nsToMs } from "../core/units.ts";
import type { TrialRecord } from "../record/trial-record.ts";
import type { RequestWork } from "./null-schedule.ts";
import type { RequestRows } from "./request-table.ts";
import type { FoldedTrial } from "./run-fold.ts";
import type { SoloPace } from "./speedup.ts";
import { soloPace } from "./speedup.ts";
import type { AgentFigures, TrialFigures } from "./trial-figures.ts";
import { trialFigures } from "./trial-figures.ts";

export interface SoloBaseline {
  readonly trial: TrialFigures;
  readonly agent: AgentFigures;
  readonly rows: RequestRows;
  readonly pace: SoloPace | undefined;
  /** Its requests as an ideal device would have to serve them. */
  readonly requests: readonly RequestWork[];
}

/** A null needs no more requests than this to reach its steady state. */
const MOST_REQUESTS_OF_NULL = 1_000;

/** The agents that a solo trial is the baseline of: those that differ from its own only in name. */
export function standsFor(record: TrialRecord): readonly string[] {
  if (record.kind !== "solo") return [];
  return record.soloFor ?? (record.soloAgent === undefined ? [] : [record.soloAgent]);
}

/** By repeat, then by agent: a block's own solo trials. */
export function soloBaselines(
  solos: readonly FoldedTrial[],
): ReadonlyMap<number, ReadonlyMap<string, SoloBaseline>> {
  const byRepeat = new Map<number, Map<string, SoloBaseline>>();
  for (const solo of solos) {
    const baseline = soloBaseline(solo);
    if (baseline === undefined) continue;
    const block = byRepeat.get(solo.record.repeat) ?? new Map<string, SoloBaseline>();
    byRepeat.set(solo.record.repeat, block);
    for (const agent of standsFor(solo.record)) block.set(agent, baseline);
  }
  return byRepeat;
}

/** `undefined` for a trial without requests. */
function soloBaseline(trial: FoldedTrial): SoloBaseline | undefined {
  const figures = trialFigures(trial);
  const [agent] = figures.agents;
  const rows = agent === undefined ? undefined : trial.agents.get(agent.agent)?.rows;
  if (agent === undefined || rows === undefined) return undefined;
  return {
    trial: figures,
    agent,
    rows,
    pace: soloPace(rows),
    requests: requestWork(rows, nsToMs(trial.record.barrierNs)),
  };
}

function requestWork(rows: RequestRows, barrierMs: number): readonly RequestWork[] {
  const requests: RequestWork[] = [];
  let previousEndMs = barrierMs;
  for (let index = 0; index < rows.length && requests.length < MOST_REQUESTS_OF_NULL; index++) {
    const sentMs = rows.at(index, "sentMs");
    const latencyMs = rows.at(index, "latencyMs");
    if (sentMs === undefined || latencyMs === undefined) continue;
    requests.push({
      workMs: Math.max(latencyMs - (rows.at(index, "coldLoadMs") ?? 0), 0),
      // Requests of an external agent may overlap; they then follow each other without a pause.
      pauseMs: Math.max(sentMs - previousEndMs, 0),
    });
    previousEndMs = Math.max(previousEndMs, sentMs + latencyMs);
  }
  return requests;
}
