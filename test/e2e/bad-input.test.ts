/** What a person reads who gets something wrong: the whole text, and the exit code. */
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { slipway, temporaryFolder } from "./slipway-process.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

async function complaint(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await slipway(args, { cwd: folder.path });
  expect(stdout).toBe("");
  const told = stderr
    .replaceAll(folder.path, "<folder>")
    .replace(/\d{8}T\d{6}Z-(\w+)-[0-9a-f]{4}/g, "<time>-$1-<hex>");
  return `${told}exit ${code}`;
}

function file(name: string, text: string): string {
  writeFileSync(join(folder.path, name), text);
  return name;
}

/** A port that was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

const SCENARIO = `
name: mine
endpoints: { a: { url: "http://127.0.0.1:9" } }
agents:
  - { name: one, program: synthetic, endpoint: a }
`;

describe("a scenario", () => {
  it("that nobody knows", async () => {
    expect(await complaint("bench", "chimera")).toMatchInlineSnapshot(`
      "error SCENARIO_UNKNOWN: no shipped scenario and no file has this name
        received: chimera
        next: choose one of baseline_vs_chimera, chimera_hetero, chimera_homo, coding_team, quick, single_instance, solo, or give the path of a YAML file
      exit 2"
    `);
  });

  it("with an unknown field", async () => {
    const name = file("unknown.yaml", `${SCENARIO}agnets: 3\n`);
    expect(await complaint("bench", name)).toMatchInlineSnapshot(`
      "error CONFIG_INVALID: <folder>/unknown.yaml: field (top level): Unrecognized key: "agnets"
        received: (top level) = agnets
        next: correct the field; docs/configuration.md lists every field with its rule
      exit 2"
    `);
  });

  it("with negative numbers", async () => {
    const name = file("negative.yaml", `${SCENARIO}runs: -2\ncoolDownMs: -1\n`);
    expect(await complaint("bench", name)).toMatchInlineSnapshot(`
      "error CONFIG_INVALID: <folder>/negative.yaml: field runs: Too small: expected number to be >=1; field coolDownMs: Too small: expected number to be >=0
        received: runs = -2; coolDownMs = -1
        next: correct the field; docs/configuration.md lists every field with its rule
      exit 2"
    `);
  });

  it("that names an agent twice", async () => {
    const name = file("twice.yaml", `${SCENARIO}  - { name: one, program: insight, endpoint: a }\n`);
    expect(await complaint("bench", name)).toMatchInlineSnapshot(`
      "error AGENT_DUPLICATE: scenario mine names an agent twice
        received: one
        next: give every agent a name of its own; records are told apart by it
      exit 2"
    `);
  });

  it("whose agent uses an endpoint that is not there", async () => {
    const name = file("nowhere.yaml", SCENARIO.replace("endpoint: a", "endpoint: b"));
    expect(await complaint("bench", name)).toMatchInlineSnapshot(`
      "error CONFIG_INVALID: <folder>/nowhere.yaml: field agents.0.endpoint: names no endpoint of this scenario (there are: a)
        received: agents.0.endpoint = "b"
        next: correct the field; docs/configuration.md lists every field with its rule
      exit 2"
    `);
  });

  it("with both a program and a command", async () => {
    const name = file(
      "both.yaml",
      SCENARIO.replace("program: synthetic", 'program: synthetic, command: ["true"]'),
    );
    expect(await complaint("bench", name)).toMatchInlineSnapshot(`
      "error CONFIG_INVALID: <folder>/both.yaml: field agents.0: give exactly one of program, command and role
        received: agents.0 = {"name":"one","program":"synthetic","command":["true"],"endpoint":"a","options":{},"cadence":{"thinkMs":0},"requests":3,…
        next: correct the field; docs/configuration.md lists every field with its rule
      exit 2"
    `);
  });

  it("that is not YAML", async () => {
    expect(await complaint("bench", file("broken.yaml", "name: [mine\nagents"))).toMatchInlineSnapshot(`
      "error YAML_SYNTAX: <folder>/broken.yaml is not valid YAML at line 2, column 1
        received: Flow sequence in block collection must be sufficiently indented and end with a ]
        next: mend the line; keys and values are separated by a colon and a space
      exit 2"
    `);
  });
});

describe("a flag", () => {
  it("with a number that is none", async () => {
    expect(await complaint("bench", "--runs", "many")).toMatchInlineSnapshot(`
      "error FLAG_INVALID: --runs needs a whole number of at least 1
        received: many
        next: slipway bench --help shows every flag with an example
      exit 2"
    `);
  });

  it("with a negative number", async () => {
    expect(await complaint("bench", "--agents=-4")).toMatchInlineSnapshot(`
      "error FLAG_INVALID: --agents needs a whole number of at least 1
        received: -4
        next: slipway bench --help shows every flag with an example
      exit 2"
    `);
  });

  it("with more than any machine can do", async () => {
    expect(await complaint("bench", "--agents", "99999999")).toMatchInlineSnapshot(`
      "error FLAG_INVALID: --agents is at most 10000
        received: 99999999
        next: slipway bench --help shows every flag with an example
      exit 2"
    `);
    expect(await complaint("bench", "--prompt-tokens", "1000000000")).toMatchInlineSnapshot(`
      "error CONFIG_INVALID: the flags: field agents.0.promptTokens: Too big: expected number to be <=10000000; field agents.1.promptTokens: Too big: expected number to be <=10000000; field agents.2.promptTokens: Too big: expected number to be <=10000000; field agents.3.promptTokens: Too big: expected number to be <=10000000
        received: agents.0.promptTokens = 1000000000; agents.1.promptTokens = 1000000000; agents.2.promptTokens = 1000000000; agents.3.promptTokens = 1000000000
        next: correct the field; docs/configuration.md lists every field with its rule
      exit 2"
    `);
  });

  it("with two endpoints for a scenario of one", async () => {
    expect(
      await complaint("bench", "--endpoint", "http://127.0.0.1:9", "--endpoint", "http://127.0.0.1:10"),
    ).toMatchInlineSnapshot(`
      "error FLAG_INVALID: --endpoint gives 2 endpoints and the scenario has no endpoint b
        received: a, b
        next: its endpoints are a; write --endpoint a=URL (without names they are a, b, … in turn)
      exit 2"
    `);
  });

  it("that does not exist", async () => {
    expect(await complaint("bench", "--rnus", "3")).toMatchInlineSnapshot(`
      "error: unknown option '--rnus'
      (Did you mean --runs?)
      (add --help for the options and an example)
      exit 2"
    `);
  });

  it("with a setting that no agent has", async () => {
    expect(await complaint("bench", "--agent1", "num_gpus=60")).toMatchInlineSnapshot(`
      "error FLAG_INVALID: --agent1 takes setting=value pairs; the settings are num_gpu, num_ctx, temperature, seed, slot_id, thinking, num_predict, output_tokens, prompt_tokens, requests, think_ms, every_ms, model, endpoint
        received: num_gpus=60
        next: slipway bench --help shows every flag with an example
      exit 2"
    `);
  });

  it("for an agent that the scenario has not", async () => {
    expect(await complaint("bench", "solo", "--agent2", "num_gpu=60")).toMatchInlineSnapshot(`
      "error FLAG_INVALID: scenario solo has no such agent
        received: agent2
        next: its agents are collector
      exit 2"
    `);
  });

  it("that gives an endpoint which the scenario has not", async () => {
    expect(await complaint("bench", "solo", "--endpoint", "z=http://127.0.0.1:9")).toMatchInlineSnapshot(`
      "error FLAG_INVALID: --endpoint gives an endpoint and the scenario has no endpoint z
        received: z
        next: its endpoints are a; write --endpoint a=URL (without names they are a, b, … in turn)
      exit 2"
    `);
  });

  it("with an engine that nobody knows", async () => {
    expect(
      await complaint("bench", "--endpoint", "http://127.0.0.1:9", "--engine", "lmstudio"),
    ).toMatchInlineSnapshot(`
      "error FLAG_INVALID: --engine is one of openai, vllm, tgi, llama-server, ollama, simulated
        received: lmstudio
        next: slipway bench --help shows every flag with an example
      exit 2"
    `);
  });
});

describe("an endpoint", () => {
  it("where nothing listens", async () => {
    const port = await closedPort();
    const text = await complaint("bench", "--endpoint", `http://127.0.0.1:${port}`);
    expect(text.replaceAll(String(port), "<port>")).toMatchInlineSnapshot(`
      "error ENDPOINT_REFUSED: nothing listens at http://127.0.0.1:<port>
        received: http://127.0.0.1:<port>
        next: start the server, or give its address with --endpoint name=http://host:port; \`slipway doctor\` shows what it finds here
      exit 3"
    `);
  });

  it("whose name does not resolve", async () => {
    expect(
      await complaint("bench", "--endpoint", "http://no-such-host.invalid:11434"),
    ).toMatchInlineSnapshot(`
      "error ENDPOINT_DNS: the host name of http://no-such-host.invalid:11434 does not resolve
        received: http://no-such-host.invalid:11434
        next: check the spelling of the host name, or give an address
      exit 3"
    `);
  });

  it("that is not a URL", async () => {
    expect(await complaint("bench", "--endpoint", "localhost:11434")).toMatchInlineSnapshot(`
      "error ENDPOINT_URL_INVALID: an endpoint must be an http or https URL
        received: localhost:11434
        next: write it as http://host:port
      exit 2"
    `);
  });

  it("with a password written into it, which is not repeated", async () => {
    const text = await complaint("bench", "--endpoint", "http://me:hunter2@127.0.0.1:11434");
    expect(text).not.toContain("hunter2");
    expect(text).toMatchInlineSnapshot(`
      "error CREDENTIAL_INLINE: an endpoint's URL must not carry a user, a password or a query
        received: http://127.0.0.1:11434 (the rest is not shown)
        next: write the bare URL, and name the secret as credential: {env: NAME} or {file: path}
      exit 2"
    `);
  });

  it("whose credential variable is not set", async () => {
    expect(
      await complaint(
        "bench",
        "--endpoint",
        "http://127.0.0.1:9",
        "--credential-env",
        "a=SLIPWAY_NO_SUCH_TOKEN",
      ),
    ).toMatchInlineSnapshot(`
      "error CREDENTIAL_MISSING: the credential reference points at nothing: the environment variable SLIPWAY_NO_SUCH_TOKEN is empty or not set
        received: {"env":"SLIPWAY_NO_SUCH_TOKEN"}
        next: set SLIPWAY_NO_SUCH_TOKEN before starting slipway
      exit 2"
    `);
  });
});

describe("a model", () => {
  it("that the server does not have", async () => {
    const text = await complaint("bench", "--simulated", "--model", "llama9:900b");
    expect(text.replace(/127\.0\.0\.1:\d+/, "<simulated>")).toMatchInlineSnapshot(`
      "the simulated engine was asked for
      error MODEL_NOT_FOUND: http://<simulated> does not have the model
        received: llama9:900b
        next: pull or load it there, or choose one that it has: slipway-sim:8b
      exit 3"
    `);
  });
});

describe("a place to write", () => {
  it("below /proc, where Node's own way of making folders never returns", async (context) => {
    if (process.platform !== "linux") context.skip("only Linux has /proc");
    expect(
      await complaint("bench", "--simulated", "--runs-dir", "/proc/no-such/runs"),
    ).toMatchInlineSnapshot(`
      "the simulated engine was asked for
      error DIRECTORY_UNWRITABLE: cannot make the run directory /proc/no-such/runs/<time>-quick-<hex>
        received: ENOENT
        next: give a writable directory with --runs-dir, or mend its permissions
      exit 3"
    `);
  });

  it("that is a file", async () => {
    const name = file("not-a-folder", "");
    expect(await complaint("bench", "--simulated", "--runs-dir", `${name}/runs`)).toMatchInlineSnapshot(`
      "the simulated engine was asked for
      error DIRECTORY_UNWRITABLE: cannot make the run directory <folder>/not-a-folder/runs/<time>-quick-<hex>
        received: ENOTDIR
        next: give a writable directory with --runs-dir, or mend its permissions
      exit 3"
    `);
  });
});

describe("a run", () => {
  it("that does not exist", async () => {
    expect(await complaint("bench", "--resume", "20200101T000000Z-none-0000")).toMatchInlineSnapshot(`
      "error RUN_NOT_FOUND: no run in <folder>/runs has this name
        received: <time>-none-<hex>
        next: give the path of a run directory, or another --runs-dir
      exit 2"
    `);
    expect(await complaint("runs", "show", "20200101T000000Z-none-0000")).toMatchInlineSnapshot(`
      "error RUN_NOT_FOUND: no run in <folder>/runs has this name
        received: <time>-none-<hex>
        next: give the path of a run directory, or another --runs-dir
      exit 2"
    `);
  });
});
