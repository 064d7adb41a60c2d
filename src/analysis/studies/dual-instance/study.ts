/** Study 001 from its inputs alone. */
import { RecomputedFigures } from "../recomputed-figures.ts";
import type { StudyResults } from "../study-findings.ts";
import { costFigures, paradoxFigures, pythonFigures, soloFigures } from "./comparison-figures.ts";
import { dualInstanceCorrections } from "./corrections.ts";
import { efficiencyFigures } from "./efficiency-figures.ts";
import { deltaFigures } from "./delta-figures.ts";
import { dualInstanceFindings } from "./findings.ts";
import { dualInstanceInputs } from "./inputs.ts";
import { DUAL_INSTANCE_REASONS } from "./reasons.ts";

export function dualInstance(given: unknown): StudyResults {
  const inputs = dualInstanceInputs.parse(given);
  const book = new RecomputedFigures();
  efficiencyFigures(book, inputs);
  deltaFigures(book, inputs);
  pythonFigures(book, inputs);
  soloFigures(book, inputs);
  paradoxFigures(book, inputs);
  costFigures(book, inputs);
  return {
    figures: book.figures,
    reasons: DUAL_INSTANCE_REASONS,
    findings: dualInstanceFindings(inputs),
    corrections: dualInstanceCorrections(inputs),
    meaning:
      "The speedup near 2 says that the two agents finish at about the same time, not that running them together gains anything: against the printed rate alone two together do 0.73 of what one does. The differences that choose a winner among configurations and runtimes are smaller than those between repeats of one setting.",
  };
}
