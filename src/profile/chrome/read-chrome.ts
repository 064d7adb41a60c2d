/**
 * Chrome traces: what PyTorch's profiler (Kineto) writes, and what other tools make of an Nsight
 * Systems report. Stamps are microseconds with a fraction, of an arbitrary or of the Unix epoch.
 */
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { OperatorError, messageOf } from "../../core/errors.ts";
import type { CallRow, GpuFacts, GraphReading, Told } from "../figures.ts";
import { allUnknown, known, unknown } from "../figures.ts";
import { foldTrace } from "../fold-trace.ts";
import { graphLaunchesIn } from "../graph-reading.ts";
import type { OnProgress } from "../progress.ts";
import { RowCounter } from "../progress.ts";
import type { ReadFile } from "../read-file.ts";
import { SpanColumns } from "../span-columns.ts";
import type { CallTally } from "../named-tallies.ts";
import { ChromeEvents } from "./chrome-events.ts";
import { EventScanner } from "./event-scanner.ts";

export async function readChrome(path: string, packed: boolean, onProgress: OnProgress): Promise<ReadFile> {
  const events = new ChromeEvents();
  const counter = new RowCounter("events", onProgress);
  const beside = new Map<string, string>();
  const scanner = new EventScanner(path, {
    event: (text) => {
      counter.count();
      events.take(text, parsedEvent(path, text));
    },
    beside: (key, text) => {
      if (beside.size < MOST_BESIDE) beside.set(key, text);
    },
  });
  for await (const chunk of textOf(path, packed)) scanner.feed(chunk);
  const ending = scanner.end();
  if (events.count === 0)
    throw new OperatorError("PROFILE_DAMAGED", {
      message: `${path} is JSON, and no Chrome trace: it has no events`,
      received: path,
      nextStep: "name a file with traceEvents, such as PyTorch's export_chrome_trace writes",
    });
  return {
    detail: `Chrome trace, ${events.count} events`,
    figures: figuresOf(events, beside),
    notes: [
      ...(ending === "open list" ? ["the list of events has no end; the file may be cut short"] : []),
      ...(events.unusable === 0
        ? []
        : [`${events.unusable} events have no usable start and duration, and are left out`]),
    ],
  };
}

/** Keys of the outer object; Kineto writes about ten. */
const MOST_BESIDE = 100;

async function* textOf(path: string, packed: boolean): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8");
  const file = createReadStream(path, { highWaterMark: 1024 * 1024 });
  const unpacked = packed ? file.pipe(createGunzip()) : file;
  // A failing read would otherwise leave the unpacker waiting for more.
  if (packed) file.on("error", (error) => unpacked.destroy(error));
  try {
    for await (const bytes of unpacked) yield decoder.decode(bytes as Uint8Array, { stream: true });
  } catch (thrown) {
    throw new OperatorError("PROFILE_DAMAGED", {
      message: `${path} cannot be unpacked: ${messageOf(thrown)}`,
      received: path,
      nextStep: "copy the file again",
      cause: thrown,
    });
  }
}

function parsedEvent(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new OperatorError("PROFILE_DAMAGED", {
      message: `${path} breaks as a Chrome trace: ${messageOf(thrown)}`,
      received: text,
      nextStep: "write the trace again, to its end",
      cause: thrown,
    });
  }
}

function figuresOf(events: ChromeEvents, beside: ReadonlyMap<string, string>): ReadFile["figures"] {
  const recordedNs: Told<number> =
    events.recordedNs === undefined
      ? unknown("the trace has no event of the whole recording")
      : known(events.recordedNs);
  const cudaApi = rowsOf(events.apiCalls, "no event of the CUDA API is in the trace");
  const traced = foldTrace({
    kernels: events.kernels(),
    memory: events.memory,
    graphBlocks: new SpanColumns(),
    lanes: events.lanes,
    kernelName: (label) => events.names.nameOf(label),
    memoryName: (label) => events.names.nameOf(label),
    recordedNs,
    because: {
      kernels: "no event of a kernel is in the trace",
      memory: "no event of a copy or memset is in the trace",
      launches: "no launch in the trace has the number of a kernel",
    },
    streams: known(true),
  });
  return {
    ...allUnknown("Chrome traces do not tell it"),
    ...traced,
    recordedNs,
    gpus: gpusIn(beside),
    cudaApi,
    nvtx: rowsOf(events.ranges, "no range is in the trace"),
    graphs: graphsIn(events, cudaApi),
  };
}

function rowsOf(tally: CallTally, because: string): Told<readonly CallRow[]> {
  return tally.count === 0 ? unknown(because) : known(tally.rows());
}

function graphsIn(events: ChromeEvents, cudaApi: Told<readonly CallRow[]>): Told<GraphReading> {
  if (cudaApi.kind === "unknown")
    return events.kernelsInGraphs > 0
      ? known({ kind: "nodes", kernels: events.kernelsInGraphs })
      : unknown("calls of the CUDA API are not in the trace");
  const launches = graphLaunchesIn(cudaApi.value);
  if (events.kernelsInGraphs > 0) return known({ kind: "nodes", kernels: events.kernelsInGraphs, launches });
  return known(launches === 0 ? { kind: "none" } : { kind: "undecided", launches });
}

/** Kineto's list of devices. */
function gpusIn(beside: ReadonlyMap<string, string>): Told<readonly GpuFacts[]> {
  const gpus = deviceProperties(beside.get("deviceProperties")).flatMap((device): readonly GpuFacts[] => {
    const { name, totalGlobalMem, numSms } = device as Record<string, unknown>;
    if (typeof name !== "string") return [];
    return [
      {
        name: name.slice(0, 200),
        ...(typeof totalGlobalMem === "number" ? { memoryBytes: totalGlobalMem } : {}),
        ...(typeof numSms === "number" ? { multiprocessors: numSms } : {}),
      },
    ];
  });
  return gpus.length === 0 ? unknown("the trace has no deviceProperties") : known(gpus);
}

function deviceProperties(text: string | undefined): readonly object[] {
  try {
    const parsed: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(parsed) ? parsed.filter((one) => typeof one === "object" && one !== null) : [];
  } catch {
    // It is beside the point of the trace: what breaks it breaks no figure.
    return [];
  }
}
