/** `--cell`: one cell of a scenario that has several, as a scenario of its own. */
import { OperatorError } from "../../core/errors.ts";
import type { Cell } from "../../workload/matrix.ts";
import { cellsOf } from "../../workload/matrix.ts";
import type { Scenario } from "../../workload/scenario.ts";
import { matchingCells, shownLabels } from "../cell-name.ts";

/**
 * The scenario cut down to the cell with this label, beginning of a hash, or words that only its
 * label has. The cell keeps its label and its hash, so that its trials can be compared with those of
 * the whole matrix. Endpoints are part of a hash: resolve them before. Throws FLAG_INVALID.
 */
export function withOneCell(scenario: Scenario, name: string | undefined): Scenario {
  if (name === undefined) return scenario;
  const cells = cellsOf(scenario);
  const found = matchingCells(cells, name);
  const [only] = found;
  if (only === undefined || found.length > 1)
    throw new OperatorError("FLAG_INVALID", {
      message:
        only === undefined
          ? `scenario ${scenario.name} has no such cell`
          : `${found.length} cells of scenario ${scenario.name} have these words`,
      received: `--cell ${name}`,
      nextStep: `name one of: ${shownLabels(only === undefined ? cells : found)}`,
    });
  return cutTo(scenario, only);
}

/** A cell's parameters say which value of each path of the matrix it has, and which count of a ladder. */
function cutTo(scenario: Scenario, { hash, parameters }: Cell): Scenario {
  const cut: Scenario = {
    ...scenario,
    matrix: Object.fromEntries(
      Object.keys(scenario.matrix).flatMap((path) => {
        const value = parameters[path];
        return value === undefined ? [] : [[path, [value]]];
      }),
    ),
    agentCounts: scenario.agentCounts.filter((count) => count === parameters["agents"]),
  };
  // The hash of a cell holds the name it was given.
  const named = scenario.cells.find((one) => cellsOf({ ...cut, cells: [one] })[0]?.hash === hash);
  return named === undefined ? cut : { ...cut, cells: [named] };
}
