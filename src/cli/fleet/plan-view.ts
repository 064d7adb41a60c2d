/** A switch in words: what it would do and what it did. */
import { printable } from "../../core/errors.ts";
import { formatBytes, formatDurationMs } from "../../core/units.ts";
import type { Check } from "../../fleet/check.ts";
import type { FleetStatus, SwitchPlan, SwitchReport } from "../../fleet/control/protocol.ts";
import { alignColumns, bar, wrapText } from "./bar.ts";
import { type ViewStyle, modeStanding, wantedPresets } from "./status-view.ts";

const FREE_BAR_WIDTH = 20;

export function renderPlan(plan: SwitchPlan, style: ViewStyle): string {
  const blocks = [
    wrapText(planAnswer(plan), style.columns),
    ...nonEmpty(actLines(plan)),
    memoryLines(plan).join("\n"),
    ...nonEmpty(checkLines(plan.checks, style)),
    ...nonEmpty(alternativeLines(plan, style)),
    ...(plan.fits ? [`do it with: slipway mode switch ${plan.to}`] : []),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function planAnswer({ from, to, stop, start, keep, fits, checks }: SwitchPlan): string {
  if (fits && stop.length === 0 && start.length === 0) return `${to} is what runs; nothing would change.`;
  const refused = failures(checks).length;
  const verdict = fits
    ? `${to} fits`
    : `${to} would be refused${refused === 0 ? "" : `: ${refused} ${refused === 1 ? "check fails" : "checks fail"}`}`;
  const counts = [
    ...(stop.length === 0 ? [] : [`${stop.length} would stop`]),
    ...(start.length === 0 ? [] : [`${start.length} would start`]),
    ...(keep.length === 0 ? [] : [`${keep.length} would stay`]),
  ];
  return `${from === undefined ? "" : `From ${from}: `}${verdict}. ${counts.join(", ")}.`;
}

function actLines({ stop, start, keep }: SwitchPlan): readonly string[] {
  const rows = [
    ...stop.map((one) => [one.how, one.preset, amount("frees", one.freesBytes)]),
    ...start.map((one) => [
      one.how,
      one.preset,
      [
        amount("needs", one.needsBytes),
        ...(one.after.length === 0 ? [] : [`after ${one.after.join(", ")}`]),
      ].join(", "),
    ]),
    ...keep.map((preset) => ["keep", preset, ""]),
  ];
  const left = { heading: "", align: "left" } as const;
  return alignColumns([left, left, left], rows).slice(1);
}

function amount(verb: string, bytes: number | undefined): string {
  return bytes === undefined
    ? `${verb} an unknown amount: none is declared`
    : `${verb} ${formatBytes(bytes)}`;
}

function memoryLines({ memory }: SwitchPlan): readonly string[] {
  const { totalBytes, freeBeforeBytes, freeDuringBytes, freeAfterBytes, marginBytes } = memory;
  const row = (label: string, bytes: number | undefined): readonly string[] =>
    bytes === undefined
      ? [label, "", "unknown"]
      : [label, bar(totalBytes === 0 ? 0 : bytes / totalBytes, FREE_BAR_WIDTH), formatBytes(bytes)];
  const left = { heading: "", align: "left" } as const;
  return [
    `${memory.kind === "gpu" ? "GPU" : "host"} memory free, of ${formatBytes(totalBytes)}; ${formatBytes(marginBytes)} must stay free`,
    ...alignColumns(
      [left, left, { heading: "", align: "right" }],
      [row("before", freeBeforeBytes), row("during", freeDuringBytes), row("after", freeAfterBytes)],
    ).slice(1),
  ];
}

function failures(checks: readonly Check[]): readonly Check[] {
  return checks.filter((check) => !check.passed && check.severity === "error");
}

/** What passed is counted, what did not is told in full. */
function checkLines(checks: readonly Check[], style: ViewStyle): readonly string[] {
  const passed = checks.filter((check) => check.passed).length;
  const failed = checks.filter((check) => !check.passed);
  if (checks.length === 0) return [];
  return [
    `checks: ${passed} of ${checks.length} passed`,
    ...failed.flatMap(({ severity, preset, message, remedy, id }) => [
      wrapText(
        `${severity} ${id}${preset === undefined ? "" : ` ${preset}`}: ${printable(message)}`,
        style.columns,
        "  ",
      ),
      ...(remedy === undefined ? [] : [wrapText(`next: ${printable(remedy)}`, style.columns, "    ", "  ")]),
    ]),
  ];
}

function alternativeLines({ alternatives }: SwitchPlan, style: ViewStyle): readonly string[] {
  if (alternatives.length === 0) return [];
  return [
    "what would fit, least loss first",
    ...alternatives.map(({ sentence, savesBytes, fits }, index) =>
      wrapText(
        `${index + 1}. ${printable(sentence)} (saves ${formatBytes(savesBytes)}${fits ? "" : ", not enough alone"})`,
        style.columns,
        "   ",
      ),
    ),
  ];
}

/** How the mode stands, and where each of its presets listens or how it stands instead. */
export function renderUp(status: FleetStatus, report: SwitchReport | undefined): string {
  const own = report === undefined ? "" : tookSentence(report);
  const wanted = wantedPresets(status);
  const shown = status.presets.filter((one) => one.state !== "stopped" || wanted.includes(one));
  const left = { heading: "", align: "left" } as const;
  const rows = shown.map(({ preset, state, url }) => [
    `  ${preset}`,
    state === "ready" ? (url ?? state) : [state, ...(url === undefined ? [] : [url])].join(", "),
  ]);
  const head = modeStanding(status) ?? "no mode is up";
  return [`${head}${own}`, ...alignColumns([left, left], rows).slice(1), ""].join("\n");
}

function tookSentence({ outcome, tookMs, overheadMs }: SwitchReport): string {
  if (outcome === "already-there") return ", as it was before";
  return ` after ${formatDurationMs(tookMs)}, ${formatDurationMs(overheadMs)} of it Slipway's own`;
}

type Failure = NonNullable<SwitchReport["failure"]>;

/** Why a switch was put back: what a person needs to mend it. */
export function renderRollback(report: SwitchReport, wanted: string, style: ViewStyle): string {
  const { failure, notPutBack = [] } = report;
  return [
    ...(failure === undefined
      ? [`${wanted} was not reached`]
      : failureLines(failure, `${wanted} was not reached: `, style)),
    ...notPutBack.flatMap((lost) =>
      failureLines(lost, `${lost.preset ?? "a preset"} could not be put back: `, style),
    ),
    wrapText(whatRuns(report), style.columns),
    "",
  ].join("\n");
}

function whatRuns({ mode, runs }: SwitchReport): string {
  if (runs.length === 0) return "nothing runs now";
  return mode === undefined ? `what runs now: ${runs.join(", ")}` : `${mode} runs again: ${runs.join(", ")}`;
}

function failureLines(failure: Failure, lead: string, style: ViewStyle): readonly string[] {
  const { code, message, step, preset, nextStep, logTail } = failure;
  return [
    wrapText(`error ${code}: ${lead}${printable(message)}`, style.columns, "  "),
    `  failed at: ${preset === undefined ? step : `${step} of ${preset}`}`,
    wrapText(`next: ${printable(nextStep)}`, style.columns, "    ", "  "),
    ...(logTail.length === 0
      ? []
      : [
          preset === undefined ? "  last lines of the log:" : `  last lines of slipway logs ${preset}:`,
          ...logTail.map((line) => `  | ${printable(line)}`),
        ]),
  ];
}

function nonEmpty(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [lines.join("\n")];
}
