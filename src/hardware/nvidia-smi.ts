/**
 * What `nvidia-smi --query-… --format=csv,noheader,nounits` says, as values. Pure: the program is
 * run by gpu-query and gpu-stream.
 *
 * A cell that is not a number is unknown, whatever the driver writes in its place: "[N/A]",
 * "[Not Supported]", "[Unknown Error]", "[GPU is lost]", "[Insufficient Permissions]", "ERR!".
 * Errors come on standard output as often as on standard error, so both are read for a reason.
 */
import { BYTES_PER_MIB } from "../core/units.ts";
import type { GpuFacts, GpuReading, GpuTrouble } from "./facts.ts";

/** Fields that say what a card is, asked once. */
export const GPU_FACT_FIELDS: readonly string[] = [
  "index",
  "name",
  "uuid",
  "driver_version",
  "memory.total",
  "memory.used",
  "memory.free",
  "compute_cap",
  "power.limit",
  "mig.mode.current",
];

/** Fields that change, asked many times a second. */
export const GPU_READING_FIELDS: readonly string[] = [
  "index",
  "memory.used",
  "memory.free",
  "utilization.gpu",
  "utilization.memory",
  "power.draw",
  "clocks.current.sm",
  "clocks.current.memory",
  "temperature.gpu",
  "clocks_event_reasons.active",
];

/** Drivers before 535 know a field only by its older name. */
const OLDER_NAMES: Readonly<Record<string, string>> = {
  "clocks_event_reasons.active": "clocks_throttle_reasons.active",
};

/** The field a driver refuses, if that is what a line says: one unknown field fails the whole query. */
export function refusedField(line: string): string | undefined {
  return /Field "([^"]+)" is not a valid field to query/.exec(line)?.[1];
}

/** The query to try next: the refused field under its older name, else without it. */
export function withoutRefused(fields: readonly string[], refused: string): readonly string[] {
  const older = OLDER_NAMES[refused];
  return fields.flatMap((field) => (field !== refused ? [field] : older === undefined ? [] : [older]));
}

export function queryArguments(fields: readonly string[]): string[] {
  return [`--query-gpu=${fields.join(",")}`, "--format=csv,noheader,nounits"];
}

/** One row by field name, or undefined if the line is not a row of this query. */
function rowOf(fields: readonly string[], line: string): ReadonlyMap<string, string> | undefined {
  const cells = line.split(",").map((cell) => cell.trim());
  if (cells.length !== fields.length) return undefined;
  return new Map(fields.map((field, position) => [field, cells[position] ?? ""]));
}

function numberIn(row: ReadonlyMap<string, string>, field: string): number | undefined {
  const cell = row.get(field);
  return cell !== undefined && /^-?\d+(\.\d+)?$/.test(cell) ? Number(cell) : undefined;
}

function bytesIn(row: ReadonlyMap<string, string>, field: string): number | undefined {
  const mebibytes = numberIn(row, field);
  return mebibytes === undefined ? undefined : mebibytes * BYTES_PER_MIB;
}

function textIn(row: ReadonlyMap<string, string>, field: string): string | undefined {
  const cell = row.get(field);
  return cell === undefined || cell === "" || cell === "ERR!" || /^\[.*\]$|^N\/A$/.test(cell)
    ? undefined
    : cell;
}

/** The members that are known; an unknown one is left out rather than set to undefined. */
function known<T extends Readonly<Record<string, unknown>>>(
  members: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** One card; undefined if the line is not a row or carries no index. */
export function parseGpuFacts(fields: readonly string[], line: string): GpuFacts | undefined {
  const row = rowOf(fields, line);
  const index = row && numberIn(row, "index");
  if (row === undefined || index === undefined) return undefined;
  return {
    index,
    name: textIn(row, "name") ?? "unnamed NVIDIA GPU",
    ...known({
      uuid: textIn(row, "uuid"),
      driverVersion: textIn(row, "driver_version"),
      memoryTotalBytes: bytesIn(row, "memory.total"),
      memoryUsedBytes: bytesIn(row, "memory.used"),
      memoryFreeBytes: bytesIn(row, "memory.free"),
      computeCapability: textIn(row, "compute_cap"),
      powerLimitW: numberIn(row, "power.limit"),
      mig: migMode(textIn(row, "mig.mode.current")),
    }),
  };
}

function migMode(cell: string | undefined): "enabled" | "disabled" | undefined {
  return cell === "Enabled" ? "enabled" : cell === "Disabled" ? "disabled" : undefined;
}

/** One moment of one card; undefined if the line is not a row or carries no index. */
export function parseGpuReading(fields: readonly string[], line: string): GpuReading | undefined {
  const row = rowOf(fields, line);
  const index = row && numberIn(row, "index");
  if (row === undefined || index === undefined) return undefined;
  const mask = row.get("clocks_event_reasons.active") ?? row.get("clocks_throttle_reasons.active");
  return {
    index,
    ...known({
      memoryUsedBytes: bytesIn(row, "memory.used"),
      memoryFreeBytes: bytesIn(row, "memory.free"),
      utilizationPct: numberIn(row, "utilization.gpu"),
      memoryUtilizationPct: numberIn(row, "utilization.memory"),
      powerW: numberIn(row, "power.draw"),
      smClockMhz: numberIn(row, "clocks.current.sm"),
      memoryClockMhz: numberIn(row, "clocks.current.memory"),
      temperatureC: numberIn(row, "temperature.gpu"),
      throttleReasons: mask === undefined ? undefined : parseThrottleMask(mask),
    }),
  };
}

/** Bits of NVML's nvmlClocksEventReasons (NVML API reference); names are ours, in kebab case. */
const THROTTLE_BITS: readonly (readonly [bigint, string])[] = [
  [0x1n, "gpu-idle"],
  [0x2n, "application-clocks"],
  [0x4n, "software-power-cap"],
  [0x8n, "hardware-slowdown"],
  [0x10n, "sync-boost"],
  [0x20n, "software-thermal"],
  [0x40n, "hardware-thermal"],
  [0x80n, "hardware-power-brake"],
  [0x100n, "display-clocks"],
];

/** The reasons in a mask such as 0x0000000000000024; a bit without a name here is given as hex. */
export function parseThrottleMask(cell: string): readonly string[] | undefined {
  if (!/^0x[0-9a-f]{1,16}$/i.test(cell)) return undefined;
  let rest = BigInt(cell);
  const reasons: string[] = [];
  for (const [bit, name] of THROTTLE_BITS) {
    if ((rest & bit) === 0n) continue;
    reasons.push(name);
    rest &= ~bit;
  }
  if (rest !== 0n) reasons.push(`0x${rest.toString(16)}`);
  return reasons;
}

export interface ComputeApp {
  readonly pid: number;
  readonly name: string;
  /** Over all cards. Absent inside containers and under WDDM, where the driver does not say. */
  readonly vramBytes?: number;
}

export const COMPUTE_APP_ARGUMENTS: readonly string[] = [
  "--query-compute-apps=pid,used_memory,process_name",
  "--format=csv,noheader,nounits",
];

/** Processes with a context on a GPU. One that uses several cards has several rows, which are summed. */
export function parseComputeApps(lines: readonly string[]): readonly ComputeApp[] {
  const apps = new Map<number, ComputeApp>();
  for (const line of lines) {
    // The name comes last because it is a path or a command line, and may itself hold commas.
    const match = /^\s*(\d+)\s*,\s*([^,]*?)\s*,\s*(.*?)\s*$/.exec(line);
    if (match === null) continue;
    const pid = Number(match[1]);
    const cell = match[2] ?? "";
    const bytes = /^\d+$/.test(cell) ? Number(cell) * BYTES_PER_MIB : undefined;
    const before = apps.get(pid)?.vramBytes;
    const sum = bytes === undefined && before === undefined ? undefined : (bytes ?? 0) + (before ?? 0);
    apps.set(pid, { pid, name: match[3] ?? "", ...(sum === undefined ? {} : { vramBytes: sum }) });
  }
  return [...apps.values()];
}

/** Texts of nvidia-smi that name a cause, with what to do about each. */
const KNOWN_FAILURES: readonly (readonly [RegExp, string, string])[] = [
  [
    /Driver\/library version mismatch/i,
    "the NVIDIA driver on disk is newer than the one in the kernel",
    "reboot, or unload and load the nvidia kernel modules",
  ],
  [
    /couldn't communicate with the NVIDIA driver|Driver Not Loaded/i,
    "the NVIDIA driver is not loaded",
    "load it (modprobe nvidia) or install the driver for this kernel",
  ],
  [
    /No devices were found/i,
    "the NVIDIA driver runs but sees no GPU",
    "check that the card is seated, powered and passed through to this machine or container",
  ],
  [
    /GPU is lost|has fallen off the bus/i,
    "a GPU has dropped off the bus",
    "reboot; if it comes back, check its power and its slot",
  ],
  [
    /Insufficient Permissions/i,
    "this user may not query the GPU",
    "give the user access to /dev/nvidia* (often the group video or render)",
  ],
  [
    /Failed to initialize NVML: Unknown Error/i,
    "this container has lost its access to the GPU",
    "restart the container",
  ],
];

/** Turns what nvidia-smi said before it ended into a reason and a next step. */
export function explainFailure(said: string, exitCode: number | null): GpuTrouble {
  for (const [pattern, reason, nextStep] of KNOWN_FAILURES)
    if (pattern.test(said)) return { kind: "failed", reason, nextStep };
  const first = said.split("\n").find((line) => line.trim() !== "");
  return {
    kind: "failed",
    reason:
      first === undefined
        ? `nvidia-smi ended with ${exitCode === null ? "a signal" : `exit code ${exitCode}`} and said nothing`
        : `nvidia-smi said: ${first.trim()}`,
    nextStep: "run nvidia-smi by hand and mend what it reports",
  };
}

export const SMI_ABSENT: GpuTrouble = {
  kind: "absent",
  reason: "nvidia-smi is not on the PATH",
  nextStep: "install the NVIDIA driver if this machine has an NVIDIA GPU; nothing to do otherwise",
};

export function smiSilent(limitMs: number): GpuTrouble {
  return {
    kind: "failed",
    reason: `nvidia-smi did not answer within ${limitMs / 1000} s`,
    nextStep: "run nvidia-smi by hand; if it hangs too, the driver is stuck and needs a reboot",
  };
}
