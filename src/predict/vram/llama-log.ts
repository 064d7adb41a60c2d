/**
 * Reads what llama-server says of its memory in its log: buffers, cells, layers moved. These lines
 * are at verbosity 4 in current servers (`--verbosity 4`); older ones print them always. While it
 * fits a model to a device the server constructs it on paper several times, so a later
 * construction of the same model replaces an earlier one instead of adding to it.
 */
import { BYTES_PER_MIB } from "../../core/units.ts";
import type { MemoryPlace } from "./ledger.ts";

export type LoggedItem = "weights" | "cache" | "state" | "compute" | "output" | "projector";

export interface LoggedBuffer {
  /** As the server names it: CUDA0, CUDA_Host, CPU, CPU_Mapped, Metal. */
  readonly device: string;
  readonly place: MemoryPlace;
  readonly item: LoggedItem;
  /** Printed with two decimals of a MiB. */
  readonly bytes: number;
}

/** The line `size = … (cells, layers, seqs)`. */
export interface LoggedCache {
  readonly cells: number;
  readonly layers: number;
  readonly slots: number;
  readonly streams: number;
  readonly keyType: string;
  readonly keyBytes: number;
  readonly valueType: string;
  readonly valueBytes: number;
}

/** A row of the table that the server prints at its end. */
export interface LoggedDevice {
  readonly name: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Of this server. */
  readonly ownBytes: number;
  /** Neither free nor a buffer of this server: driver context, pools, others. */
  readonly unaccountedBytes: number;
}

export interface ServerMemoryLog {
  readonly buffers: readonly LoggedBuffer[];
  readonly caches: readonly LoggedCache[];
  readonly offloaded?: { readonly layers: number; readonly of: number };
  readonly devices: readonly LoggedDevice[];
  /** Tensors that the settings, or the fitting, sent to the host. */
  readonly overriddenTensors: number;
}

const BUFFER =
  /(?<source>[A-Za-z_]\w*): +(?<device>[A-Za-z]\S*) +(?:(?<item>model|KV|RS|compute|output) +)?buffer size = +(?<mib>\d+(?:\.\d+)?) MiB/;
const CACHE =
  /size = +[\d.]+ MiB \( *(?<cells>\d+) cells, +(?<layers>\d+) layers, +(?<slots>\d+)\/ *(?<streams>\d+) seqs\), +K \((?<keyType>\w+)\): +(?<keyMib>[\d.]+) MiB, +V \((?<valueType>\w+)\): +(?<valueMib>[\d.]+) MiB/;
const OFFLOADED = /offloaded (?<layers>\d+)\/(?<of>\d+) layers to GPU/;
const OVERRIDDEN = /tensor \S+ (?:\([^)]*\) )?buffer type overri\w+ to \w*(?:CPU|Host)/i;
const LOADED = /loaded meta data with \d+ key-value pairs and \d+ tensors from (?<path>.+?) \(version/;
const CONSTRUCTED = /constructing llama_context|llama_new_context_with_model: n_ctx /;
const DEVICE_ROW =
  /\| +- (?<name>[^|]+?) +\| +(?<total>\d+) = +(?<free>\d+) \+ \( *(?<own>\d+) = +\d+ \+ +\d+ \+ +\d+\) \+ +(?<rest>\d+) +\|/;
const PROJECTOR = /model size: +(?<mib>[\d.]+) MiB/;

/** What is printed as a difference below zero: an unsigned number that has wrapped around. */
const WRAPPED_MIB = 2 ** 40;

/** A log of a million lines is read line by line; what does not match costs one search each. */
export function parseLlamaLog(lines: Iterable<string>): ServerMemoryLog {
  const state = new LogState();
  for (const line of lines) state.read(line);
  return state.result();
}

/** What belongs to one model file; the last construction of each counts. */
interface ModelSection {
  weights: LoggedBuffer[];
  context: LoggedBuffer[];
  caches: LoggedCache[];
  overriddenTensors: number;
}

class LogState {
  readonly #sections = new Map<string, ModelSection>();
  #section = emptySection();
  #projector: LoggedBuffer[] = [];
  readonly #devices = new Map<string, LoggedDevice>();
  #offloaded: ServerMemoryLog["offloaded"];

  constructor() {
    this.#sections.set("", this.#section);
  }

  read(line: string): void {
    const loaded = LOADED.exec(line)?.groups?.["path"];
    if (loaded !== undefined) return this.#begin(loaded);
    if (CONSTRUCTED.test(line)) {
      this.#section.context = [];
      this.#section.caches = [];
      return;
    }
    if (line.includes("buffer size")) return this.#buffer(line);
    if (line.includes("cells,")) return this.#cache(line);
    if (line.includes("offloaded ")) return this.#offload(line);
    if (line.includes("overri") && OVERRIDDEN.test(line)) this.#section.overriddenTensors++;
    if (line.includes("| ")) return this.#device(line);
    if (line.includes("model size:")) this.#projectorSize(line);
  }

  #begin(path: string): void {
    this.#section = emptySection();
    this.#sections.set(path, this.#section);
  }

  #buffer(line: string): void {
    const found = BUFFER.exec(line)?.groups;
    if (found === undefined) return;
    const { source = "", device = "", item, mib } = found;
    const bytes = Number(mib) * BYTES_PER_MIB;
    const buffer = { device, place: placeOf(device), bytes };
    if (source.startsWith("alloc_compute_meta") || source.startsWith("clip"))
      this.#projector.push({ ...buffer, item: "projector" });
    else if (item === undefined || item === "model") {
      if (source.includes("load_tensors")) this.#section.weights.push({ ...buffer, item: "weights" });
    } else this.#section.context.push({ ...buffer, item: CONTEXT_ITEMS[item as keyof typeof CONTEXT_ITEMS] });
  }

  #cache(line: string): void {
    const found = CACHE.exec(line)?.groups;
    if (found === undefined) return;
    this.#section.caches.push({
      cells: Number(found["cells"]),
      layers: Number(found["layers"]),
      slots: Number(found["slots"]),
      streams: Number(found["streams"]),
      keyType: found["keyType"] as string,
      keyBytes: Number(found["keyMib"]) * BYTES_PER_MIB,
      valueType: found["valueType"] as string,
      valueBytes: Number(found["valueMib"]) * BYTES_PER_MIB,
    });
  }

  #offload(line: string): void {
    const found = OFFLOADED.exec(line)?.groups;
    // A draft model comes after the model it drafts for, and its few layers say nothing of that.
    if (found === undefined || Number(found["of"]) < (this.#offloaded?.of ?? 0)) return;
    this.#offloaded = { layers: Number(found["layers"]), of: Number(found["of"]) };
  }

  #device(line: string): void {
    const found = DEVICE_ROW.exec(line)?.groups;
    if (found === undefined || Number(found["rest"]) > WRAPPED_MIB) return;
    const bytes = (key: string): number => Number(found[key]) * BYTES_PER_MIB;
    const name = found["name"] as string;
    this.#devices.set(name, {
      name,
      totalBytes: bytes("total"),
      freeBytes: bytes("free"),
      ownBytes: bytes("own"),
      unaccountedBytes: bytes("rest"),
    });
  }

  #projectorSize(line: string): void {
    const mib = PROJECTOR.exec(line)?.groups?.["mib"];
    if (mib === undefined || !/clip|load_hparams/.test(line)) return;
    this.#projector.push({
      device: "",
      place: "device",
      item: "projector",
      bytes: Number(mib) * BYTES_PER_MIB,
    });
  }

  result(): ServerMemoryLog {
    const sections = [...this.#sections.values()];
    return {
      buffers: [
        ...sections.flatMap((section) => [...section.weights, ...section.context]),
        ...this.#projector,
      ],
      caches: sections.flatMap((section) => section.caches),
      ...(this.#offloaded === undefined ? {} : { offloaded: this.#offloaded }),
      devices: [...this.#devices.values()],
      overriddenTensors: sections.reduce((sum, section) => sum + section.overriddenTensors, 0),
    };
  }
}

const CONTEXT_ITEMS = { KV: "cache", RS: "state", compute: "compute", output: "output" } as const;

function emptySection(): ModelSection {
  return { weights: [], context: [], caches: [], overriddenTensors: 0 };
}

/** `CUDA_Host` is pinned host memory; `CPU_Mapped` and `CPU_REPACK` are host memory too. */
function placeOf(device: string): MemoryPlace {
  return device.startsWith("CPU") || device.endsWith("_Host") || device === "Host" ? "host" : "device";
}
