/** The scenario that a manifest's specification holds, where it is one of ours. */
import type { Scenario } from "../workload/scenario.ts";
import { scenarioSchema } from "../workload/scenario.ts";

/**
 * A run keeps its scenario beside what else a resume needs (seed, corpus, simulated engine); a bare
 * scenario is read too. `undefined` for a run that was imported or comes from another version.
 */
export function plannedScenario(spec: unknown): Scenario | undefined {
  const inner = typeof spec === "object" && spec !== null && "scenario" in spec ? spec.scenario : spec;
  const parsed = scenarioSchema.safeParse(inner);
  return parsed.success ? parsed.data : undefined;
}
