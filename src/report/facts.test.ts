import { expect, it } from "vitest";
import { madeEndpoint } from "../../test/fakes/recorded-run.ts";
import { twoAgentRun } from "../../test/fakes/two-agent-run.ts";
import { analyseRun } from "../analysis/analyse-run.ts";
import { cellsOf } from "../workload/matrix.ts";
import { scenarioSchema } from "../workload/scenario.ts";
import { factsOf } from "./facts.ts";

it("names every context that cells asked for, where the engine follows them, and the server's own where not", () => {
  const agent = { name: "collector", program: "collector", endpoint: "a" };
  const spec = {
    name: "made",
    endpoints: { a: { url: "http://localhost:8080" } },
    agents: [agent, { ...agent, name: "insight" }],
    matrix: { "agents.*.options.numCtx": [1024, 512] },
  };
  const cells = cellsOf(scenarioSchema.parse(spec)).map(({ hash, label }) => ({
    cell: label,
    togetherTokS: [56],
    record: () => ({ cellHash: hash }),
  }));
  const endpointOn = (engine: string) => {
    const endpoints = [madeEndpoint("a", { engine, contextTokens: 512 })];
    const facts = factsOf(analyseRun(twoAgentRun(cells, { spec, endpoints })));
    return facts.find(({ name }) => name === "endpoint a")?.value;
  };
  expect(endpointOn("simulated")).toContain("context as each cell asks: 512, 1024");
  expect(endpointOn("llama-server")).toContain("context 512");
});
