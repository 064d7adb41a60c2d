/** A sweep in words: the answer, then the figures, then what gave none and why. */
import { formatBytes, formatDurationMs, formatNumber, UNKNOWN } from "../../core/units.ts";
import type { StartRecord } from "../../experiment/start-record.ts";
import type { Configuration } from "../../plan/configuration.ts";
import { configurationKey } from "../../plan/configuration.ts";
import type { NoisyFigure } from "../../plan/evaluation.ts";
import type { ParetoRow } from "../../plan/pareto.ts";
import { alignColumns, wrapText } from "../fleet/bar.ts";
import type { CapacityOutcome } from "./outcome.ts";
import type { CapacitySpec } from "./spec.ts";

export function renderOutcome(outcome: CapacityOutcome, spec: CapacitySpec, columns: number): string {
  const blocks = [
    answerLines(outcome).map((line) => wrapText(line, columns)),
    tableLines(outcome, spec),
    imageLines(outcome),
    unusableLines(outcome, columns),
    readingLines(spec, columns),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

function answerLines({ knee, cliff, next }: CapacityOutcome): readonly string[] {
  if (knee.kind === "none") return [knee.reason];
  const { slots, contextTokensPerSlot } = knee;
  const range = (low: number, high: number): string =>
    low === high
      ? low.toLocaleString("en-US")
      : `${low.toLocaleString("en-US")} to ${high.toLocaleString("en-US")}`;
  return [
    `The knee is at ${range(slots.low, slots.high)} ${slots.high === 1 ? "slot" : "slots"} of ${range(contextTokensPerSlot.low, contextTokensPerSlot.high)} tokens.`,
    knee.reason,
    ...(next === undefined ? [] : [`${next}.`]),
    ...(cliff === undefined ? [] : [`To the cliff: ${cliff.distance}.`]),
  ];
}

function tableLines(
  { table, starts }: CapacityOutcome,
  { scenario, capacity }: CapacitySpec,
): readonly string[] {
  if (table.length === 0) return [];
  const roles = [...new Set(table.flatMap(({ evaluation }) => Object.keys(evaluation.roleLatencyMs)))];
  const startOf = (row: ParetoRow): StartRecord | undefined => {
    const cell = capacity.cells.find(
      ({ configuration }) =>
        configurationKey(configuration as Configuration) === configurationKey(row.configuration),
    );
    return starts.find((start) => start.cell === cell?.name);
  };
  const right = (heading: string) => ({ heading, align: "right" }) as const;
  const typed = table.some(({ configuration }) => configuration.kvTypeK !== undefined);
  const lines = alignColumns(
    [
      right("slots"),
      right("tokens each"),
      ...(typed ? [{ heading: "cache", align: "left" } as const] : []),
      right("tok/s in all"),
      right("per agent"),
      ...roles.map((role) => right(`${role} turn`)),
      right("memory"),
      right("boot"),
      { heading: "", align: "left" },
    ],
    table.map((row) => {
      const start = startOf(row);
      const { configuration, evaluation } = row;
      return [
        `${configuration.slots}`,
        configuration.contextTokensPerSlot.toLocaleString("en-US"),
        ...(typed ? [configuration.kvTypeK ?? "as preset"] : []),
        withReach(evaluation.aggregateTokensPerS),
        withReach(evaluation.perAgentTokensPerS),
        ...roles.map((role) => formatDurationMs(evaluation.roleLatencyMs[role]?.value)),
        formatBytes(start?.usedBytes),
        formatDurationMs(start?.bootMs),
        row.dominatedBy === undefined ? "best in something" : "",
      ];
    }),
  );
  return [
    ...lines,
    `${scenario.runs === 1 ? "one trial" : `${scenario.runs} trials`} each of ${formatDurationMs(scenario.durationMs)}${scenario.runs === 1 ? "; nothing is known of the noise" : "; ± is half of the 95 % interval over trials"}`,
  ];
}

function withReach({ value, low, high }: NoisyFigure): string {
  return low === high ? formatNumber(value) : `${formatNumber(value)} ±${formatNumber((high - low) / 2)}`;
}

function imageLines({ images }: CapacityOutcome): readonly string[] {
  if (images.length === 0) return [];
  const [first] = images;
  const left = (heading: string) => ({ heading, align: "left" }) as const;
  return [
    `After one image, about ${formatBytes(first?.imageBytes)}:`,
    ...alignColumns(
      [left("configuration"), { heading: "left free", align: "right" }, left("")],
      images.map(({ cell, freeAfterOneBytes, verdict }) => [cell, formatBytes(freeAfterOneBytes), verdict]),
    ),
  ];
}

function unusableLines({ unusable }: CapacityOutcome, columns: number): readonly string[] {
  if (unusable.length === 0) return [];
  return [
    "Without figures:",
    ...unusable.map(({ cell, reason }) => wrapText(`${cell}: ${reason}`, columns, "    ", "  ")),
  ];
}

function readingLines({ scenario, capacity }: CapacitySpec, columns: number): readonly string[] {
  if (capacity.reading.length === 0) return [];
  return [
    wrapText(scenario.description, columns),
    ...capacity.reading.map((sentence) => wrapText(sentence, columns, "    ", "  ")),
  ];
}

export function startSentence({ cell, outcome, usedBytes, predictedBytes, bootMs }: StartRecord): string {
  const figures =
    usedBytes === undefined
      ? `${formatBytes(predictedBytes)} predicted`
      : `${formatBytes(usedBytes)} at rest (predicted ${formatBytes(predictedBytes)}), up after ${formatDurationMs(bootMs)}`;
  return `${cell}: ${outcome.kind === "fits" ? "fits" : outcome.reason}; ${figures}`;
}

/** For a report beside the run's own. */
export function outcomeMarkdown(outcome: CapacityOutcome, spec: CapacitySpec): string {
  return `# Capacity of ${spec.capacity.preset.name}\n\n\`\`\`text\n${renderOutcome(outcome, spec, 110)}\n\`\`\`\n\n## Memory\n\n${memoryTable(outcome.starts)}\n`;
}

function memoryTable(starts: readonly StartRecord[]): string {
  const rows = starts.map(
    ({ cell, outcome, predictedBytes, usedBytes, freeBytes, bootMs, residency }) =>
      `| ${[cell, outcome.kind, formatBytes(predictedBytes), formatBytes(usedBytes), formatBytes(freeBytes), formatDurationMs(bootMs), residency ?? UNKNOWN].join(" | ")} |`,
  );
  return [
    "| cell | outcome | predicted | at rest | free | boot | lies |",
    "|---|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}
