/**
 * Which servers a benchmark uses. What the operator names is used or is an error; a shipped scenario
 * without a named endpoint takes the engines found on this machine, and without any the simulated one.
 */
import type { Clock } from "../../core/clock.ts";
import { OperatorError } from "../../core/errors.ts";
import type { EndpointSpec } from "../../engines/engine.ts";
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

export interface ResolvedEndpoints {
  readonly scenario: Scenario;
  /** Sentences for the person: what was found and chosen. */
  readonly notices: readonly string[];
}

/** Puts the chosen URLs into the scenario; asks the network only where nothing was named. */
export async function resolveEndpoints(
  source: ScenarioSource,
  flags: RawBenchFlags,
  clock: Clock,
): Promise<ResolvedEndpoints> {
  const { scenario } = source;
  const named = namedValues("--endpoint", flags.endpoint);
  const names = Object.keys(scenario.endpoints);
  if (flags.simulated === true)
    return withUrls(
      scenario,
      flags,
      names.map(() => SIMULATED_URL),
      ["the simulated engine was asked for"],
    );
  if (named.size > 0)
    return withUrls(
      scenario,
      flags,
      namedUrls(names, named),
      named.size < names.length ? [SHARED_NOTICE] : [],
    );
  if (!source.shipped)
    return withUrls(
      scenario,
      flags,
      names.map((name) => endpointOf(scenario, name).url),
      [],
    );
  const found = await findLocalEngines(clock);
  if (found.length === 0)
    return withUrls(
      scenario,
      flags,
      names.map(() => SIMULATED_URL),
      [
        "no engine answers on the usual local ports, so the SIMULATED engine is used; name one with --endpoint URL",
      ],
    );
  const chosen = chooseFound(found, names.length);
  const notices = [`found ${chosen.map((engine) => `${engine.kind} at ${engine.url}`).join(" and ")}`];
  if (names.length > chosen.length) notices.push(SHARED_NOTICE);
  return withUrls(
    scenario,
    flags,
    names.map((_, index) => (chosen[index] ?? (chosen[0] as LocalEngine)).url),
    notices,
  );
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
        message: "--endpoint names an endpoint that the scenario does not have",
        received: name,
        nextStep: `its endpoints are ${names.join(", ")}; write --endpoint ${names[0] ?? "a"}=URL`,
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

function endpointOf(scenario: Scenario, name: string): ScenarioEndpoint {
  return scenario.endpoints[name] as ScenarioEndpoint;
}

function withUrls(
  scenario: Scenario,
  flags: RawBenchFlags,
  urls: readonly string[],
  notices: readonly string[],
): ResolvedEndpoints {
  const engine = engineKind(flags.engine);
  const maxInFlight = wholeNumber("--max-in-flight", flags.maxInFlight, 1);
  const byEnvironment = namedValues("--credential-env", flags.credentialEnv);
  const byFile = namedValues("--credential-file", flags.credentialFile);
  const endpoints: Record<string, ScenarioEndpoint> = {};
  for (const [index, name] of Object.keys(scenario.endpoints).entries()) {
    const env = byEnvironment.get(name);
    const file = byFile.get(name);
    endpoints[name] = {
      ...endpointOf(scenario, name),
      url: urls[index] as string,
      ...(engine === undefined ? {} : { engine }),
      ...(maxInFlight === undefined ? {} : { maxInFlight }),
      ...(env === undefined ? {} : { credential: { env } }),
      ...(file === undefined ? {} : { credential: { file } }),
    };
  }
  return { scenario: { ...scenario, endpoints }, notices };
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
    const shared = new Map<string, Pick<ConnectedEndpoint, "engine" | "inFlight" | "vocabularies">>();
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
        const engine = await createEngine(endpointSpec(name, url, endpoint), context);
        closers.push(() => engine.close());
        await engine.health();
        parts = { engine, inFlight: new InFlightLimit(endpoint.maxInFlight), vocabularies: new Map() };
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

/** The model for agents that name none: the only one, else the one in memory, else the first, and the person is told. */
export async function defaultModels(
  scenario: Scenario,
  endpoints: ReadonlyMap<string, ConnectedEndpoint>,
  notify: (notice: string) => void,
): Promise<ReadonlyMap<string, string>> {
  const models = new Map<string, string>();
  for (const agent of scenario.agents) {
    if (agent.model !== undefined || models.has(agent.endpoint)) continue;
    const endpoint = endpoints.get(agent.endpoint) as ConnectedEndpoint;
    const model = await chooseModel(endpoint, notify);
    models.set(agent.endpoint, model);
  }
  return models;
}

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
