/**
 * Roles of a scenario, read into it: a run keeps what its roles were and not where they stood, so
 * that it can be resumed and analysed when the files have changed.
 */
import { OperatorError } from "../core/errors.ts";
import { parseWith } from "../core/yaml.ts";
import type { Role } from "./role.ts";
import type { Scenario } from "./scenario.ts";
import { scenarioSchema } from "./scenario.ts";

/** Checks the whole once more. Throws CONFIG_INVALID, and what `read` throws of a role that is not there. */
export function resolveRoles(scenario: Scenario, read: (nameOrFile: string) => Role): Scenario {
  refuseChosenRoles(scenario);
  if (!scenario.agents.some(({ role }) => typeof role === "string")) return scenario;
  const agents = scenario.agents.map((agent) =>
    typeof agent.role === "string" ? { ...agent, role: read(agent.role) } : agent,
  );
  return parseWith(scenarioSchema, { ...scenario, agents }, `scenario ${scenario.name}`);
}

/** A cell's role would have to be read each time that cells are worked out, from a file that may have changed. */
function refuseChosenRoles({ name, matrix, cells }: Scenario): void {
  const paths = [...Object.keys(matrix), ...cells.flatMap(({ set }) => Object.keys(set))];
  const chosen = paths.find((path) => path.endsWith(".role"));
  if (chosen !== undefined)
    throw new OperatorError("CONFIG_INVALID", {
      message: `scenario ${name}: a matrix or a cell cannot choose a role`,
      received: chosen,
      nextStep: `set a field of it, such as ${chosen}.maxOutputTokens, or write one scenario for each mix`,
    });
}
