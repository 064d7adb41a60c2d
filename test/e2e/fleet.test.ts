/** The fleet as a person uses it: the built program, servers that are processes, a supervisor that is killed. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type RunningSlipway, slipway, startSlipway, temporaryFolder } from "./slipway-process.ts";

const SERVER = resolve(import.meta.dirname, "../fakes/fake-llm-server.mjs");
const folder = temporaryFolder();
const started: RunningSlipway[] = [];
afterAll(async () => {
  for (const one of started) one.kill("SIGTERM");
  await Promise.all(started.map((one) => one.finished));
  folder.remove();
});

function preset(name: string, flags: readonly string[] = [], api = "llama-server"): void {
  const command = [process.execPath, SERVER, "--host", "{host}", "--port", "{port}", ...flags];
  const memory = { hostMib: 50, vramMib: 0 };
  writeFileSync(
    join(folder.path, "presets", `${name}.yaml`),
    JSON.stringify({ name, engine: "command", command, api, memory }),
  );
}

function mode(name: string, presets: readonly string[]): void {
  writeFileSync(join(folder.path, "presets", "modes", `${name}.yaml`), JSON.stringify({ name, presets }));
}

mkdirSync(join(folder.path, "presets", "modes"), { recursive: true });
preset("shared");
preset("large");
preset("little");
preset("broken", ["--fake-crash", "cuda-oom"]);
// Its answer to the supervisor's own token takes as long at each start.
preset("slow", ["--fake-slow-drain-ms", "4000"]);
preset("reticent", ["--fake-slow-drain-ms", "4000"], "openai");
mode("coding", ["shared", "large"]);
mode("research", ["little", "shared"]);
mode("hopeless", ["shared", "broken"]);
mode("with-slow", ["slow"]);
mode("with-reticent", ["reticent"]);

const options = { cwd: folder.path, env: { SLIPWAY_MODEL: "none.gguf" } };
const ask = (...args: readonly string[]) => slipway(args, options);

async function up(...args: readonly string[]): Promise<RunningSlipway> {
  const running = startSlipway(["up", ...args], options);
  started.push(running);
  await running.stderrHas("slipway status --watch shows it");
  return running;
}

interface Seen {
  readonly mode?: string;
  readonly presets: readonly {
    readonly preset: string;
    readonly state: string;
    readonly pid?: number;
    readonly url?: string;
  }[];
}

async function seen(): Promise<Seen> {
  return JSON.parse((await ask("status", "--json")).stdout) as Seen;
}

const ready = ({ presets }: Seen) =>
  presets
    .filter(({ state }) => state === "ready")
    .map((one) => one.preset)
    .sort();
const pidOf = ({ presets }: Seen, name: string) => presets.find((one) => one.preset === name)?.pid;

/** A zombie, which waits for a reaper that a container may lack, does nothing any more. */
const lives = (pid: number | undefined): boolean => {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid ?? 0}/stat`, "utf8"));
  } catch {
    return false;
  }
};

describe("a fleet", () => {
  test("starts, switches, puts back, survives its supervisor, and ends without a trace", async () => {
    const first = await up("coding");
    const coding = await seen();
    expect(ready(coding)).toEqual(["large", "shared"]);

    const second = await ask("up", "research");
    expect(second.code).toBe(3);
    expect(second.stderr).toContain(
      `a supervisor runs on this state directory already: process ${first.pid}`,
    );

    const switched = await ask("mode", "switch", "research");
    expect(switched.code).toBe(0);
    expect(switched.stdout).toMatch(/^research is up after /);
    const research = await seen();
    expect(ready(research)).toEqual(["little", "shared"]);
    expect(pidOf(research, "shared")).toBe(pidOf(coding, "shared"));
    expect(lives(pidOf(coding, "large"))).toBe(false);

    const hopeless = await ask("mode", "switch", "hopeless");
    expect(hopeless.code).toBe(3);
    expect(hopeless.stderr).toContain("hopeless was not reached");
    expect(hopeless.stderr).toContain("research runs again");

    first.kill("SIGKILL");
    await first.finished;
    expect((await ask("status")).stderr).toContain("SUPERVISOR_ABSENT");
    const before = pidOf(research, "shared");
    expect(lives(before)).toBe(true);
    const next = await up();
    expect(ready(await seen())).toEqual(["little", "shared"]);
    expect(pidOf(await seen(), "shared")).toBe(before);

    const pids = (await seen()).presets.flatMap((one) => (one.pid === undefined ? [] : [one.pid]));
    expect((await ask("down")).stdout).toBe("all servers are stopped\n");
    expect((await next.finished).code).toBe(0);
    expect(pids.filter(lives)).toEqual([]);
  }, 120_000);

  test.each([
    ["counts its busy slots", "slow"],
    ["cannot say what it computes", "reticent"],
  ])(
    "ends only when the request has its answer, where the server %s",
    async (_what, name) => {
      const supervisor = await up(`with-${name}`);
      const { presets } = await seen();
      const url = presets.find((one) => one.preset === name)?.url ?? "";
      const request = fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        body: JSON.stringify({ max_tokens: 4, messages: [{ role: "user", content: "hi" }], stream: true }),
      });
      // It has begun once its head is here.
      const answer = await request;
      const down = ask("down");
      const text = await answer.text();
      expect(text).toMatch(/data: \[DONE\]\s*$/);
      expect((await down).stdout).toBe("all servers are stopped\n");
      expect((await supervisor.finished).code).toBe(0);
    },
    60_000,
  );

  test("cuts a request off where it is told to end now", async () => {
    const supervisor = await up("with-slow");
    const { presets } = await seen();
    const url = presets.find((one) => one.preset === "slow")?.url ?? "";
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ max_tokens: 4, messages: [{ role: "user", content: "hi" }], stream: true }),
    });
    const text = answer.text();
    text.catch(() => undefined);
    expect((await ask("down", "--now")).code).toBe(0);
    await expect(text).rejects.toThrow("terminated");
    expect((await supervisor.finished).code).toBe(0);
  }, 60_000);

  test("is planned without a supervisor, as if nothing ran", async () => {
    const { code, stdout } = await ask("mode", "plan", "coding");
    expect(stdout).toMatch(/^coding fits\. 2 would start\./);
    expect(code).toBe(0);
  });

  test("lists its modes", async () => {
    const { stdout } = await ask("mode", "list");
    expect(stdout).toMatch(/^No mode is up\./);
    expect(stdout).toMatch(/^ +coding +0 KiB +shared, large$/m);
  });
});
