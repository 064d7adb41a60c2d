/** Events of a Chrome trace, each put where it belongs by its category. */
import { NS_PER_US } from "../../core/units.ts";
import { Lanes } from "../lanes.ts";
import { LaunchTimes } from "../launch-times.ts";
import { CallTally, NameNumbers } from "../named-tallies.ts";
import { rangeName } from "../range-name.ts";
import { SpanColumns } from "../span-columns.ts";
import { RelativeStamps } from "../stamps.ts";

interface ChromeEvent {
  readonly name: string;
  readonly category: string;
  readonly startNs: number;
  readonly endNs: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly args: Readonly<Record<string, unknown>>;
}

type Kind = "kernel" | "memory" | "api" | "range" | "recording" | "none";

/** Kineto's categories, and those of traces made from Nsight Systems, which say `cuda` and `nvtx`. */
const KINDS: Readonly<Record<string, Kind>> = {
  kernel: "kernel",
  cuda: "kernel",
  gpu_memcpy: "memory",
  gpu_memset: "memory",
  cuda_runtime: "api",
  cuda_driver: "api",
  "cuda-api": "api",
  cuda_api: "api",
  user_annotation: "range",
  nvtx: "range",
  Trace: "recording",
};

export class ChromeEvents {
  readonly memory = new SpanColumns();
  readonly lanes = new Lanes();
  readonly names = new NameNumbers();
  readonly apiCalls = new CallTally();
  readonly ranges = new CallTally();
  /** Kernels with their launch's number; when it began is known once all events are. */
  readonly #kernels = new SpanColumns();
  readonly #launches = new LaunchTimes();
  readonly #stamps = new RelativeStamps();
  #count = 0;
  #unusable = 0;
  #kernelsInGraphs = 0;
  #recordedNs: number | undefined;

  get count(): number {
    return this.#count;
  }

  get unusable(): number {
    return this.#unusable;
  }

  get kernelsInGraphs(): number {
    return this.#kernelsInGraphs;
  }

  get recordedNs(): number | undefined {
    return this.#recordedNs;
  }

  kernels(): SpanColumns {
    const launched = new SpanColumns();
    this.#kernels.visit((startNs, endNs, lane, label, correlation) =>
      launched.push(startNs, endNs, lane, label, this.#launches.get(0, correlation)),
    );
    return launched;
  }

  /** `text` is what `value` was parsed from: a double has lost the last digits of a stamp. */
  take(text: string, value: unknown): void {
    const fields = objectIn(value);
    if (fields === undefined) {
      this.#unusable++;
      return;
    }
    this.#count++;
    if (fields["ph"] !== "X") return;
    const category = typeof fields["cat"] === "string" ? fields["cat"] : "";
    const kind = KINDS[category] ?? "none";
    if (kind === "none") return;
    const times = this.#times(text, fields);
    if (times === undefined) {
      this.#unusable++;
      return;
    }
    const name = typeof fields["name"] === "string" ? fields["name"] : "(no name)";
    this.#place(kind, { name, category, ...times, fields, args: objectIn(fields["args"]) ?? {} });
  }

  #place(kind: Kind, event: ChromeEvent): void {
    switch (kind) {
      case "kernel":
        this.#addKernel(event);
        return;
      case "memory":
        this.#addMemory(event);
        return;
      case "api":
        this.apiCalls.add(event.name, event.endNs - event.startNs);
        this.#launches.set(0, numberIn(event.args, "correlation") ?? Number.NaN, event.startNs);
        return;
      case "range":
        this.ranges.add(rangeName(event.name), event.endNs - event.startNs);
        return;
      case "recording":
        this.#recordedNs = Math.max(this.#recordedNs ?? 0, event.endNs - event.startNs);
        return;
      case "none":
    }
  }

  #addKernel(event: ChromeEvent): void {
    const { startNs, endNs, name, args } = event;
    if ((numberIn(args, "graph node id") ?? 0) > 0) this.#kernelsInGraphs++;
    const correlation = numberIn(args, "correlation") ?? Number.NaN;
    this.#kernels.push(startNs, endNs, this.#laneOf(event), this.names.numberOf(name), correlation);
  }

  #addMemory(event: ChromeEvent): void {
    const { startNs, endNs, name, category, args } = event;
    const label = this.names.numberOf(category === "gpu_memset" ? "memset" : copyName(name));
    const bytes = numberIn(args, "bytes") ?? Number.NaN;
    this.memory.push(startNs, endNs, this.#laneOf(event), label, bytes);
  }

  #laneOf({ fields, args }: ChromeEvent): number {
    const device = numberIn(args, "device") ?? lastNumber(fields["pid"]);
    const stream = numberIn(args, "stream") ?? lastNumber(fields["tid"]);
    const context = numberIn(args, "context");
    return this.lanes.numberOf({
      device: device === undefined ? "0" : String(device),
      stream: stream === undefined ? "?" : String(stream),
      ...(context === undefined ? {} : { context: String(context) }),
    });
  }

  #times(
    text: string,
    fields: Readonly<Record<string, unknown>>,
  ): { readonly startNs: number; readonly endNs: number } | undefined {
    const { ts, dur } = fields;
    if (typeof ts !== "number" || typeof dur !== "number" || !(dur >= 0)) return undefined;
    const startNs = this.#stamps.read(stampText(text, ts), NS_PER_US);
    const lengthNs = Math.round(dur * NS_PER_US);
    if (startNs === undefined || !Number.isSafeInteger(startNs + lengthNs)) return undefined;
    return { startNs, endNs: startNs + lengthNs };
  }
}

/** The stamp as written, if it is the event's own and not one of its arguments; a fixed form of the double otherwise. */
function stampText(text: string, ts: number): string {
  const written = /(?<!\\)"ts"\s*:\s*(-?\d+(?:\.\d+)?)/.exec(text)?.[1];
  return written !== undefined && Number(written) === ts ? written : ts.toFixed(3);
}

/** `Memcpy HtoD (Pageable -> Device)`. */
function copyName(name: string): string {
  const letters = /([HDP])to([HDP])/.exec(name);
  const sides: Readonly<Record<string, string>> = { H: "host", D: "device", P: "peer" };
  return letters === null
    ? "copy of unknown kind"
    : `${sides[letters[1] as string]}-to-${sides[letters[2] as string]}`;
}

function objectIn(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function numberIn(fields: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = fields[name];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** `Device 0`, `CUDA API 7`, or a plain number. */
function lastNumber(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  const digits = typeof value === "string" ? /(\d{1,9})\D*$/.exec(value)?.[1] : undefined;
  return digits === undefined ? undefined : Number(digits);
}
