/** Which settings two sides' servers report differently. */
import type { EndpointFacts } from "../../record/run-manifest.ts";
import type { CellPair } from "./match-cells.ts";
import type { Side } from "./side.ts";

export interface SettingDifference {
  /** With the endpoint before it where there are several. */
  readonly name: string;
  readonly a: string | undefined;
  readonly b: string | undefined;
}

/** Draws of a generator differ from run to run and change nothing that was set. */
const NOT_SETTINGS: ReadonlySet<string> = new Set(["seed"]);

/**
 * Endpoints are held against each other by name. Within one run a manifest has one list for all
 * cells, and the cells' own parameters say what differs.
 */
export function settingDifferences(
  a: Side,
  b: Side,
  pairs: readonly CellPair[],
): readonly SettingDifference[] {
  if (a.manifest.runId === b.manifest.runId) return parameterDifferences(pairs);
  const found = new Map<string, SettingDifference>();
  for (const pair of pairs) {
    const several = pair.a.endpoints.length > 1;
    for (const before of pair.a.endpoints) {
      const after = pair.b.endpoints.find(({ name }) => name === before.name);
      if (after === undefined) continue;
      for (const one of endpointDifferences(before, after, several ? `${before.name} ` : ""))
        found.set(one.name, one);
    }
  }
  return [...found.values()];
}

function endpointDifferences(
  before: EndpointFacts,
  after: EndpointFacts,
  prefix: string,
): readonly SettingDifference[] {
  const [a, b] = [settingsOf(before), settingsOf(after)];
  const names = new Set([...a.keys(), ...b.keys()]);
  return [...names].flatMap((name) =>
    a.get(name) === b.get(name) ? [] : [{ name: prefix + name, a: a.get(name), b: b.get(name) }],
  );
}

function settingsOf(facts: EndpointFacts): ReadonlyMap<string, string> {
  const { slots, contextTokens, gpuLayers, settings } = facts;
  const named = Object.entries({ slots, contextTokens, gpuLayers, ...settings });
  return new Map(
    named.flatMap(([name, value]) =>
      value === undefined || NOT_SETTINGS.has(name) ? [] : [[name, String(value)] as const],
    ),
  );
}

function parameterDifferences(pairs: readonly CellPair[]): readonly SettingDifference[] {
  const [pair] = pairs;
  if (pair === undefined) return [];
  const names = new Set([...Object.keys(pair.a.parameters), ...Object.keys(pair.b.parameters)]);
  const textOf = (value: string | number | boolean | undefined): string | undefined =>
    value === undefined ? undefined : String(value);
  return [...names].flatMap((name) => {
    const [a, b] = [textOf(pair.a.parameters[name]), textOf(pair.b.parameters[name])];
    return a === b ? [] : [{ name, a, b }];
  });
}
