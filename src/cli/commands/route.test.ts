/** The planners' solver is a worker with a file of its own, so these run from the build. */
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { VirtualClock } from "../../core/clock.ts";
import type { CliIo } from "../io.ts";
import type * as Main from "../main.ts";

const BUILT = new URL("../../../dist/cli/main.js", import.meta.url);

/** Math can be done by small alone; code of a hard kind hardly by small, and well by large. */
const MODELS = `
models:
  - name: small
    memoryMib: 3000
    loadS: 2
    prefillTokensPerS: 1000
    decodeTokensPerS: 100
    tokenPrice: {prompt: 0, output: 1}
    quality: {math: {alpha: 6, beta: 4}, code: {easy: {alpha: 1, beta: 3}, hard: {alpha: 1, beta: 9}}}
  - name: large
    memoryMib: 6000
    loadS: 5
    prefillTokensPerS: 500
    decodeTokensPerS: 50
    tokenPrice: {prompt: 0, output: 2}
    quality: {code: {alpha: 9, beta: 1}}
`;

const JOB = `
name: diamond
tasks:
  - {id: ask, type: math, promptTokens: 1000, outputTokens: 100}
  - {id: left, type: code, difficulty: hard, needs: [ask], promptTokens: 1000, outputTokens: 200}
  - {id: right, type: math, needs: [ask], promptTokens: 2000, outputTokens: 100}
  - {id: join, type: math, needs: [left, right], promptTokens: 500, outputTokens: 50}
`;

function workplace(models = MODELS, job = JOB): string {
  const cwd = temporaryDirectory();
  writeFileSync(join(cwd, "models.yaml"), models);
  writeFileSync(join(cwd, "job.yaml"), job);
  for (const kind of ["models", "jobs"])
    copyFileSync(`examples/route-${kind}/swarm-router.yaml`, join(cwd, `study-${kind}.yaml`));
  return cwd;
}

const STUDY = ["study-jobs.yaml", "--models", "study-models.yaml"];
const OWN = ["job.yaml", "--models", "models.yaml"];

async function plan(args: readonly string[], cwd = workplace(), interrupted = new AbortController().signal) {
  const { main } = (await import(BUILT.href)) as typeof Main;
  const said = { out: "", err: "" };
  const io: CliIo = {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    errIsTerminal: false,
    outIsTerminal: false,
    outColumns: 80,
    color: false,
    env: {},
    cwd,
    // Time stands still, so that solve times are 0 in a snapshot.
    clock: new VirtualClock(),
    interrupted,
  };
  return { exitCode: await main(["route", "plan", ...args], io), ...said };
}

interface Document {
  readonly plans: readonly {
    readonly planner: string;
    readonly fits: boolean;
    readonly value: number;
    readonly seconds?: number;
    readonly steps: readonly { readonly tasks: readonly { readonly model: string }[] }[];
    readonly criticalPath?: { readonly tasks: readonly string[]; readonly seconds: number };
  }[];
}

async function documentOf(args: readonly string[], cwd?: string): Promise<Document> {
  return JSON.parse((await plan([...args, "--json"], cwd)).out) as Document;
}

describe("slipway route plan", () => {
  it("says which model does which task, what is loaded, and why", async () => {
    expect(await plan([...OWN, "--vram-gb", "10"])).toMatchSnapshot();
  });

  it("plans every job of a file, step by step where the horizon is short", async () => {
    expect(await plan([...STUDY, "--horizon-depth", "1"])).toMatchSnapshot();
  });

  it("says of a plan that takes more than there is that it cannot be carried out", async () => {
    const said = await plan([...STUDY, "--planner", "lp", "--horizon-depth", "1"]);
    expect(said.out).toContain("CANNOT BE CARRIED OUT: lp loads more than fits in step 2.");
    expect(said.out).toContain("loaded: phi4:14b (12,800 MiB, 4,608 MiB too many)");
    const { plans } = await documentOf([...STUDY, "--planner", "lp", "--horizon-depth", "1"]);
    expect(plans.map(({ fits }) => fits)).toEqual([false, true, true]);
  });

  it("compares planners on study 004's jobs, with violations by both of its metrics", async () => {
    const planners = ["--compare", "exact,lp,greedy,random,fixed:gemma2:2b"];
    expect(await plan([...STUDY, ...planners, "--horizon-depth", "1"])).toMatchSnapshot();
  });

  it("makes the makespan least instead, with the seconds of loads, prefill and decode", async () => {
    const args = [...OWN, "--vram-gb", "10", "--minimise", "makespan", "--least-quality", "0.5"];
    expect(await plan(args)).toMatchSnapshot();
    const { plans } = await documentOf(args);
    // Small loads in 2 s, large in 5 s: 2 + (1 + 1) + 5 + (2 + 4) + (0.5 + 0.5), whatever comes when.
    expect(plans[0]?.seconds).toBeCloseTo(16, 9);
    // ask 2 s, left 6 s, join 1 s: the right branch is shorter.
    expect(plans[0]?.criticalPath).toEqual({ tasks: ["ask", "left", "join"], seconds: 9 });
  });

  it("prints one JSON document with names for tasks and models", async () => {
    const { out } = await plan([...OWN, "--vram-gb", "10", "--horizon-depth", "1", "--json"]);
    expect(JSON.parse(out)).toMatchSnapshot();
  });

  it("splits a layer that memory cannot serve at once, and never exceeds it", async () => {
    const { plans } = await documentOf([
      ...OWN,
      "--vram-gb",
      "6",
      "--minimise",
      "makespan",
      "--least-quality",
      "0.5",
    ]);
    const models = plans[0]?.steps.map(({ tasks }) => tasks.map(({ model }) => model));
    expect(models).toEqual([["small"], ["large"], ["small"], ["small"]]);
    expect(plans[0]?.fits).toBe(true);
  });

  it("draws the same from the same seed, and something else from another", async () => {
    const drawn = async (seed: string) => (await plan([...STUDY, "--planner", "random", "--seed", seed])).out;
    expect(await drawn("1")).toBe(await drawn("1"));
    expect(await drawn("1")).not.toBe(await drawn("2"));
  });

  it("ends without a plan when it is interrupted", async () => {
    for (const planner of ["exact", "lp"]) {
      const said = await plan([...STUDY, "--planner", planner], workplace(), AbortSignal.abort());
      expect(said).toEqual({ exitCode: 130, out: "", err: "" });
    }
  });

  it("weighs tokens and switches as it is told", async () => {
    const values = async (...flags: readonly string[]) =>
      (await documentOf([...OWN, "--vram-gb", "10", ...flags])).plans[0]?.value;
    // Three of math at 0.6 on small, code at 0.9 on large.
    expect(await values("--lambda-token", "0", "--lambda-switch", "0")).toBeCloseTo(2.7, 8);
    // Two loads of switchCost 1.
    expect(await values("--lambda-token", "0", "--lambda-switch", "0.1")).toBeCloseTo(2.5, 8);
    // Prices 0.1, 0.4, 0.1 and 0.05, by the dearest: 0.65 ÷ 0.4.
    expect(await values("--lambda-token", "0.2", "--lambda-switch", "0")).toBeCloseTo(2.7 - 0.325, 8);
  });
});

describe("what slipway route plan refuses", () => {
  it("a task that no model can hold, before anything is planned", async () => {
    const { exitCode, out, err } = await plan([...OWN, "--vram-gb", "1"]);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
    expect(err).toMatchInlineSnapshot(`
      "error TASK_INFEASIBLE: 4 tasks of job diamond can be done by no model within 1024 MiB: ask (math), left (code), right (math), join (math)
        received: small 3000 MiB, large 6000 MiB
        next: raise the memory budget, or give a model that fits it a quality for the type
      "
    `);
  });

  it.each<readonly [readonly string[], string, string]>([
    [OWN, "FLAG_INVALID", "--vram-gb is needed where the file of models has no vramMib"],
    [[...STUDY, "--vram-gb", "0"], "FLAG_INVALID", "--vram-gb takes a number above 0"],
    [[...STUDY, "--vram-gb", "eight"], "FLAG_INVALID", "eight"],
    [[...STUDY, "--planner", "best"], "FLAG_INVALID", "no planner has this name"],
    [[...STUDY, "--planner", "fixed:gpt"], "FLAG_INVALID", "names a model of the file: gemma2:2b"],
    [[...STUDY, "--planner", "llm"], "FLAG_INVALID", "takes no planner that asks a model"],
    [[...STUDY, "--planner", "exact", "--compare", "lp"], "FLAG_INVALID", "give one of the two"],
    [[...STUDY, "--compare", "exact,lp,exact"], "FLAG_INVALID", "names each planner once"],
    [[...STUDY, "--compare", ""], "FLAG_INVALID", "no planner has this name"],
    [[...STUDY, "--compare", "exact,worst"], "FLAG_INVALID", "worst"],
    [[...STUDY, "--horizon-depth", "0"], "FLAG_INVALID", "or flat"],
    [[...STUDY, "--horizon-depth", "1.5"], "FLAG_INVALID", "1.5"],
    [[...STUDY, "--minimise", "cost"], "FLAG_INVALID", "is utility or makespan"],
    [[...STUDY, "--lambda-token", "-1"], "FLAG_INVALID", "--lambda-token takes a number from 0"],
    [[...STUDY, "--lambda-switch", "NaN"], "FLAG_INVALID", "--lambda-switch takes a number from 0"],
    [[...STUDY, "--least-quality", "0.5"], "FLAG_INVALID", "is for --minimise makespan"],
    [[...STUDY, "--seed", "-1"], "FLAG_INVALID", "--seed takes a whole number"],
    [[...STUDY, "--minimise", "makespan"], "ESTIMATE_MISSING", "how long a task takes"],
    [[...OWN, "--minimise", "makespan", "--planner", "lp", "--vram-gb", "9"], "FLAG_INVALID", "has a sum"],
    [[...OWN, "--minimise", "makespan", "--lambda-switch", "1"], "FLAG_INVALID", "seconds alone"],
    [["none.yaml", "--models", "models.yaml", "--vram-gb", "9"], "FILE_NOT_FOUND", "none.yaml"],
    [["job.yaml", "--models", "none.yaml", "--vram-gb", "9"], "FILE_NOT_FOUND", "none.yaml"],
    [["models.yaml", "--models", "models.yaml", "--vram-gb", "9"], "CONFIG_INVALID", "field name"],
    [["job.yaml", "--models", "job.yaml", "--vram-gb", "9"], "CONFIG_INVALID", "field models"],
  ])("%j with %s", async (args, code, expected) => {
    const { exitCode, out, err } = await plan(args);
    expect(err).toContain(`error ${code}:`);
    expect(err).toContain(expected);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
  });

  it("jobs that lead nowhere or are misspelt, by their own names", async () => {
    const circle = JOB.replace(
      "type: math, promptTokens: 1000",
      "type: math, needs: [join], promptTokens: 1000",
    );
    const { err } = await plan([...OWN, "--vram-gb", "9"], workplace(MODELS, circle));
    expect(err).toContain(
      "error TASK_GRAPH_INVALID: job.yaml has tasks that wait for each other in a circle",
    );
    const misspelt = await plan(
      [...OWN, "--vram-gb", "9"],
      workplace(MODELS, JOB.replace("difficulty", "hardness")),
    );
    expect(misspelt.err).toMatch(/CONFIG_INVALID[^]*field tasks\.1[^]*hardness[^]*docs\/route\.md/);
    const syntax = await plan([...OWN, "--vram-gb", "9"], workplace(MODELS, "tasks: [}"));
    expect(syntax.err).toContain("error YAML_SYNTAX");
  });

  it("a job without a file of models", async () => {
    const { exitCode, err } = await plan(["job.yaml"]);
    expect(exitCode).toBe(2);
    expect(err).toContain("--models");
  });
});
