import { describe, expect, it } from "vitest";
import { madeEndpoint, madeRun } from "../../test/fakes/recorded-run.ts";
import type { EndpointFacts } from "../record/run-manifest.ts";
import { scenarioSchema } from "../workload/scenario.ts";
import { analyseRun } from "./analyse-run.ts";

const llama = (name: string, facts: Partial<EndpointFacts> = {}): EndpointFacts =>
  madeEndpoint(name, { engine: "llama-server", slots: 4, contextTokens: 8192, version: "b6000", ...facts });

function messageOf(
  endpoints: readonly EndpointFacts[],
  options: Readonly<Record<string, object>> = {},
  matrix: object = {},
): string | undefined {
  const names = [...new Set(endpoints.map(({ name }) => name))];
  const spec = scenarioSchema.parse({
    name: "several",
    endpoints: Object.fromEntries(names.map((name) => [name, { url: `http://127.0.0.1/${name}` }])),
    agents: names.map((name) => ({
      name: `on-${name}`,
      program: "synthetic",
      endpoint: name,
      options: options[name] ?? {},
    })),
    matrix,
  });
  const request = { ttftMs: 100, tokens: 11, decodeMs: 100 };
  const run = madeRun([{ kind: "together", agents: { a: [request] } }], { spec, endpoints });
  return analyseRun(run).warnings.find(({ code }) => code === "INSTANCES_DIFFER")?.message;
}

describe("servers whose agents have equal settings", () => {
  it("are warned about with both values where they are not alike", () => {
    expect(
      messageOf([llama("a"), llama("b", { slots: 1, contextTokens: 2048, version: "b5000" }), llama("c")]),
    ).toBe(
      "agents with equal settings used servers that are not alike: a and b (version b6000 and b5000, slots 4 and 1, context tokens 8192 and 2048). Differences between these agents may be the servers' own",
    );
  });

  it("are not where they are alike, or one of them does not say", () => {
    expect(messageOf([llama("a"), llama("b")])).toBeUndefined();
    expect(messageOf([llama("a"), madeEndpoint("b", { engine: "llama-server" })])).toBeUndefined();
  });

  it("are not where the agents were given different settings, or the engines differ", () => {
    expect(
      messageOf([llama("a"), llama("b", { contextTokens: 2048 })], { b: { numCtx: 2048 } }),
    ).toBeUndefined();
    expect(messageOf([llama("a"), llama("b", { engine: "vllm", slots: 1 })])).toBeUndefined();
  });

  it("are held to what the server was started with where a matrix varies what is asked", () => {
    const matrix = { "agents.*.options.numCtx": [2048, 8192] };
    expect(messageOf([llama("a"), llama("b", { contextTokens: 2048 })], {}, matrix)).toBeUndefined();
    expect(messageOf([llama("a"), llama("b", { slots: 1 })], {}, matrix)).toContain("(slots 4 and 1)");
  });
});
