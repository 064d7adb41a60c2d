/**
 * Which servers a benchmark uses. What the operator names is used or is an error; a shipped scenario
 * without a named endpoint takes the engines found on this machine, and without any the simulated one.
 */
import type { Clock } from "../../core/clock.ts";
import { OperatorError } from "../../core/errors.ts";
import { credentialHeaders } from "../../engines/credential.ts";
import type { EndpointSpec, EngineKind } from "../../engines/engine.ts";
import type { LocalEngine } from "../../engines/registry.ts";
import { createEngine, findLocalEngines } from "../../engines/registry.ts";
import type { SimulatedOptions } from "../../engines/simulated/options.ts";
import { startSimulatedEngineInWorker } from "../../engines/simulated/start.ts";
import type { ConnectedEndpoint } from "../../measure/endpoint.ts";
import { InFlightLimit } from "../../measure/in-flight-limit.ts";
import type { Scenario, ScenarioEndpoint } from "../../workload/scenario.ts";
import type { RawBenchFlags } from "./flags.ts";
import { engineKind, namedValues, wholeNumber } from "./flags.ts";
import type { ScenarioSource } from "./scenario-source.ts";

/** In a scenario's `url`, this stands for the embedded simulated engine. */
export const SIMULATED_URL = "simulated";

const SHARED_NOTICE =
  "the scenario has several endpoints and there is one server: all agents share it, which measures another thing than separate instances";

const SIMULATED_NOTICE =
  "no engine answers on the usual local ports, so the SIMULATED engine is used; name one with --endpoint URL";

export interface ResolvedEndpoints {
  readonly scenario: Scenario;
  /** Sentences for the person: what was found and chosen. */
  readonly notices: readonly string[];
}

/** An endpoint for each name of the scenario, in its order. */
interface Choice {
  readonly endpoints: readonly ScenarioEndpoint[];
  readonly notices: readonly string[];
}

/** Puts the chosen servers into the scenario; asks the network only where nothing was named. */
export async function resolveEndpoints(
  source: ScenarioSource,
  flags: RawBenchFlags,
  clock: Clock,
): Promise<ResolvedEndpoints> {
  const names = Object.keys(source.scenario.endpoints);
  const { endpoints, notices } = await chooseEndpoints(source, names, flags, clock);
  const settled = names.map((name, index) => [
    name,
    withFlags(name, endpoints[index] as ScenarioEndpoint, flags),
  ]);
  return { scenario: { ...source.scenario, endpoints: Object.fromEntries(settled) }, notices };
}

async function chooseEndpoints(
  { scenario, shipped }: ScenarioSource,
  names: readonly string[],
  flags: RawBenchFlags,
  clock: Clock,
): Promise<Choice> {
  const own = names.map((name) => scenario.endpoints[name] as ScenarioEndpoint);
  const withUrls = (urls: readonly string[], ...notices: readonly string[]): Choice => ({
    endpoints: own.map((endpoint, index) => ({ ...endpoint, url: urls[index] as string })),
    notices,
  });
  const simulated = names.map(() => SIMULATED_URL);
  if (flags.simulated === true) return withUrls(simulated, "the simulated engine was asked for");
  const named = namedValues("--endpoint", flags.endpoint);
  if (named.size > 0)
    return withUrls(namedUrls(names, named), ...(named.size < names.length ? [SHARED_NOTICE] : []));
  if (!shipped) return { endpoints: own, notices: [] };
  const configured = names.map((name) => flags.configuredEndpoints?.[name]);
  if (configured.every((endpoint) => endpoint !== undefined))
    return { endpoints: configured, notices: ["endpoints as slipway.yaml names them"] };
  const found = await findLocalEngines(clock);
  if (found.length === 0) return withUrls(simulated, SIMULATED_NOTICE);
  const chosen = chooseFound(found, names.length);
  const urls = names.map((_, index) => (chosen[index] ?? (chosen[0] as LocalEngine)).url);
  const notice = `found ${chosen.map((engine) => `${engine.kind} at ${engine.url}`).join(" and ")}`;
  return withUrls(urls, notice, ...(names.length > chosen.length ? [SHARED_NOTICE] : []));
}

/** Engines of one kind, as many as wanted where there are so many; otherwise one. */
function chooseFound(found: readonly LocalEngine[], wanted: number): readonly LocalEngine[] {
  const first = found[0] as LocalEngine;
  const alike = found.filter((engine) => engine.kind === first.kind);
  return alike.length >= wanted ? alike.slice(0, wanted) : [first];
}

function namedUrls(names: readonly string[], named: ReadonlyMap<string, string>): readonly string[] {
  for (const name of named.keys())
    if (!names.includes(name))
      throw new OperatorError("FLAG_INVALID", {
        message: `--endpoint gives ${named.size === 1 ? "an endpoint" : `${named.size} endpoints`} and the scenario has no endpoint ${name}`,
        received: [...named.keys()].join(", "),
        nextStep: `its endpoints are ${names.join(", ")}; write --endpoint ${names[0] ?? "a"}=URL (without names they are a, b, … in turn)`,
      });
  const [only] = named.values();
  return names.map((name) => {
    const url = named.get(name) ?? (named.size === 1 ? only : undefined);
    if (url === undefined)
      throw new OperatorError("FLAG_INVALID", {
        message: `no URL was given for endpoint ${name}`,
        received: [...named.keys()].join(", "),
        nextStep: `add --endpoint ${name}=URL`,
      });
    return url;
  });
}

function withFlags(name: string, endpoint: ScenarioEndpoint, flags: RawBenchFlags): ScenarioEndpoint {
  const engine = engineKind(flags.engine);
  const maxInFlight = wholeNumber("--max-in-flight", flags.maxInFlight, 1);
  const env = namedValues("--credential-env", flags.credentialEnv).get(name);
  const file = namedValues("--credential-file", flags.credentialFile).get(name);
  return {
    ...endpoint,
    ...(engine === undefined ? {} : { engine }),
    ...(maxInFlight === undefined ? {} : { maxInFlight }),
    ...(env === undefined ? {} : { credential: { env } }),
    ...(file === undefined ? {} : { credential: { file } }),
  };
}

export interface Connections {
  readonly endpoints: ReadonlyMap<string, ConnectedEndpoint>;
  close(): Promise<void>;
}

/**
 * Connects every endpoint; endpoints of one URL share an engine, and all that say `simulated` share
 * one simulated engine. Throws the operator error of the first that does not answer.
 */
export async function connectEndpoints(
  scenario: Scenario,
  simulated: SimulatedOptions,
  context: {
    readonly clock: Clock;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly connections: number;
  },
): Promise<Connections> {
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const urls = new Map<string, string>();
    const shared = new Map<string, Omit<ConnectedEndpoint, "name" | "url">>();
    const endpoints = new Map<string, ConnectedEndpoint>();
    for (const [name, endpoint] of Object.entries(scenario.endpoints)) {
      if (endpoint.url === SIMULATED_URL && !urls.has(SIMULATED_URL)) {
        const server = await startSimulatedEngineInWorker(simulated);
        closers.push(() => server.stop());
        urls.set(SIMULATED_URL, server.url);
      }
      const url = urls.get(endpoint.url) ?? endpoint.url;
      let parts = shared.get(url);
      if (parts === undefined) {
        const engine = await createEngine(endpointSpec(name, url, endpoint), {
          ...context,
          loadingMs: scenario.limits.loadingMs,
        });
        closers.push(() => engine.close());
        await engine.health();
        parts = {
          engine,
          headers: credentialHeaders(endpoint.credential, context.env),
          inFlight: new InFlightLimit(endpoint.maxInFlight),
          vocabularies: new Map(),
        };
        shared.set(url, parts);
      }
      endpoints.set(name, { name, url, ...parts });
    }
    return { endpoints, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

function endpointSpec(name: string, url: string, endpoint: ScenarioEndpoint): EndpointSpec {
  return {
    name,
    url,
    ...(endpoint.engine === undefined ? {} : { engine: endpoint.engine }),
    ...(endpoint.credential === undefined ? {} : { credential: endpoint.credential }),
  };
}

/** The model of each endpoint for agents that name none; models that are named are looked for. */
export async function defaultModels(
  scenario: Scenario,
  endpoints: ReadonlyMap<string, ConnectedEndpoint>,
  notify: (notice: string) => void,
): Promise<ReadonlyMap<string, string>> {
  const models = new Map<string, string>();
  const lookedFor = new Set<string>();
  for (const agent of scenario.agents) {
    const endpoint = endpoints.get(agent.endpoint) as ConnectedEndpoint;
    if (agent.model === undefined) {
      if (!models.has(agent.endpoint)) models.set(agent.endpoint, await chooseModel(endpoint, notify));
      continue;
    }
    const key = JSON.stringify([endpoint.url, agent.model]);
    if (!lookedFor.has(key)) await lookFor(agent.model, endpoint, notify);
    lookedFor.add(key);
  }
  return models;
}

/** llama-server answers under any name, and a proxy may serve more than it lists: there a missing name is only said. */
const LISTS_ARE_HINTS: ReadonlySet<EngineKind> = new Set(["llama-server", "openai"]);

async function lookFor(
  model: string,
  endpoint: ConnectedEndpoint,
  notify: (notice: string) => void,
): Promise<void> {
  const listed = await endpoint.engine.models();
  if (listed.includes(model) || listed.includes(`${model}:latest`)) return;
  const has = listed.join(", ") || "none";
  if (!LISTS_ARE_HINTS.has(endpoint.engine.kind))
    throw new OperatorError("MODEL_NOT_FOUND", {
      message: `${endpoint.url} does not have the model`,
      received: model,
      nextStep: `pull or load it there, or choose one that it has: ${has}`,
    });
  notify(`${endpoint.url} does not list ${model} (it lists ${has}); it is asked all the same`);
}

/** The only model, else the one in memory, else the first; a choice is announced. */
async function chooseModel(endpoint: ConnectedEndpoint, notify: (notice: string) => void): Promise<string> {
  const all = await endpoint.engine.models();
  // An embedding model answers no chat; it is told apart by its name, which is what there is.
  const usable = all.filter((name) => !/embed/i.test(name));
  const [first, ...others] = usable;
  if (first === undefined)
    throw new OperatorError("MODEL_UNSPECIFIED", {
      message: `${endpoint.url} lists no model that can chat`,
      received: all.join(", ") || "an empty list",
      nextStep: "load or pull a model there, or name one with --model",
    });
  if (others.length === 0) return first;
  const loaded = (await endpoint.engine.loaded?.())
    ?.map((entry) => entry.model)
    .find((name) => usable.includes(name));
  const chosen = loaded ?? first;
  notify(
    `${endpoint.url} has ${usable.length} models; using ${chosen}${loaded === undefined ? "" : ", which is in memory"} (choose with --model)`,
  );
  return chosen;
}
