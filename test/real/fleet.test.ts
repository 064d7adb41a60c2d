/** A fleet of real servers, asked for by the built program as a person would. */
import { statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { FleetFolder, freePort, lives } from "../e2e/fleet-folder.ts";
import type { RunningSlipway } from "../e2e/slipway-process.ts";
import { writeTinyGguf } from "../fakes/tiny-gguf.ts";
import type { RealServer } from "./servers.ts";
import { describeOn, findLlamaServer, findOllama, startOllama } from "./servers.ts";

/**
 * Either of the two alone, with the margin of an eighth, and not both. Most of what they hold is
 * cache: 2 KiB a token of the tiny model, 12 of the slow one.
 */
const BUDGET_MIB = 900;
const LITTLE_MIB = 300;
const LARGE_MIB = 640;
const SLOT_TOKENS = 8_192;

/** A thousand tokens of the slow model take 6 s on a quiet machine. */
const LONG_TOKENS = 1_000;
const DRAIN_LIMIT_MS = 150_000;

/** While something is under way, on a machine that does other things too. */
const SOON = { timeout: 60_000, interval: 200 };

describeOn(findLlamaServer(), "a fleet of real llama-servers", (program) => {
  const folder = new FleetFolder();
  let supervisor: RunningSlipway;

  beforeAll(async () => {
    const little = writeTinyGguf(join(folder.path, "tiny.gguf"));
    const large = writeTinyGguf(join(folder.path, "slow.gguf"), "slow");
    const broken = writeTinyGguf(join(folder.path, "broken.gguf"));
    truncateSync(broken, statSync(broken).size / 2);
    const common = {
      engine: "llama-server",
      program,
      threads: 1,
      gpuLayers: 0,
      contextTokensPerSlot: SLOT_TOKENS,
    };
    folder.write({
      ...common,
      name: "little",
      model: little,
      slots: 16,
      priority: 40,
      memory: { hostMib: LITTLE_MIB },
    });
    folder.write({
      ...common,
      name: "large",
      model: large,
      slots: 4,
      memory: { hostMib: LARGE_MIB },
      drainLimitMs: DRAIN_LIMIT_MS,
    });
    folder.write({ ...common, name: "broken", model: broken, slots: 1, memory: { hostMib: 100 } });
    folder.mode("small", "little");
    folder.mode("slow", "large");
    folder.mode("both", "little", "large");
    folder.mode("damaged", "broken");
    supervisor = await folder.up("small", "--memory-budget-mib", `${BUDGET_MIB}`);
  });
  afterAll(() => folder.remove());

  /** The address of a preset that is up. */
  const urlOf = async (preset: string): Promise<string> => {
    const found = (await folder.status()).presets.find((one) => one.preset === preset);
    if (found?.url === undefined) throw new Error(`${preset} is nowhere`);
    return found.url;
  };

  /** What a request of so many tokens came to. */
  const generate = async (url: string, tokens: number): Promise<number> => {
    const answer = await fetch(`${url}/completion`, {
      method: "POST",
      body: JSON.stringify({ prompt: "hello", n_predict: tokens, ignore_eos: true }),
    });
    return ((await answer.json()) as { readonly tokens_predicted: number }).tokens_predicted;
  };

  const isBusy = async (preset: string): Promise<void> => {
    const isWorking = async (): Promise<void> => {
      const { presets } = await folder.status();
      expect(presets.find((one) => one.preset === preset)).toMatchObject({ state: "ready", busySlots: 1 });
    };
    await vi.waitFor(isWorking, SOON);
  };

  it("is up, serves, and stays within the memory that was declared", async () => {
    expect(await generate(await urlOf("little"), 8)).toBe(8);
    const { memory, presets } = await folder.status();
    expect(memory).toMatchObject({ kind: "host", totalBytes: BUDGET_MIB * 1024 * 1024 });
    const usedMib = (presets.find(({ preset }) => preset === "little")?.usedBytes ?? 0) / 1024 / 1024;
    // Cache of 16 slots: 16 × 8,192 × 2 KiB.
    expect(usedMib).toBeGreaterThan(200);
    expect(usedMib).toBeLessThan(LITTLE_MIB);
  });

  it("plans a switch, and does it", async () => {
    const planned = await folder.run("mode", "plan", "slow");
    expect(planned.stdout).toMatch(/^From small: slow fits\. 1 would stop, 1 would start\./);
    expect(planned.code).toBe(0);
    const little = await folder.pidOf("little");
    const { code, stdout } = await folder.switch("slow");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^slow is up after /);
    expect(lives(little)).toBe(false);
    expect(await generate(await urlOf("large"), 4)).toBe(4);
  });

  it("refuses what does not fit, says what would, and goes on as before", async () => {
    const planned = await folder.run("mode", "plan", "both");
    expect(planned.code).toBe(3);
    expect(planned.stdout).toMatch(/^From slow: both would be refused: /);
    expect(planned.stdout).toContain(`host memory free, of ${BUDGET_MIB} MiB; `);
    expect(planned.stdout).toContain("what would fit, least loss first");
    // From the models' own files, mildest first; each saves at least what is lacking, and leaving out comes last.
    expect(planned.stdout).toMatch(/1\. little with \d+ slots instead of 16: \d+ MiB instead of \d+ MiB/);
    const lackingMib = Number(/: (\d+) MiB too little/.exec(planned.stdout.replaceAll(/\s+/g, " "))?.[1]);
    const savedMib = [...planned.stdout.matchAll(/saves (\d+) MiB/g)].map(([, saved]) => Number(saved));
    expect(savedMib.length).toBeGreaterThan(2);
    expect(Math.min(...savedMib)).toBeGreaterThanOrEqual(lackingMib);
    expect(planned.stdout).toMatch(
      /\d\. without large: its \d+ MiB are not needed[^\d]*\(saves \d+ MiB\)\s*$/,
    );
    const large = await folder.pidOf("large");
    const { code, stderr } = await folder.switch("both");
    expect(code).toBe(3);
    expect(stderr).toContain("error PREFLIGHT_FAILED");
    expect(stderr).toMatch(/next: .*little/s);
    expect(await folder.states()).toEqual({ large: "ready" });
    expect(await folder.pidOf("large")).toBe(large);
  });

  it("shows who is busy and how fast it is, and lets a running request end before it stops its server", async () => {
    const running = generate(await urlOf("large"), LONG_TOKENS);
    await isBusy("large");
    const shown = async (): Promise<void> => {
      const { stdout } = await folder.run("status");
      expect(stdout).toMatch(/large +ready .* 1\/4 +\d+\.\d/);
    };
    await vi.waitFor(shown, SOON);
    expect((await folder.switch("small")).code).toBe(0);
    expect(await running).toBe(LONG_TOKENS);
    expect(await folder.states()).toEqual({ little: "ready" });
  });

  it("puts back what ran when a model file is damaged", async () => {
    const { code, stderr } = await folder.switch("damaged");
    expect(code).toBe(3);
    expect(stderr).toContain("error MODEL_DAMAGED: damaged was not reached");
    expect(stderr).toContain("failed at: health of broken");
    expect(stderr).toMatch(/^small runs again: little$/m);
    expect(await generate(await urlOf("little"), 8)).toBe(8);
  });

  it("serves on while its supervisor is killed and the next one takes it over", async () => {
    expect((await folder.switch("slow")).code).toBe(0);
    const large = await folder.pidOf("large");
    const running = generate(await urlOf("large"), LONG_TOKENS);
    await isBusy("large");
    supervisor.kill("SIGKILL");
    await supervisor.finished;
    supervisor = await folder.up("--memory-budget-mib", `${BUDGET_MIB}`);
    expect(await folder.pidOf("large")).toBe(large);
    expect((await folder.status()).mode).toBe("slow");
    expect(await running).toBe(LONG_TOKENS);
    expect(await generate(await urlOf("large"), 4)).toBe(4);
  });

  it("ends without a trace", async () => {
    const large = await folder.pidOf("large");
    const { code, stdout } = await folder.run("down");
    expect(stdout).toBe("all servers are stopped\n");
    expect(code).toBe(0);
    expect((await supervisor.finished).code).toBe(0);
    expect(lives(large)).toBe(false);
    folder.expectNothingLeft();
  });
});

describeOn(findOllama(), "a fleet with a real Ollama", (program) => {
  const folder = new FleetFolder();
  let theirs: RealServer;
  let supervisor: RunningSlipway;

  beforeAll(async () => {
    theirs = await startOllama(program);
    const common = {
      engine: "ollama",
      program,
      model: "tiny",
      contextTokensPerSlot: 512,
      memory: { hostMib: 200 },
    };
    folder.write({ ...common, name: "guest", serve: "running", port: Number(new URL(theirs.url).port) });
    const env = { OLLAMA_MODELS: join(theirs.folder, "models") };
    folder.write({ ...common, name: "host", serve: "own", port: await freePort(), env });
    folder.preset("other");
    folder.mode("as-guest", "guest");
    folder.mode("as-host", "host");
    folder.mode("elsewhere", "other");
    supervisor = await folder.up("as-guest");
  });
  afterAll(async () => {
    await folder.remove();
    await theirs.stop();
  });

  /** As Ollama's own list has them. */
  const loadedAt = async (url: string): Promise<readonly string[]> => {
    const { models } = (await (await fetch(`${url}/api/ps`)).json()) as {
      models: readonly { name: string }[];
    };
    return models.map(({ name }) => name);
  };

  it("loads its model into a server that somebody else keeps, takes it out again, and leaves that server alone", async () => {
    expect(await loadedAt(theirs.url)).toEqual(["tiny:latest"]);
    expect((await folder.switch("elsewhere")).code).toBe(0);
    expect(await loadedAt(theirs.url)).toEqual([]);
    expect((await folder.switch("as-guest")).code).toBe(0);
    expect(await loadedAt(theirs.url)).toEqual(["tiny:latest"]);
  });

  it("runs a server of its own on a port of its own, and ends it with its model", async () => {
    expect((await folder.switch("as-host")).code).toBe(0);
    expect(await loadedAt(theirs.url)).toEqual([]);
    const own = (await folder.status()).presets.find(({ preset }) => preset === "host");
    expect(await loadedAt(own?.url ?? "")).toEqual(["tiny:latest"]);
    expect(own?.pid).toBeDefined();
    expect((await folder.switch("elsewhere")).code).toBe(0);
    expect(lives(own?.pid)).toBe(false);
  });

  it("ends without a trace, and the server of somebody else lives", async () => {
    expect((await folder.run("down")).code).toBe(0);
    expect((await supervisor.finished).code).toBe(0);
    folder.expectNothingLeft();
    expect((await fetch(`${theirs.url}/api/version`)).status).toBe(200);
  });
});
