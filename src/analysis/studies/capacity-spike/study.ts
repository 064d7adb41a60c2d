/** Study 003 from its inputs alone. */
import { RecomputedFigures } from "../recomputed-figures.ts";
import type { PublishedFigures, StudyResults } from "../study-findings.ts";
import { capacitySpikeCorrections } from "./corrections.ts";
import { beyondTheory, memoryFigures, workloadFigures } from "./figures.ts";
import { capacitySpikeFindings } from "./findings.ts";
import { capacitySpikeInputs } from "./inputs.ts";

export function capacitySpike(given: unknown, published: PublishedFigures): StudyResults {
  const inputs = capacitySpikeInputs.parse(given);
  const book = new RecomputedFigures();
  memoryFigures(book, inputs);
  beyondTheory(book, inputs, published);
  workloadFigures(book, inputs);
  return {
    figures: book.figures,
    reasons: new Map([
      ["per-slot.128k.empirical", "the study's formula gives 1,516 MiB; see the corrections"],
      ["per-slot.64k.empirical", "the study's formula gives 893 and 921 MiB"],
      ["per-slot.32k.empirical", "the study's formula gives 499 and 536 MiB"],
      ["per-slot.128k.beyond", "1,800 − 2,048 is −248"],
      ["scaling.research-rank.value", "row 04 has 181.2 tok/s, row 03 180.2"],
      ["scaling.projector-saving.value", "1,823 − 1,102 MiB"],
    ]),
    findings: capacitySpikeFindings(inputs),
    corrections: capacitySpikeCorrections(inputs, published),
    meaning:
      "Three slots of 128K without the projector is a sound choice on this card. The collapse at larger contexts is most likely memory that no longer fits, not the cost of attention, and each row is one run on a background that changed.",
  };
}
