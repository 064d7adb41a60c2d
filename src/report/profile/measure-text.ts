/** Nanoseconds, rates and long names of kernels as a reader takes them in. */
import { BYTES_PER_KIB, NS_PER_MS, NS_PER_S, NS_PER_US, UNKNOWN, formatBytes } from "../../core/units.ts";

/** Three figures in the unit that fits: `640 ns`, `12.3 µs`, `1.79 s`. */
export function nsText(ns: number | undefined): string {
  if (ns === undefined || !Number.isFinite(ns)) return UNKNOWN;
  if (ns < NS_PER_US) return `${threeFigures(ns)} ns`;
  if (ns < NS_PER_MS) return `${threeFigures(ns / NS_PER_US)} µs`;
  if (ns < NS_PER_S) return `${threeFigures(ns / NS_PER_MS)} ms`;
  return `${threeFigures(ns / NS_PER_S)} s`;
}

function threeFigures(value: number): string {
  if (value >= 100 || Number.isInteger(value)) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

const [BYTES_PER_MB, BYTES_PER_GB] = [1e6, 1e9];

/** Decimal, as data sheets give bandwidth. */
export function rateText(bytesPerS: number | undefined): string {
  if (bytesPerS === undefined) return UNKNOWN;
  return bytesPerS < BYTES_PER_GB
    ? `${threeFigures(bytesPerS / BYTES_PER_MB)} MB/s`
    : `${threeFigures(bytesPerS / BYTES_PER_GB)} GB/s`;
}

/** As elsewhere, but a copy of 18 bytes is not one of 0 KiB. */
export function sizeText(bytes: number | undefined): string {
  return bytes !== undefined && bytes < BYTES_PER_KIB ? `${bytes.toFixed(0)} B` : formatBytes(bytes);
}

/** A range's or a call's own name, cut. */
export function callNameText(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
}

/** A share that is not nothing never prints as 0 %, nor one that lacks something as 100 %. */
export function shareText(share: number | undefined): string {
  if (share === undefined) return UNKNOWN;
  const percent = share * 100;
  if (percent > 0 && percent < 0.01) return "< 0.01 %";
  if (percent < 1 && percent > 0) return `${percent.toFixed(2)} %`;
  if (percent > 99 && percent < 100) return `${(Math.floor(percent * 100) / 100).toFixed(2)} %`;
  return `${percent.toFixed(percent < 10 ? 1 : 0)} %`;
}

export function countText(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+(?!\d))/g, ",");
}

/** What a generic kernel of PyTorch applies stands deep in its template arguments. */
const APPLIED = /\b(\w*Functor\w*|\w+_kernel_cuda|\w+_kernel_impl|\w+Ops)\b/;
const LONGEST_NAME = 72;

/** The function's own name without namespace, arguments and templates, and what it applies where that tells it apart. */
export function kernelNameText(name: string): string {
  const end = name.search(/[<(]/);
  const whole = end < 0 ? name : name.slice(0, end);
  const base = whole.replace(/^void /, "").replace(/^.*::/, "") || name;
  const applied = end < 0 ? undefined : APPLIED.exec(name.slice(end))?.[1];
  const text = applied === undefined || applied === "gpu_kernel_impl" ? base : `${base}<${applied}>`;
  return callNameText(text);
}
