/** Results that another program measured: what its file says, and that there is no more to say. */
import type { SummaryConfiguration, SummaryRecord } from "../../record/summary-record.ts";
import { UNKNOWN } from "../../core/units.ts";
import { figureText } from "../section/figure-text.ts";
import type { Section } from "../section/section.ts";
import { lead, left, note, right, table } from "../section/section.ts";

const WHAT_IS_NOT_THERE =
  "Imported results: another program measured them, and the file has figures of whole runs only. There are no requests, no stamps and, where it gives no true speedup, no solo trials to compare with: what is not in the file is unknown here.";

/** The first sentence answers as a measured run's does. */
export function importedAnswer({ configurations }: SummaryRecord): readonly string[] {
  const runs = configurations.reduce((total, one) => total + one.runs.length, 0);
  const counts = `${configurations.length} imported configuration${configurations.length === 1 ? "" : "s"}, ${runs} run${runs === 1 ? "" : "s"}`;
  const indices = configurations.flatMap((one) => one.average_concurrency_speedup ?? []);
  const [low, high] = [Math.min(...indices).toFixed(2), Math.max(...indices).toFixed(2)];
  const index = low === high ? low : `${low} to ${high}`;
  return [
    indices.length === 0
      ? `${counts}.`
      : `${counts}: the published "speedup" is ${index}, a balance index: it says how evenly agents finished and not what running them together gained.`,
    WHAT_IS_NOT_THERE,
  ];
}

export function importedSection(summary: SummaryRecord): Section {
  return {
    id: "imported",
    title: "Imported results",
    simulated: summary.simulated,
    blocks: [
      lead(importedAnswer(summary)[0] ?? ""),
      ...table(
        "As the file gives them, means over the runs of each configuration",
        [
          left("configuration"),
          ...["runs", "balance index", "balance %", "true speedup", "TTFT, first − second, ms"].map(right),
          right("contended"),
        ],
        summary.configurations.map(configurationRow),
      ),
      note(WHAT_IS_NOT_THERE),
    ],
  };
}

function configurationRow(one: SummaryConfiguration): readonly string[] {
  const shown = (value: number | undefined): string => (value === undefined ? UNKNOWN : figureText(value));
  const decided = one.runs.filter((run) => run.resource_contention_detected !== undefined).length;
  return [
    one.test,
    String(one.runs.length),
    shown(one.average_concurrency_speedup),
    shown(one.average_efficiency),
    shown(one.average_true_speedup),
    shown(one.average_ttft_delta_ms),
    decided === 0 ? UNKNOWN : `${one.contention_runs ?? 0} of ${decided}`,
  ];
}
