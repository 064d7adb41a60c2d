/** An Nsight Systems SQLite export, schemas 2.9 to 3.25, to figures. */
import { OperatorError } from "../../core/errors.ts";
import type { GraphReading, Told } from "../figures.ts";
import { known, unknown } from "../figures.ts";
import { foldTrace } from "../fold-trace.ts";
import { Lanes } from "../lanes.ts";
import type { OnProgress } from "../progress.ts";
import type { ReadFile } from "../read-file.ts";
import { NsysDatabase } from "./database.ts";
import type { DeviceReader } from "./device-events.ts";
import { memoryName, readGraphBlocks, readKernels, readMemory } from "./device-events.ts";
import { baseStamp } from "./events.ts";
import { readCudaCalls, readNvtx, readOsRuntime, readProfilerOverhead } from "./host-events.ts";
import type { Session } from "./session.ts";
import { readSession } from "./session.ts";
import { readContextSwitches, readGpuMetrics, readMemoryUsage } from "./side-tables.ts";
import { UsedStrings } from "./string-table.ts";

export function readNsys(path: string, onProgress: OnProgress): ReadFile {
  const database = new NsysDatabase(path);
  try {
    const session = readSession(database);
    if (!session.isExport)
      throw new OperatorError("PROFILE_FORMAT_UNKNOWN", {
        message: `${path} is a SQLite file, but no export of Nsight Systems: it has ${database.tableCount} tables and none of its`,
        received: path,
        nextStep: "name a file that nsys export --type sqlite wrote",
      });
    return readTables(database, session, onProgress);
  } finally {
    database.close();
  }
}

const KERNEL = "CUPTI_ACTIVITY_KIND_KERNEL";

function readTables(database: NsysDatabase, session: Session, onProgress: OnProgress): ReadFile {
  const base = baseStamp(database);
  const cuda = readCudaCalls(database, base, onProgress);
  const reader: DeviceReader = { database, base, lanes: new Lanes(), gpuIds: session.gpuIds, onProgress };
  const names = new UsedStrings();
  const kernels = readKernels(reader, cuda.launches, names);
  names.resolve(database);
  const graphBlocks = readGraphBlocks(reader);
  const memory = readMemory(reader);
  const traced = foldTrace({
    kernels: kernels.spans,
    memory: memory.spans,
    graphBlocks: graphBlocks.spans,
    lanes: reader.lanes,
    kernelName: (label) => names.nameOf(label),
    memoryName,
    recordedNs: session.recordedNs,
    because: {
      kernels: database.whyNot(KERNEL, "start", "end"),
      memory: whyNoMemory(database),
      launches:
        cuda.launches.known === 0
          ? database.whyNot("CUPTI_ACTIVITY_KIND_RUNTIME", "start", "correlationId")
          : `no launch in CUPTI_ACTIVITY_KIND_RUNTIME has the number of a kernel`,
    },
    streams: database.has(KERNEL, "streamId") ? known(true) : unknown(database.whyNot(KERNEL, "streamId")),
  });
  return {
    detail: session.detail,
    figures: {
      ...traced,
      recordedNs: session.recordedNs,
      gpus: session.gpus,
      cudaApi: cuda.calls,
      osRuntime: readOsRuntime(database, onProgress),
      nvtx: readNvtx(database, onProgress),
      graphs: readGraphs({
        blocks: graphBlocks.spans.length,
        graphTimeNs: lengthOf(graphBlocks.spans),
        inGraphs: kernels.inGraphs,
        kernels: kernels.spans.length,
        launches: cuda.graphLaunches,
        mode: session.graphMode,
      }),
      profilerOverheadNs: readProfilerOverhead(database),
      memoryUsage: readMemoryUsage(database, base),
      gpuMetrics: readGpuMetrics(database),
      contextSwitches: readContextSwitches(database),
      ncu: unknown("Nsight Systems does not count inside kernels"),
    },
    notes: [
      ...session.notes,
      ...unusableRows(KERNEL, kernels.unusable),
      ...unusableRows("copies and memsets", memory.unusable),
      ...(cuda.launches.full
        ? ["correlation numbers are scattered too widely to keep; launches beyond the limit are unknown"]
        : []),
    ],
  };
}

function whyNoMemory(database: NsysDatabase): string {
  const [copies, sets] = ["CUPTI_ACTIVITY_KIND_MEMCPY", "CUPTI_ACTIVITY_KIND_MEMSET"];
  return `${database.whyNot(copies, "start", "end")}, and ${database.whyNot(sets, "start", "end")}`;
}

function lengthOf(spans: { visit(each: (startNs: number, endNs: number) => void): void }): number {
  let totalNs = 0;
  spans.visit((startNs, endNs) => {
    totalNs += endNs - startNs;
  });
  return totalNs;
}

interface GraphEvidence {
  readonly blocks: number;
  readonly graphTimeNs: number;
  readonly inGraphs: number;
  readonly kernels: number;
  readonly launches: number | undefined;
  readonly mode: string | undefined;
}

/**
 * Recorded with `--cuda-graph-trace=graph`, the default, a graph is one opaque block and its kernels
 * are in no table: a decode loop inside graphs then looks like an idle GPU.
 */
function readGraphs(evidence: GraphEvidence): Told<GraphReading> {
  const { blocks, graphTimeNs, inGraphs, kernels, launches, mode } = evidence;
  if (blocks > 0)
    return known({
      kind: "hidden",
      launches: Math.max(blocks, launches ?? 0),
      graphTimeNs,
      kernelsOutside: kernels - inGraphs,
    });
  if (inGraphs > 0)
    return known({ kind: "nodes", kernels: inGraphs, ...(launches === undefined ? {} : { launches }) });
  if (launches === undefined) return unknown("launches were not recorded");
  if (launches === 0) return known({ kind: "none" });
  return mode?.toLowerCase() === "node"
    ? known({ kind: "undecided", launches })
    : known({ kind: "hidden", launches, kernelsOutside: kernels });
}

function unusableRows(what: string, rows: number): readonly string[] {
  return rows === 0 ? [] : [`${rows} rows of ${what} have no usable start and end, and are left out`];
}
