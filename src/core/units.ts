/**
 * Units and their conversions, in one place. One base unit per quantity inside the program:
 * nanoseconds (integers) for stamps, milliseconds for figures, bytes for memory.
 */

export const NS_PER_US = 1_000;
export const NS_PER_MS = 1_000_000;
export const NS_PER_S = 1_000_000_000;
export const MS_PER_S = 1_000;
export const BYTES_PER_KIB = 1024;
export const BYTES_PER_MIB = 1024 * 1024;
export const BYTES_PER_GIB = 1024 * 1024 * 1024;

/** What every table prints for a value that is not known. Unknown is never 0. */
export const UNKNOWN = "–";

export function nsToMs(ns: number): number {
  return ns / NS_PER_MS;
}

export function nsToS(ns: number): number {
  return ns / NS_PER_S;
}

export function msToNs(ms: number): number {
  return Math.round(ms * NS_PER_MS);
}

export function sToNs(seconds: number): number {
  return Math.round(seconds * NS_PER_S);
}

/** A number with a fixed count of decimals, or the unknown mark. */
export function formatNumber(value: number | undefined, decimals = 1): string {
  return value === undefined || !Number.isFinite(value) ? UNKNOWN : value.toFixed(decimals);
}

/** Bytes in the binary unit a reader expects: MiB under 10 GiB, GiB above. */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined || !Number.isFinite(bytes)) return UNKNOWN;
  if (bytes < 0) return `−${formatBytes(-bytes)}`;
  if (bytes < BYTES_PER_MIB) return `${(bytes / BYTES_PER_KIB).toFixed(0)} KiB`;
  if (bytes < 10 * BYTES_PER_GIB) return `${(bytes / BYTES_PER_MIB).toFixed(0)} MiB`;
  return `${(bytes / BYTES_PER_GIB).toFixed(1)} GiB`;
}

/** A duration for people: 340 ms, 12.3 s, 4 min 05 s. */
export function formatDurationMs(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return UNKNOWN;
  if (ms < 0) return `−${formatDurationMs(-ms)}`;
  if (ms < 1000) return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`;
  const totalSeconds = Math.round(ms / 1000);
  const seconds = totalSeconds % 60;
  return `${Math.floor(totalSeconds / 60)} min ${String(seconds).padStart(2, "0")} s`;
}
