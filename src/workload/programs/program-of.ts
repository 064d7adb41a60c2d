import type { AgentProgram } from "../agent-program.ts";
import type { AgentSpec } from "../scenario.ts";
import { roleOf } from "../scenario.ts";
import { PROGRAMS } from "./registry.ts";
import { roleProgram } from "./role-program.ts";

/** What an agent of a scenario does; `undefined` for an external one. */
export function programOf(agent: Pick<AgentSpec, "program" | "role">): AgentProgram | undefined {
  const role = roleOf(agent);
  if (role !== undefined) return roleProgram(role);
  return agent.program === undefined ? undefined : PROGRAMS[agent.program];
}
