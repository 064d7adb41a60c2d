/**
 * JUnit XML for CI: a test case per check of the gate. A failed check is a failure; an inconclusive
 * one is an error, since a skipped case would look like a passed build. Names are made printable:
 * XML 1.0 has no way to write a control character.
 */
import type { Builder } from "junit-report-builder";
import junit from "junit-report-builder";
import type { Comparison } from "../../analysis/compare/compare-runs.ts";
import type { GateResult } from "../../analysis/gate.ts";
import { printable } from "../../core/errors.ts";
import { checkName, checkReason, LOST_CELL } from "./gate-text.ts";
import { metricSentence } from "./sentence.ts";

/**
 * The package is CommonJS whose whole export is the builder; its declarations describe an ES module
 * with a default export, which Node does not make of it.
 */
const BUILDER = junit as unknown as Builder;

/** Without a gate every metric is a case that passes, with its sentence as output. */
export function renderJunit(comparison: Comparison, gate: GateResult | undefined): string {
  const builder = BUILDER.newBuilder();
  const simulated = comparison.simulated ? "SIMULATED " : "";
  const suite = builder
    .testSuite()
    .name(printable(`${simulated}slipway compare ${comparison.a.name} ${comparison.b.name}`));
  for (const check of gate?.checks ?? []) {
    const reason = printable(checkReason(check));
    const testCase = suite
      .testCase()
      .className(printable(`${simulated}${check.cell}`))
      .name(printable(checkName(check)));
    if (check.verdict === "failed") testCase.failure(reason, "gate");
    else if (check.verdict === "inconclusive") testCase.error(reason, "inconclusive");
    else testCase.standardOutput(reason);
  }
  for (const cell of gate?.lostCells ?? [])
    suite
      .testCase()
      .className(printable(`${simulated}${cell}`))
      .name("cell is in B")
      .error(LOST_CELL, "inconclusive");
  if (gate === undefined)
    for (const pair of comparison.pairs)
      for (const metric of pair.metrics)
        suite
          .testCase()
          .className(printable(`${simulated}${pair.a.label}`))
          .name(metric.metric)
          .standardOutput(metricSentence(metric, comparison));
  return builder.build();
}
