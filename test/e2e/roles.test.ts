/** A workload of roles from the outside, for a set time on the simulated engine. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { slipway, temporaryFolder } from "./slipway-process.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

const SCENARIO = `name: small-team
endpoints:
  a: { url: simulated }
agents:
  - { name: caller, role: toolstorm, endpoint: a }
  - { name: own, role: ./roles/own.yaml, endpoint: a }
runs: 2
solo: false
durationMs: 1500
seed: 3
`;
const ROLE =
  "name: Own\nmaxOutputTokens: 12\ntoolResultTokens: 100\nconversation: { kind: growing }\ncadence: { everyMs: 200 }\n";

function place(name: string): string {
  const cwd = join(folder.path, name);
  mkdirSync(join(cwd, "roles"), { recursive: true });
  writeFileSync(join(cwd, "team.yaml"), SCENARIO);
  writeFileSync(join(cwd, "roles", "own.yaml"), ROLE);
  return cwd;
}

const linesOf = (run: string, file: string): readonly Record<string, unknown>[] =>
  readFileSync(join(run, file), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("slipway bench with roles", () => {
  it("runs for the set time, and reports what each role got, from files that say what the roles were", async () => {
    const cwd = place("whole");
    const { code, stdout } = await slipway(["bench", "team.yaml"], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain("2 trials of 1.5 s");
    expect(stdout).toMatch(/ToolStorm +\d/);
    expect(stdout).toMatch(/Own +\d/);
    // The terminal breaks the sentence wherever its line ends.
    const sentence = stdout.replaceAll(/\s+/g, " ");
    expect(sentence).toMatch(/ToolStorm, Own: [\d.]+ tok\/s together, .* turns done/);
    expect(stdout).not.toContain("balance index");
    const [runName] = readdirSync(join(cwd, "runs")) as [string];
    const run = join(cwd, "runs", runName);
    for (const trial of linesOf(run, "trials.jsonl"))
      expect(trial).toMatchObject({ windowNs: 1.5e9, status: "complete", failures: 0 });
    expect(readFileSync(join(run, "report.md"), "utf8")).toContain("## Roles");

    // The role's file may go: what it said is in the run.
    writeFileSync(join(cwd, "roles", "own.yaml"), "name: Other\nmaxOutputTokens: 1\n");
    const again = await slipway(["report", runName, "--json"], { cwd });
    expect(again.code).toBe(0);
    const resumed = await slipway(["bench", "--resume", runName], { cwd });
    expect(resumed.stderr).toContain("2 of 2 trials are done");
    expect(resumed.code).toBe(0);
  });

  it("lists the roles there are where one is named that is none", async () => {
    const cwd = place("unknown");
    writeFileSync(join(cwd, "team.yaml"), SCENARIO.replace("toolstorm", "Tester"));
    const { code, stderr } = await slipway(["bench", "team.yaml"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain("ROLE_UNKNOWN");
    expect(stderr).toContain("Dev, QA, Research, TL, ToolStorm");
  });
});
