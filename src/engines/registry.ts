/** All engines there are, which one answers at a URL, and what listens on this machine. */
import type { Clock } from "../core/clock.ts";
import { DETECT_TIMEOUT_MS } from "../core/limits.ts";
import type { EngineLink } from "./assemble.ts";
import { type ControlClient, createControlClient } from "./control.ts";
import { type Environment, credentialHeaders, endpointUrl } from "./credential.ts";
import { type Detection, detect } from "./detect.ts";
import type { Engine, EngineKind, EndpointSpec } from "./engine.ts";
import { createHttpTransport } from "./http-transport.ts";
import { createLlamaServerEngine } from "./llama-server/llama-server.ts";
import { createOllamaEngine } from "./ollama/ollama.ts";
import { createOpenAiEngine } from "./openai/openai.ts";
import { createSimulatedEngine } from "./simulated/simulated.ts";
import { shownText } from "./server-text.ts";
import { createTgiEngine } from "./tgi/tgi.ts";
import { createVllmEngine } from "./vllm/vllm.ts";

export interface EngineOptions {
  readonly clock: Clock;
  readonly env: Environment;
  /** Most connections for requests; absent: the transport's own limit. */
  readonly connections?: number;
  /** How long control calls wait for a server that is still loading; absent: they fail at once. */
  readonly loadingMs?: number;
}

const ENGINES: Readonly<Record<EngineKind, (link: EngineLink) => Engine>> = {
  openai: createOpenAiEngine,
  vllm: createVllmEngine,
  tgi: createTgiEngine,
  "llama-server": createLlamaServerEngine,
  ollama: createOllamaEngine,
  simulated: createSimulatedEngine,
};

/** Control calls are few; two never wait for each other behind a slow one. */
const CONTROL_CONNECTIONS = 2;

/**
 * Connects to an endpoint. Without a named engine the server is asked what it is, which throws
 * the operator error of whatever prevents that.
 */
export async function createEngine(spec: EndpointSpec, options: EngineOptions): Promise<Engine> {
  const link = connect(spec, options, spec.engine);
  try {
    const kind = spec.engine ?? (await detectAt(link)).kind;
    return ENGINES[kind](link);
  } catch (thrown) {
    await link.close();
    throw thrown;
  }
}

/** Asks the server at a URL what it is. Throws an operator error when nothing usable answers. */
export async function detectEngine(
  spec: Omit<EndpointSpec, "engine">,
  options: EngineOptions,
): Promise<Detection> {
  const link = connect(spec, options);
  try {
    return await detectAt(link);
  } finally {
    await link.close();
  }
}

export interface LocalEngine extends Detection {
  readonly url: string;
}

/** Where engines listen by default: Ollama (and a second one), llama-server, vLLM, TGI. */
const USUAL_PORTS: readonly number[] = [11434, 11435, 8080, 8081, 8082, 8000, 3000];

/** Probes the usual ports of the loopback address, all at once; what does not answer is left out. */
export async function findLocalEngines(
  clock: Clock,
  ports: readonly number[] = USUAL_PORTS,
): Promise<readonly LocalEngine[]> {
  const found = await Promise.all(
    ports.map(async (port): Promise<LocalEngine | undefined> => {
      const url = `http://127.0.0.1:${port}`;
      const link = connect({ name: "local", url }, { clock, env: {} });
      try {
        return { url, ...(await detectAt(link, DETECT_TIMEOUT_MS)) };
      } catch {
        return undefined;
      } finally {
        await link.close();
      }
    }),
  );
  return found.filter((engine) => engine !== undefined);
}

async function detectAt(link: EngineLink, timeoutMs?: number): Promise<Detection> {
  const { kind, version } = await detect(link.control, link.url, timeoutMs);
  return { kind, ...(version !== undefined && { version: link.shown(version) }) };
}

/** Nothing where the server is what it was named, is simulated (and so imitates all), or says nothing. */
async function unlike(
  named: EngineKind,
  control: ControlClient,
  url: string,
): Promise<EngineKind | undefined> {
  try {
    const { kind } = await detect(control, url);
    return kind === named || kind === "simulated" ? undefined : kind;
  } catch {
    return undefined;
  }
}

function connect(spec: Omit<EndpointSpec, "engine">, options: EngineOptions, named?: EngineKind): EngineLink {
  const url = endpointUrl(spec.url);
  const headers = credentialHeaders(spec.credential, options.env);
  const shown = shownText(Object.entries(headers));
  const { clock, connections } = options;
  const transport = createHttpTransport(url, {
    clock,
    headers,
    ...(connections !== undefined && { connections }),
  });
  const controlTransport = createHttpTransport(url, { clock, headers, connections: CONTROL_CONNECTIONS });
  const control: ControlClient = createControlClient({
    url,
    transport: controlTransport,
    clock,
    shown,
    loadingMs: options.loadingMs ?? 0,
    ...(named !== undefined && { unlikeNamed: () => unlike(named, control, url) }),
  });
  return {
    name: spec.name,
    url,
    clock,
    transport,
    shown,
    control,
    close: async () => {
      await Promise.all([transport.close(), controlTransport.close()]);
    },
  };
}
