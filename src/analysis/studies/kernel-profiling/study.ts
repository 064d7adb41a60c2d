/** Study 002 from its inputs alone. */
import { RecomputedFigures } from "../recomputed-figures.ts";
import type { PublishedFigures, StudyResults } from "../study-findings.ts";
import { kernelProfilingCorrections } from "./corrections.ts";
import { bandwidthFigures, batchingFigures, holmFigures, powerFigures } from "./demand-figures.ts";
import { kernelProfilingInputs } from "./inputs.ts";
import { KERNEL_PROFILING_REASONS } from "./reasons.ts";
import { textFigures } from "./text-figures.ts";
import {
  attributionFigures,
  backendFigures,
  degradationFigures,
  pooledFigures,
  throughputFigures,
} from "./throughput-figures.ts";
import { timingFindings } from "./timing-findings.ts";
import { kernelFigures, memoryTimeFigures } from "./trace-figures.ts";
import { traceFindings } from "./trace-findings.ts";

export function kernelProfiling(given: unknown, published: PublishedFigures): StudyResults {
  const inputs = kernelProfilingInputs.parse(given);
  const book = new RecomputedFigures();
  throughputFigures(book, inputs);
  degradationFigures(book, inputs);
  pooledFigures(book, inputs);
  attributionFigures(book, inputs);
  backendFigures(book, inputs);
  kernelFigures(book, inputs);
  memoryTimeFigures(book, inputs);
  bandwidthFigures(book, inputs);
  batchingFigures(book, inputs);
  powerFigures(book);
  holmFigures(book, inputs);
  textFigures(book, inputs);
  return {
    figures: book.figures,
    reasons: KERNEL_PROFILING_REASONS,
    findings: [...timingFindings(inputs), ...traceFindings(inputs)],
    corrections: kernelProfilingCorrections(inputs, published),
    meaning:
      "The measurements stand and reproduce; the conclusion does not follow from them. Eight agents on one device lose about 7/8 whatever serves them, plain queueing shows the same figures by the published count, and by the study's own rule and sizes saturation of the memory bus was not observed.",
  };
}
