/**
 * What of the product works on a machine, from its facts alone. Each finding that is not plain
 * "works" says why and what to do next.
 */
import { BYTES_PER_GIB, BYTES_PER_MIB, formatBytes } from "../../core/units.ts";
import type { GpuFacts } from "../../hardware/facts.ts";
import type { DoctorFacts, FoundServer } from "./gather.ts";

export type Finding =
  | { readonly state: "works"; readonly what: string; readonly why: string }
  | {
      readonly state: "limited" | "missing";
      readonly what: string;
      readonly why: string;
      readonly nextStep: string;
    };

export interface Diagnosis {
  readonly can: readonly string[];
  readonly withLimits: readonly string[];
  readonly cannot: readonly string[];
  readonly findings: readonly Finding[];
  /** False when not even the simulated engine can be benchmarked. */
  readonly anythingWorks: boolean;
}

/** A run of a million requests takes about this much. */
const ROOM_FOR_A_RUN_BYTES = BYTES_PER_GIB;

/** Not even a short run and its report fit into less. */
const ROOM_FOR_ANYTHING_BYTES = 16 * BYTES_PER_MIB;

/** The first release with everything used here; the package manifest says the same. */
const OLDEST_NODE = [20, 19] as const;

export function diagnose(facts: DoctorFacts): Diagnosis {
  const program = judgeNode(facts);
  const storage = judgeStorage(facts);
  const blocked = [program, storage].find((finding) => finding.state === "missing");
  const real = blockedBy(blocked, judgeServers(facts.servers));
  const simulated = blockedBy(blocked, {
    state: "works",
    what: "benchmark the simulated engine",
    why: "it is built in and needs no GPU; its results are labelled SIMULATED",
  });
  const findings = [
    real,
    ...judgeSlots(facts.servers),
    judgePair(facts.servers),
    simulated,
    judgeGpus(facts),
    judgeHostFigures(facts),
    storage,
    judgeCertificate(facts),
    ...judgeGovernor(facts),
    ...(program.state === "works" ? [] : [program]),
  ];
  const named = (state: Finding["state"]): string[] =>
    findings.filter((finding) => finding.state === state).map((finding) => finding.what);
  return {
    can: named("works"),
    withLimits: named("limited"),
    cannot: named("missing"),
    findings,
    anythingWorks: real.state !== "missing" || simulated.state !== "missing",
  };
}

/** Nothing can be benchmarked where the program or its storage fails. */
function blockedBy(blocked: Finding | undefined, finding: Finding): Finding {
  if (blocked === undefined || blocked.state === "works") return finding;
  return { state: "missing", what: finding.what, why: blocked.why, nextStep: blocked.nextStep };
}

export function serverLabel(server: FoundServer): string {
  return `${server.kind}${server.version === undefined ? "" : ` ${server.version}`} at ${server.url}`;
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;

function judgeServers(servers: readonly FoundServer[]): Finding {
  const what = "benchmark real servers";
  const ready = servers.filter((server) => server.models.length > 0 && server.kind !== "simulated");
  if (ready.length > 0)
    return {
      state: "works",
      what,
      why: ready.map((each) => `${serverLabel(each)}, ${count(each.models.length, "model")}`).join("; "),
    };
  const [empty] = servers;
  if (empty === undefined || empty.kind === "simulated")
    return {
      state: "missing",
      what,
      why: "none answers on the usual ports of this machine",
      nextStep: "start Ollama or llama-server, or name a server: slipway bench --endpoint a=http://host:port",
    };
  return {
    state: "missing",
    what,
    why: `${serverLabel(empty)} ${empty.problem === undefined ? "has no model" : `answers: ${empty.problem}`}`,
    nextStep:
      empty.kind === "ollama"
        ? "give it a model, for example: ollama pull gemma3"
        : "start it with a model, and wait until it is loaded",
  };
}

function judgeSlots(servers: readonly FoundServer[]): Finding[] {
  const what = "serve several agents in one batch";
  const settings = servers.flatMap((server) => server.settings);
  if (settings.length === 0) return [];
  const most = settings.reduce<number | undefined>(
    (best, each) => (each.slots === undefined ? best : Math.max(best ?? 0, each.slots)),
    undefined,
  );
  if (most !== undefined && most > 1)
    return [{ state: "works", what, why: `up to ${most} slots on one server` }];
  const nextStep =
    "OLLAMA_NUM_PARALLEL=4 ollama serve, or llama-server --parallel 4; more agents than slots queue instead of batching";
  if (most === 1) return [{ state: "missing", what, why: "every server has a single slot", nextStep }];
  return [{ state: "limited", what, why: "the servers do not tell how many slots they have", nextStep }];
}

function judgePair(servers: readonly FoundServer[]): Finding {
  const what = "run two instances side by side";
  const ready = servers.filter((server) => server.models.length > 0);
  if (ready.length > 1)
    return { state: "works", what, why: `${ready.length} servers, as the chimera scenarios want` };
  const [only] = ready;
  if (only === undefined)
    return {
      state: "missing",
      what,
      why: "the chimera scenarios want two servers, and none answers here",
      nextStep: "ollama serve, and beside it OLLAMA_HOST=127.0.0.1:11435 ollama serve",
    };
  return {
    state: "missing",
    what,
    why: "the chimera scenarios want two servers, and one answers here",
    nextStep:
      only.kind === "llama-server"
        ? "start a second one on another port, for example: llama-server -m <model> --port 8081"
        : "start a second one on another port, for example: OLLAMA_HOST=127.0.0.1:11435 ollama serve",
  };
}

function judgeGpus({ host }: DoctorFacts): Finding {
  const what = "record GPU figures";
  if (host.gpus.length === 0)
    return {
      state: "missing",
      what,
      why: host.gpuTrouble?.reason ?? "no GPU was found",
      nextStep: host.gpuTrouble?.nextStep ?? "run nvidia-smi by hand",
    };
  const names = [...new Set(host.gpus.map((gpu) => gpu.name))].join(", ");
  const sliced = host.gpus.some((gpu) => gpu.mig === "enabled");
  const why = `${count(host.gpus.length, "GPU")}: ${names}`;
  if (sliced)
    return {
      state: "limited",
      what,
      why: `${why}, in MIG slices: the driver gives no utilisation, and memory is the whole card's`,
      nextStep: "read VRAM figures against the slice; nvidia-smi -L lists the slices",
    };
  if (host.gpus.some(sharesHostMemory))
    return {
      state: "limited",
      what,
      why: `${why}, which shares the host's memory: there is no VRAM figure`,
      nextStep: "read host memory instead, which is recorded",
    };
  return { state: "works", what, why };
}

/** Boards such as the GB10 have one memory for both, and their driver answers no memory question. */
function sharesHostMemory(gpu: GpuFacts): boolean {
  return gpu.memoryTotalBytes === undefined;
}

function judgeHostFigures({ platform }: DoctorFacts): Finding {
  if (platform === "linux")
    return { state: "works", what: "record memory, CPU and processes", why: "read from /proc" };
  return {
    state: "limited",
    what: "record host memory",
    why: `CPU and single processes are read from /proc, which ${platform} does not have`,
    nextStep: "run Slipway on the Linux host of the servers for the whole picture",
  };
}

function judgeStorage({ runs }: DoctorFacts): Finding {
  const what = "keep runs on disk";
  if (runs.problem !== undefined)
    return {
      state: "missing",
      what,
      why: runs.problem,
      nextStep: "give a writable folder with --runs-dir",
    };
  if (runs.freeBytes !== undefined && runs.freeBytes < ROOM_FOR_A_RUN_BYTES)
    return {
      state: runs.freeBytes < ROOM_FOR_ANYTHING_BYTES ? "missing" : "limited",
      what,
      why: `only ${formatBytes(runs.freeBytes)} free in ${runs.path}`,
      nextStep: "free some space, or give another folder with --runs-dir",
    };
  return { state: "works", what, why: `${formatBytes(runs.freeBytes)} free in ${runs.path}` };
}

function judgeCertificate({ certified }: DoctorFacts): Finding {
  const what = "state the error of its own figures";
  if (certified) return { state: "works", what, why: "this machine has an error certificate" };
  return {
    state: "missing",
    what,
    why: "this machine has no error certificate yet",
    nextStep: "slipway bench --selftest",
  };
}

function judgeGovernor({ host }: DoctorFacts): Finding[] {
  if (host.cpuGovernor !== "powersave") return [];
  return [
    {
      state: "limited",
      what: "time single chunks",
      why: "the CPU governor is powersave, which can delay the client's reaction to each chunk",
      nextStep: "cpupower frequency-set -g performance, as root, while measuring",
    },
  ];
}

function judgeNode({ nodeVersion }: DoctorFacts): Finding {
  const [major = 0, minor = 0] = nodeVersion.replace(/^v/, "").split(".").map(Number);
  const what = "run on this Node";
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]))
    return { state: "works", what, why: nodeVersion };
  return {
    state: "missing",
    what,
    why: `Node ${nodeVersion} is older than ${OLDEST_NODE.join(".")}`,
    nextStep: `install Node ${OLDEST_NODE.join(".")} or newer`,
  };
}
