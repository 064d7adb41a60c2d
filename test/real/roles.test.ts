/** Agents in roles on a real llama-server: what is promised of prompts and caches, by the server's own counts. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { realClock } from "../../src/core/clock.ts";
import { plainEnvironment, runProgram } from "../../src/core/process.ts";
import type { RequestRecord } from "../../src/record/request-record.ts";
import { describeOn, findLlamaServer, startLlamaServer } from "./servers.ts";

const SLIPWAY = fileURLToPath(new URL("../../bin/slipway.js", import.meta.url));
const BENCH_LIMIT_MS = 120_000;

/** Three agents do a number of turns each and not a set time, so that a slow machine does as many. */
const scenario = (url: string): string => `name: roles
endpoints:
  a: { url: "${url}" }
agents:
  - { name: caller, role: ToolStorm, endpoint: a, requests: 3 }
  - name: grower
    endpoint: a
    requests: 12
    role: { name: Grower, maxOutputTokens: 20, toolResultTokens: 150, conversation: { kind: growing } }
runs: 1
solo: false
`;

describeOn(findLlamaServer(), "slipway bench with roles on a real llama-server", (program) => {
  it("sends turns of exact size, and a growing conversation that the server has cached", async () => {
    const folder = mkdtempSync(join(tmpdir(), "slipway-roles-"));
    const server = await startLlamaServer(program, { threads: 1 });
    try {
      const file = join(folder, "roles.yaml");
      writeFileSync(file, scenario(server.url));
      const runs = join(folder, "runs");
      const exit = await runProgram(
        {
          command: process.execPath,
          args: [SLIPWAY, "bench", file, "--runs-dir", runs],
          env: plainEnvironment(),
        },
        realClock,
        BENCH_LIMIT_MS,
      );
      expect(exit.code).toBe(0);
      expect(exit.stdoutLines.join("\n")).toMatch(/Grower +\d/);
      expectTheTurns(join(runs, readdirSync(runs)[0] as string));
    } finally {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

function expectTheTurns(run: string): void {
  const requests = readFileSync(join(run, "requests.jsonl"), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as RequestRecord)
    .filter(({ phase }) => phase === "measured");
  const of = (agent: string): readonly RequestRecord[] => requests.filter((one) => one.agent === agent);
  // The study's ToolStorm: a result of 800 tokens, a message of 64, and 43 in an answer on average.
  for (const { tokens } of of("caller"))
    expect(tokens).toMatchObject({ input: 864, inputTarget: 864, cached: 0, output: 43 });
  const grown = of("grower");
  expect(grown).toHaveLength(12);
  const compacted = grown.filter(({ step }) => step === "compacted-turn");
  expect(compacted.length).toBeGreaterThan(0);
  for (const [index, { step, tokens }] of grown.entries()) {
    const before = grown[index - 1]?.tokens.input;
    if (before === undefined || step === "compacted-turn") continue;
    expect(tokens.input).toBeGreaterThan(before);
    expect(tokens.cached).toBeGreaterThanOrEqual(before - 1);
  }
}
