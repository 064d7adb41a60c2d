/** Collects what `slipway doctor` judges. Everything here looks and nothing changes. */
import { accessSync, constants, existsSync, statSync, statfsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { messageOf, systemCodeOf } from "../../core/errors.ts";
import type { EngineKind } from "../../engines/engine.ts";
import { createEngine, findLocalEngines } from "../../engines/registry.ts";
import { detectHost } from "../../hardware/detect.ts";
import type { HostFacts } from "../../hardware/facts.ts";
import type { SmiOptions } from "../../hardware/gpu-query.ts";
import type { EndpointFacts } from "../../record/run-manifest.ts";

export interface FoundServer {
  readonly url: string;
  readonly kind: EngineKind;
  readonly version?: string;
  readonly models: readonly string[];
  /** Effective settings of the first few models. */
  readonly settings: readonly EndpointFacts[];
  /** What the server answered instead of its models. */
  readonly problem?: string;
}

export interface RunsPlace {
  readonly path: string;
  /** Why no run can be written there; absent when one can. */
  readonly problem?: string;
  readonly freeBytes?: number;
}

export interface ToolFact {
  readonly name: string;
  readonly use: string;
  readonly path?: string;
}

export interface DoctorFacts {
  readonly slipwayVersion: string;
  readonly nodeVersion: string;
  readonly platform: string;
  readonly host: HostFacts;
  readonly servers: readonly FoundServer[];
  readonly runs: RunsPlace;
  readonly tools: readonly ToolFact[];
  /** This machine has an error certificate. */
  readonly certified: boolean;
}

export interface GatherOptions {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly runsDir: string;
  readonly certified: boolean;
  readonly slipwayVersion: string;
  readonly smi?: Omit<SmiOptions, "clock">;
  /** Where servers are looked for on the loopback address; default: the usual ports. */
  readonly ports?: readonly number[];
}

/** Takes as long as the slowest of nvidia-smi and the servers: under a second where all is well. */
export async function gatherFacts(options: GatherOptions): Promise<DoctorFacts> {
  const { clock, env } = options;
  const [host, servers] = await Promise.all([
    detectHost({ ...options.smi, clock }),
    inspectServers(clock, env, options.ports),
  ]);
  return {
    slipwayVersion: options.slipwayVersion,
    nodeVersion: process.version,
    platform: process.platform,
    host,
    servers,
    runs: inspectRunsPlace(options.runsDir),
    tools: TOOLS.map((tool) => withPath(tool, env["PATH"] ?? "")),
    certified: options.certified,
  };
}

/** Settings are read back for this many models per server: each may cost a call of its own. */
const MOST_MODELS_INSPECTED = 8;

async function inspectServers(
  clock: Clock,
  env: GatherOptions["env"],
  ports: readonly number[] | undefined,
): Promise<readonly FoundServer[]> {
  const found = await findLocalEngines(clock, ports);
  return Promise.all(
    found.map(async ({ url, kind, version }): Promise<FoundServer> => {
      const server = { url, kind, ...(version === undefined ? {} : { version }) };
      const engine = await createEngine({ name: "local", url, engine: kind }, { clock, env });
      const settings: EndpointFacts[] = [];
      let models: readonly string[] = [];
      try {
        models = await engine.models();
        for (const model of models.slice(0, MOST_MODELS_INSPECTED)) settings.push(await engine.facts(model));
        return { ...server, models, settings };
      } catch (thrown) {
        return { ...server, models, settings, problem: messageOf(thrown) };
      } finally {
        await engine.close();
      }
    }),
  );
}

/** Looks at the folder, or at the nearest one above it that exists: runs make their own folder. */
export function inspectRunsPlace(path: string): RunsPlace {
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    if (!statSync(folder).isDirectory()) return { path, problem: `${folder} is not a folder` };
    accessSync(folder, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(folder);
    return { path, freeBytes: bavail * bsize };
  } catch (thrown) {
    return { path, problem: `${folder} cannot be written (${systemCodeOf(thrown) ?? messageOf(thrown)})` };
  }
}

const TOOLS: readonly ToolFact[] = [
  { name: "nvidia-smi", use: "GPU figures" },
  { name: "ollama", use: "a server with many models" },
  { name: "llama-server", use: "a server with parallel slots" },
  { name: "nsys", use: "traces of GPU kernels" },
  { name: "ncu", use: "counters of single GPU kernels" },
];

function withPath(tool: ToolFact, searchPath: string): ToolFact {
  const path = findOnPath(tool.name, searchPath);
  return path === undefined ? tool : { ...tool, path };
}

/** The executable that a shell would start, or undefined. */
export function findOnPath(name: string, searchPath: string): string | undefined {
  const file = process.platform === "win32" ? `${name}.exe` : name;
  return searchPath
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, file))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there, or not for this user: the search goes on.
    return false;
  }
}
