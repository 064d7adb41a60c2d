/** Units that profilers put into headings and unit columns, scaled to ours: nanoseconds, bytes, bytes per second. */
import { NS_PER_MS, NS_PER_S, NS_PER_US } from "../../core/units.ts";

const TIME_NS: Readonly<Record<string, number>> = {
  ns: 1,
  nsec: 1,
  nsecond: 1,
  nanosecond: 1,
  us: NS_PER_US,
  µs: NS_PER_US,
  μs: NS_PER_US,
  usec: NS_PER_US,
  usecond: NS_PER_US,
  ms: NS_PER_MS,
  msec: NS_PER_MS,
  msecond: NS_PER_MS,
  s: NS_PER_S,
  sec: NS_PER_S,
  second: NS_PER_S,
};

/** Profilers count decimally unless the unit says otherwise: the sample's DRAM peak agrees with that. */
const SIZE_BYTES: Readonly<Record<string, number>> = {
  b: 1,
  byte: 1,
  bytes: 1,
  kb: 1e3,
  kbyte: 1e3,
  mb: 1e6,
  mbyte: 1e6,
  gb: 1e9,
  gbyte: 1e9,
  tb: 1e12,
  tbyte: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

export function timeScaleNs(unit: string): number | undefined {
  return TIME_NS[unit.trim().toLowerCase()];
}

export function sizeScaleBytes(unit: string): number | undefined {
  return SIZE_BYTES[unit.trim().toLowerCase()];
}

/** `byte/second`, `Gbyte/s`, `MB/s`. */
export function rateScaleBytesPerS(unit: string): number | undefined {
  const [size, per, ...rest] = unit.trim().split("/");
  if (size === undefined || per === undefined || rest.length > 0) return undefined;
  const [bytes, ns] = [sizeScaleBytes(size), timeScaleNs(per)];
  return bytes === undefined || ns === undefined ? undefined : (bytes / ns) * NS_PER_S;
}
