/**
 * The heading of a report of `nsys stats`: which report it is, and each column with its unit taken
 * off. Reports are told by their columns, since a file need not carry their name.
 */
import { sizeScaleBytes, timeScaleNs } from "./measure-units.ts";

export type StatsReport =
  | "kernel sum"
  | "memory time sum"
  | "memory size sum"
  | "call sum"
  | "range sum"
  | "kernel execution trace"
  | "gpu trace"
  /** A table of nsys stats that nothing here reads, such as a trace of API calls. */
  | "other";

export interface StatsHeading {
  readonly report: StatsReport;
  /** The place of each column by its name in small letters, without unit. */
  readonly places: ReadonlyMap<string, number>;
  /** What a number of the column is multiplied by to be in nanoseconds or bytes. */
  readonly scales: ReadonlyMap<string, number>;
  readonly width: number;
}

const WITH_UNIT = /^(.*?)\s*\(([^()]+)\)$/;

/** Undefined for a record that is no heading. */
export function statsHeading(record: readonly string[]): StatsHeading | undefined {
  if (record.length < 4) return undefined;
  const places = new Map<string, number>();
  const scales = new Map<string, number>();
  for (const [place, text] of record.entries()) {
    const found = WITH_UNIT.exec(text.trim());
    const name = (found?.[1] ?? text).trim().toLowerCase();
    const unit = found?.[2];
    const scale = unit === undefined ? undefined : (timeScaleNs(unit) ?? sizeScaleBytes(unit));
    if (!places.has(name)) places.set(name, place);
    if (scale !== undefined) scales.set(name, scale);
  }
  const report = reportOf((...names) => names.every((name) => places.has(name)), scales);
  return report === undefined ? undefined : { report, places, scales, width: record.length };
}

function reportOf(
  has: (...names: string[]) => boolean,
  scales: ReadonlyMap<string, number>,
): StatsReport | undefined {
  if (has("kernel start", "kernel dur") && (has("kernel name") || has("name")))
    return "kernel execution trace";
  if (has("start", "duration", "name") && (has("strm") || has("corrid")) && has("device")) return "gpu trace";
  if (has("total time", "instances", "name")) return "kernel sum";
  if (has("total time", "range")) return "range sum";
  if (has("total time", "operation")) return "memory time sum";
  if (has("total", "operation") && scales.has("total")) return "memory size sum";
  if (has("total time", "num calls", "name")) return "call sum";
  return has("start", "duration", "name") ? "other" : undefined;
}
