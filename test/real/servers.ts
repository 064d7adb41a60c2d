/**
 * Real inference servers for tests: found, started on a free loopback port with a tiny model, and
 * ended by process group. A server that is not on this machine is a reason to skip, never a failure.
 */
import { accessSync, constants, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe, it } from "vitest";
import { realClock } from "../../src/core/clock.ts";
import { plainEnvironment, runProgram, startChild } from "../../src/core/process.ts";
import type { OwnedChild } from "../../src/core/process.ts";
import { NS_PER_MS } from "../../src/core/units.ts";
import type { LaunchDescription, ProcessLaunch } from "../../src/preset/launch.ts";
import type { TinyModelSize } from "../fakes/tiny-gguf.ts";
import { writeTinyGguf } from "../fakes/tiny-gguf.ts";

export type Found = { readonly program: string } | { readonly missing: string };

/** The tests of one real server; where it is missing, one skipped test that says why. */
export function describeOn(found: Found, name: string, tests: (program: string) => void): void {
  if ("missing" in found) it(`runs on ${name}`, (context) => context.skip(found.missing));
  else describe(name, () => tests(found.program));
}

export interface RealServer {
  readonly url: string;
  /** As its model list names it. */
  readonly model: string;
  /** Its own; gone once it has stopped. */
  readonly folder: string;
  stop(): Promise<void>;
}

// ---- finding ---------------------------------------------------------------------------------

export function findLlamaServer(): Found {
  return find(
    "llama-server",
    "SLIPWAY_LLAMA_SERVER",
    "src/build/bin/llama-server",
    "scripts/build-llama-server.sh",
  );
}

export function findOllama(): Found {
  return find(
    "ollama",
    "SLIPWAY_OLLAMA",
    "ollama",
    "scripts/build-ollama.sh (needs Go 1.24); test/recorded-streams.test.ts replays what a real one sent",
  );
}

/** The variable, then PATH, then the cache in which the build script leaves it. */
function find(name: string, variable: string, inVersion: string, script: string): Found {
  const told = process.env[variable];
  if (told !== undefined && told !== "")
    return isProgram(told)
      ? { program: told }
      : { missing: `${variable} names ${told}, which cannot be run` };
  const cache = join(process.env["SLIPWAY_CACHE"] ?? join(homedir(), ".cache", "slipway"), name);
  const candidates = [
    ...(process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, name)),
    ...versionsIn(cache).map((version) => join(cache, version, inVersion)),
  ];
  const program = candidates.find(isProgram);
  return program === undefined
    ? { missing: `${name} is not on this machine: set ${variable}, or run ${script}` }
    : { program };
}

function versionsIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort().reverse();
  } catch {
    return [];
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

// ---- starting --------------------------------------------------------------------------------

export interface LlamaServerOptions {
  readonly size?: TinyModelSize;
  readonly slots?: number;
  /** Threads of llama.cpp wait by spinning: servers that work at the same time share the cores. */
  readonly threads?: number;
  /** Return while it still answers 503 because the model loads. */
  readonly whileLoading?: boolean;
}

/** `--ctx-size` is shared by the slots: each has this many tokens. */
export const SLOT_CONTEXT_TOKENS = 2048;

export async function startLlamaServer(
  program: string,
  options: LlamaServerOptions = {},
): Promise<RealServer> {
  const { size = "tiny", slots = 4, threads = 2, whileLoading = false } = options;
  const folder = mkdtempSync(join(tmpdir(), "slipway-llama-"));
  const model = writeTinyGguf(join(folder, `${size}.gguf`), size);
  const context = slots * SLOT_CONTEXT_TOKENS;
  return startServer({
    program,
    folder,
    model: `${size}.gguf`,
    argsFor: (port) => [
      ...["--model", model, "--alias", `${size}.gguf`, "--host", "127.0.0.1", "--port", `${port}`],
      ...["--parallel", `${slots}`, "--ctx-size", `${context}`, "--threads", `${threads}`],
      ...["--metrics", "--slots", "--no-webui"],
    ],
    environmentFor: () => ({}),
    healthPath: "/health",
    readyStatus: whileLoading ? 503 : 200,
  });
}

/** Starts what a preset's driver describes, as it describes it; `folder` is removed when it has stopped. */
export function startPreset(
  describe: (port: number) => LaunchDescription,
  folder: string,
): Promise<RealServer> {
  const launchAt = (port: number): ProcessLaunch => {
    const launch = describe(port);
    const process = launch.kind === "process" ? launch : launch.server;
    if (process === undefined) throw new Error("there is nothing to start: the server is somebody else's");
    return process;
  };
  const { command, healthPath } = launchAt(0);
  return startServer({
    program: command,
    folder,
    model: "default",
    argsFor: (port) => launchAt(port).args,
    environmentFor: (port) => launchAt(port).env,
    healthPath,
    readyStatus: 200,
  });
}

/** The tiny model's own template, in Ollama's language. */
const MODELFILE_TEMPLATE = [
  "{{- range .Messages }}<|start_header_id|>{{ .Role }}<|end_header_id|>\n\n{{ .Content }}<|eot_id|>{{ end -}}",
  "<|start_header_id|>assistant<|end_header_id|>\n\n",
].join("\n");

export async function startOllama(program: string, size: TinyModelSize = "tiny"): Promise<RealServer> {
  const folder = mkdtempSync(join(tmpdir(), "slipway-ollama-"));
  const environmentFor = (port: number): Record<string, string> => ({
    HOME: folder,
    OLLAMA_MODELS: join(folder, "models"),
    OLLAMA_HOST: `127.0.0.1:${port}`,
    OLLAMA_NUM_PARALLEL: "4",
  });
  const server = await startServer({
    program,
    folder,
    model: `${size}:latest`,
    argsFor: () => ["serve"],
    environmentFor,
    healthPath: "/api/version",
    readyStatus: 200,
  });
  const modelfile = join(folder, "Modelfile");
  const model = writeTinyGguf(join(folder, `${size}.gguf`), size);
  writeFileSync(modelfile, `FROM ${model}\nTEMPLATE """${MODELFILE_TEMPLATE}"""\n`);
  const env = plainEnvironment(environmentFor(Number(new URL(server.url).port)));
  const created = await runProgram(
    { command: program, args: ["create", size, "-f", modelfile], env },
    realClock,
    START_LIMIT_MS,
  );
  if (created.code === 0) return server;
  await server.stop();
  throw new Error(`ollama create failed: ${created.stderrTail}`);
}

interface ServerSpec {
  readonly program: string;
  /** Removed when the server has stopped. */
  readonly folder: string;
  readonly model: string;
  argsFor(port: number): readonly string[];
  environmentFor(port: number): Readonly<Record<string, string>>;
  readonly healthPath: string;
  readonly readyStatus: number;
}

/** Loading 170 MB and warming up took 1.4 s on two busy cores. */
const START_LIMIT_MS = 60_000;
/** Between asking for a free port and using it, another program may take it. */
const START_ATTEMPTS = 3;

async function startServer(spec: ServerSpec): Promise<RealServer> {
  let lastWords = "";
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const child = await startChild(
      { command: spec.program, args: spec.argsFor(port), env: plainEnvironment(spec.environmentFor(port)) },
      realClock,
    );
    if (await becomesReady(child, `${url}${spec.healthPath}`, spec.readyStatus)) {
      const stop = async (): Promise<void> => {
        await child.stop();
        rmSync(spec.folder, { recursive: true, force: true });
      };
      return { url, model: spec.model, folder: spec.folder, stop };
    }
    lastWords = (await child.stop()).stderrTail;
  }
  rmSync(spec.folder, { recursive: true, force: true });
  throw new Error(`${spec.program} did not become ready: ${lastWords}`);
}

async function becomesReady(child: OwnedChild, healthUrl: string, readyStatus: number): Promise<boolean> {
  let alive = true;
  void child.exited.then(() => {
    alive = false;
  });
  const deadlineNs = realClock.nowNs() + START_LIMIT_MS * NS_PER_MS;
  while (alive && realClock.nowNs() < deadlineNs) {
    const status = await statusOf(healthUrl);
    if (status === readyStatus) return true;
    // It was loading, and was done before anybody looked: only a new start can show it again.
    if (status === 200) return false;
    await realClock.sleepUntil(realClock.nowNs() + 10 * NS_PER_MS);
  }
  return false;
}

/** Undefined while nothing listens. */
async function statusOf(url: string): Promise<number | undefined> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.status;
  } catch {
    return undefined;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
