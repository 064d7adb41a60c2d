/** Memory and CPU of the processes that matter to a run: this one, the servers, external agents. */
import type { ProcessUsage } from "../hardware/process-usage.ts";
import { readProcessUsage } from "../hardware/process-usage.ts";
import type { TextReader } from "../hardware/text-reader.ts";
import { nsToMs } from "../core/units.ts";
import type { ProcessSample } from "../record/event-record.ts";

/** Names of server processes as the kernel gives them, which is cut at 15 characters. */
export const SERVER_PROCESS_NAMES: ReadonlySet<string> = new Set([
  "ollama",
  "ollama_llama_se",
  "llama-server",
  "vllm",
  "VLLM::EngineCor",
  "text-generation",
]);

interface Watched {
  readonly name: string;
  /** Absent until the first reading. */
  last?: { readonly usage: ProcessUsage; readonly atNs: number };
}

export class ProcessWatch {
  readonly #read: TextReader;
  readonly #listPids: () => readonly number[];
  readonly #watched = new Map<number, Watched>();
  #seenPids: ReadonlySet<number> = new Set();

  constructor(read: TextReader, listPids: () => readonly number[]) {
    this.#read = read;
    this.#listPids = listPids;
  }

  watch(pid: number, name: string): void {
    this.#watched.set(pid, { name });
  }

  /**
   * Takes up server processes that have started since the last call. Only numbers not seen before
   * are looked at, so that a host with thousands of processes costs its one long look at the start.
   */
  discover(names: ReadonlySet<string>): void {
    const pids = this.#listPids();
    for (const pid of pids) {
      if (this.#seenPids.has(pid) || this.#watched.has(pid)) continue;
      const name = this.#read(`/proc/${pid}/comm`)?.trim();
      if (name !== undefined && names.has(name)) this.watch(pid, name);
    }
    this.#seenPids = new Set(pids);
  }

  /** One sample of each; a process that is gone, or whose number is another's now, is dropped. */
  sample(atNs: number): ProcessSample[] {
    const samples: ProcessSample[] = [];
    for (const [pid, watched] of this.#watched) {
      const usage = readProcessUsage(this.#read, pid);
      const before = watched.last;
      if (usage === undefined || (before !== undefined && before.usage.startTicks !== usage.startTicks)) {
        this.#watched.delete(pid);
        continue;
      }
      watched.last = { usage, atNs };
      const elapsedMs = before === undefined ? 0 : nsToMs(atNs - before.atNs);
      samples.push({
        pid,
        name: watched.name,
        ...(usage.rssBytes === undefined ? {} : { rssBytes: usage.rssBytes }),
        ...(before === undefined || elapsedMs <= 0
          ? {}
          : { cpuPct: ((usage.cpuMs - before.usage.cpuMs) / elapsedMs) * 100 }),
      });
    }
    return samples;
  }
}
