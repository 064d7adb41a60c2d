/** `slipway status` in words: the answer, memory as a bar, a row for each preset that is not stopped. */
import { printable } from "../../core/errors.ts";
import { UNKNOWN, formatBytes, formatNumber } from "../../core/units.ts";
import type { FleetStatus, PresetState, PresetStatus } from "../../fleet/control/protocol.ts";
import { type Column, alignColumns, bar, cut, wrapText } from "./bar.ts";

export interface ViewStyle {
  readonly columns: number;
  readonly color: boolean;
}

/** From here on whole addresses and models fit. */
const WIDE_COLUMNS = 110;
/** Below this a table cannot hold its figures; a narrower terminal cuts or wraps it. */
const NARROWEST_TABLE = 60;
const PRESET_BAR_WIDTH = 8;
/** Name, state, a bar with an amount, slots, speed and port, with the gaps between them, take this beside the name. */
const NARROW_REST_COLUMNS = 56;
const SHORTEST_NAME = 12;
/** A model of fewer characters says nothing, and is left out. */
const SHORTEST_MODEL = 12;
const SHORTEST_BAR = 10;
const LONGEST_BAR = 40;

const COLORS: Readonly<Record<PresetState, number>> = {
  ready: 32,
  starting: 33,
  draining: 33,
  stopping: 33,
  restarting: 33,
  asleep: 36,
  stopped: 2,
  failed: 31,
};

export function renderStatus(status: FleetStatus, style: ViewStyle): string {
  const { columns } = style;
  const shown = status.presets.filter((preset) => preset.state !== "stopped");
  const stopped = status.presets.filter((preset) => preset.state === "stopped");
  const blocks = [
    wrapText(answer(status), columns),
    memoryLine(status, columns),
    ...(shown.length === 0
      ? []
      : [presetTable(shown, status, Math.max(columns, NARROWEST_TABLE), style.color)]),
    ...(stopped.length === 0
      ? []
      : [
          wrapText(
            `stopped: ${stopped.map((preset) => preset.preset).join(", ")}`,
            columns,
            " ".repeat("stopped: ".length),
          ),
        ]),
    ...notes(status, columns),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function answer(status: FleetStatus): string {
  const { mode, switching, lentTo, presets } = status;
  const running = presets.filter((preset) => preset.state !== "stopped");
  if (switching !== undefined) {
    const from = mode === undefined ? "" : ` from ${mode}`;
    return `Switching${from} to ${switching.to}: ${printable(switching.step)}.`;
  }
  if (lentTo !== undefined) return `Lent to ${printable(lentTo)}; what ran before runs again afterwards.`;
  if (running.length === 0 && mode === undefined)
    return "Nothing runs. Start a mode with: slipway mode switch <mode>";
  const wanted = wantedPresets(status);
  const ready = wanted.filter(({ state }) => state === "ready").length;
  const noun = wanted.length === 1 ? "preset is" : "presets are";
  return `${modeStanding(status) ?? "No mode is up"}: ${ready} of ${wanted.length} ${noun} ready${troubles(wanted)}.`;
}

/** Whether the mode is up, in words, by what it was to run; undefined without a mode. */
export function modeStanding(status: FleetStatus): string | undefined {
  const { mode } = status;
  if (mode === undefined) return undefined;
  const wanted = wantedPresets(status);
  const ready = wanted.filter(({ state }) => state === "ready").length;
  if (ready === 0) return `${mode} is not up`;
  return ready === wanted.length ? `${mode} is up` : `${mode} is up in part`;
}

/** The mode's own presets, stopped ones too; what runs, where nobody says what was to run. */
export function wantedPresets({ presets, modePresets }: FleetStatus): readonly PresetStatus[] {
  if (modePresets === undefined) return presets.filter(({ state }) => state !== "stopped");
  return presets.filter(({ preset }) => modePresets.includes(preset));
}

function troubles(presets: readonly PresetStatus[]): string {
  return presets
    .filter((preset) => preset.state !== "ready")
    .map(({ preset, state }) => `, ${preset} ${state === "failed" ? "has failed" : `is ${state}`}`)
    .join("");
}

const MEMORY_KIND = { gpu: "GPU memory", host: "host memory" } as const;

function memoryLine({ memory }: FleetStatus, columns: number): string {
  const { totalBytes, freeBytes, foreignBytes } = memory;
  const usedBytes = totalBytes - freeBytes;
  const share = totalBytes === 0 ? 0 : usedBytes / totalBytes;
  const label = MEMORY_KIND[memory.kind];
  const amounts = `${(share * 100).toFixed(0)} %  ${formatBytes(usedBytes)} of ${formatBytes(totalBytes)}`;
  const foreign =
    foreignBytes === undefined || foreignBytes === 0 ? "" : `, ${formatBytes(foreignBytes)} of it by others`;
  const room = columns - label.length - amounts.length - 4;
  const under = " ".repeat(label.length + 2);
  if (room < SHORTEST_BAR) {
    const line = `${label}  ${bar(share, SHORTEST_BAR)}`;
    return [line, `${under}${amounts}`, ...(foreign === "" ? [] : [`${under}${foreign.slice(2)}`])].join(
      "\n",
    );
  }
  const beside = room - foreign.length >= SHORTEST_BAR;
  const width = Math.max(SHORTEST_BAR, Math.min(LONGEST_BAR, beside ? room - foreign.length : room));
  const line = `${label}  ${bar(share, width)}  ${amounts}`;
  return beside ? `${line}${foreign}` : `${line}\n${under}${foreign.slice(2)}`;
}

function presetTable(
  presets: readonly PresetStatus[],
  { memory }: FleetStatus,
  columns: number,
  color: boolean,
): string {
  const wide = columns >= WIDE_COLUMNS;
  const nameWidth = wide ? columns : Math.max(SHORTEST_NAME, columns - NARROW_REST_COLUMNS);
  const cells = presets.map((one) => [
    cut(one.preset, nameWidth),
    one.state,
    memoryCell(one, memory.totalBytes),
    slotsCell(one),
    one.url === undefined ? UNKNOWN : formatNumber(one.tokensPerSecond, 1),
    addressCell(one, wide),
  ]);
  const [heading, ...lines] = wide ? withModels(cells, presets, columns) : alignColumns(COLUMNS, cells);
  const painted = lines.map((line, index) => paintState(line, presets[index] as PresetStatus, color));
  const legend = presets.some(isDeclaredOnly) ? [dim("~ as declared; nobody has measured it", color)] : [];
  return [dim(heading ?? "", color), ...painted, ...legend].join("\n");
}

const COLUMNS: readonly Column[] = [
  { heading: "preset", align: "left" },
  { heading: "state", align: "left" },
  { heading: "memory", align: "left" },
  { heading: "busy", align: "right" },
  { heading: "tok/s", align: "right" },
  { heading: "at", align: "left" },
];

/** The model gets what the other columns leave, since it alone can be cut without a loss that hurts. */
function withModels(
  cells: readonly (readonly string[])[],
  presets: readonly PresetStatus[],
  columns: number,
): readonly string[] {
  const plain = alignColumns(COLUMNS, cells);
  const room = columns - Math.max(...plain.map((line) => line.length)) - 2;
  if (room < SHORTEST_MODEL || presets.every((one) => one.model === undefined)) return plain;
  const models = presets.map((one) => cut(printable(one.model ?? UNKNOWN), room));
  return alignColumns(
    COLUMNS.toSpliced(-1, 0, { heading: "model", align: "left" }),
    cells.map((row, index) => row.toSpliced(-1, 0, models[index] ?? UNKNOWN)),
  );
}

/** A preset without a server has no address, and holds nothing of what it declares. */
function isDeclaredOnly({ url, usedBytes, declaredBytes }: PresetStatus): boolean {
  return url !== undefined && usedBytes === undefined && declaredBytes !== undefined;
}

function memoryCell(preset: PresetStatus, totalBytes: number): string {
  const bytes = isDeclaredOnly(preset) ? preset.declaredBytes : preset.usedBytes;
  if (bytes === undefined || totalBytes === 0) return UNKNOWN;
  const amount = `${isDeclaredOnly(preset) ? "~" : ""}${formatBytes(bytes)}`;
  return `${bar(bytes / totalBytes, PRESET_BAR_WIDTH)} ${amount.padStart(9)}`;
}

function slotsCell({ url, busySlots, slots }: PresetStatus): string {
  if (url === undefined || (busySlots === undefined && slots === undefined)) return UNKNOWN;
  return `${busySlots ?? UNKNOWN}/${slots ?? UNKNOWN}`;
}

/** On loopback the port says it all where room is short. */
function addressCell({ url }: PresetStatus, wide: boolean): string {
  if (url === undefined) return UNKNOWN;
  return wide ? url : url.replace(/^http:\/\//, "").replace(/^127\.0\.0\.1(?=:)/, "");
}

function notes({ presets, warnings }: FleetStatus, columns: number): readonly string[] {
  const lines = [
    ...presets
      .filter((preset) => preset.reason !== undefined)
      .map((preset) => `${preset.preset}: ${printable(preset.reason ?? "")}`),
    ...presets
      .filter((preset) => preset.state === "failed")
      .map((preset) => `next: slipway logs ${preset.preset}`),
    ...warnings.map((warning) => `warning: ${printable(warning)}`),
  ];
  return lines.length === 0 ? [] : [lines.map((line) => wrapText(line, columns, "  ")).join("\n")];
}

/** The state is the second column; only its word is coloured, so that the columns stay as wide as they are. */
function paintState(line: string, { preset, state }: PresetStatus, color: boolean): string {
  if (!color) return line;
  const at = line.indexOf(state, Math.min(preset.length, line.indexOf("  ")));
  return at < 0
    ? line
    : `${line.slice(0, at)}\u001b[${COLORS[state]}m${state}\u001b[0m${line.slice(at + state.length)}`;
}

function dim(text: string, color: boolean): string {
  return color ? `\u001b[2m${text}\u001b[22m` : text;
}
