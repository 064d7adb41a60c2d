/** The true speedup where it may be read as a verdict on sharing. */
import type { Description } from "../../stats/describe.ts";
import type { CellAnalysis } from "../cell.ts";

/**
 * `undefined` where it is unknown or is no verdict: pauses in the wall lower it without anybody
 * sharing anything; and where the client was late in some blocks, those that are left were chosen
 * by how busy the client was.
 */
export function judgedSpeedup({ blocks, figures, pauses }: CellAnalysis): Description | undefined {
  const withheld = blocks.some(({ agents }) =>
    agents.some(
      ({ comparability }) =>
        comparability.kind === "not-comparable" && comparability.reason === "client-late",
    ),
  );
  return pauses.present || withheld ? undefined : figures.trueSpeedup;
}
