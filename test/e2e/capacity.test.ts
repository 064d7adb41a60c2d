/** A sweep as a person runs it: the built program, scripted servers, and every way in which it can end. */
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestContext } from "vitest";
import { describe, expect, test, vi } from "vitest";
import { writeTinyGguf } from "../fakes/tiny-gguf.ts";
import { FAKE_SERVER, FleetFolder } from "./fleet-folder.ts";
import type { RunningSlipway } from "./slipway-process.ts";
import { startSlipway } from "./slipway-process.ts";

/** Each starts a dozen programs, beside other test files that do the same. */
vi.setConfig({ testTimeout: 120_000 });

const GRID = ["--preset", "probe", "--mix", "./caller.yaml", "--quiesce-ms", "0"];
const QUICK = ["--slots", "1,2", "--ctx", "1024", "--runs", "1", "--duration", "1s"];
/** Long enough that whoever wants to kill it in the middle of a trial can. */
const SLOW = ["--slots", "2", "--ctx", "1024", "--runs", "1", "--duration", "60s"];

function sweepFolder({ onTestFinished }: Pick<TestContext, "onTestFinished">): FleetFolder {
  const folder = new FleetFolder();
  onTestFinished(() => folder.remove());
  folder.preset("steady");
  folder.mode("before", "steady");
  const model = writeTinyGguf(join(folder.path, "tiny.gguf"));
  folder.write({ name: "probe", engine: "llama-server", program: FAKE_SERVER, model });
  writeFileSync(
    join(folder.path, "caller.yaml"),
    JSON.stringify({ name: "Caller", maxOutputTokens: 8, toolResultTokens: 40 }),
  );
  return folder;
}

function begin(folder: FleetFolder, ...args: readonly string[]): RunningSlipway {
  return startSlipway(["capacity", ...args], { cwd: folder.path, env: folder.env });
}

/** In the middle of a trial: its server is up, and what ran before is not. */
async function midway(folder: FleetFolder): Promise<RunningSlipway> {
  const sweep = begin(folder, ...GRID, ...SLOW);
  await sweep.stderrHas("left] 2x1k: fits");
  return sweep;
}

interface Said {
  readonly run: string;
  readonly knee: { readonly kind: string; readonly best?: { readonly configuration: unknown } };
  readonly table: readonly unknown[];
  readonly unusable: readonly { readonly cell: string; readonly reason: string }[];
  readonly starts: readonly { readonly cell: string; readonly outcome: { readonly kind: string } }[];
  readonly preset: { readonly presetPath: string; readonly modePath: string };
}

describe("a sweep", () => {
  test("finds its knee without a supervisor, and leaves a preset and a mode that work", async (context) => {
    const folder = sweepFolder(context);
    const { code, stdout, stderr } = await begin(folder, ...GRID, ...QUICK).finished;
    expect([code, stderr]).toEqual([0, expect.stringContaining("phase 2: 2 trials on 2 configurations")]);
    expect(stdout).toMatch(/^The knee is at [12]/);
    const mode = /use it with: slipway up (\S+)/.exec(stdout)?.[1];
    expect(mode).toBe("probe-knee");
    folder.expectNothingLeft();

    const report = await folder.run("report", /run directory: (\S+)/.exec(stderr)?.[1] ?? "");
    expect(report.code).toBe(0);
    expect(report.stdout).toContain("1x1k");
    const supervisor = await folder.up("probe-knee");
    const presets = Object.keys(await folder.states());
    expect(presets).toHaveLength(1);
    expect(presets[0]).toMatch(/^probe-[12]x1k$/);
    supervisor.kill("SIGTERM");
    await supervisor.finished;
  });

  test("borrows the machine of the supervisor that runs, and gives it back", async (context) => {
    const folder = sweepFolder(context);
    const supervisor = await folder.up("before");
    const before = await folder.pidOf("steady");
    const sweep = begin(folder, ...GRID, ...QUICK, "--json");
    await sweep.stderrHas("phase 1");
    const refused = await folder.switch("before");
    expect(refused.stderr).toMatch(/error (?:FLEET_LENT|SWITCH_UNDER_WAY): .*slipway capacity, run /s);
    const { code, stdout } = await sweep.finished;
    expect(code).toBe(0);
    const said = JSON.parse(stdout) as Said;
    expect(said.table).toHaveLength(2);
    expect(said.starts.map(({ cell, outcome }) => [cell, outcome.kind])).toEqual([
      ["1x1k", "fits"],
      ["2x1k", "fits"],
    ]);
    expect(await folder.status()).toMatchObject({ mode: "before" });
    expect(await folder.states()).toEqual({ steady: "ready" });
    expect(await folder.pidOf("steady")).not.toBe(before);
    supervisor.kill("SIGTERM");
    await supervisor.finished;
    folder.expectNothingLeft();
  });

  test("keeps running what stands beside, and starts nothing that it excluded", async (context) => {
    const folder = sweepFolder(context);
    const supervisor = await folder.up("before");
    const before = await folder.pidOf("steady");
    // Above the 50 MiB that `steady` may take and the margin of the pool, and far below a cache of 8 million tokens.
    const args = ["--slots", "1", "--ctx", "1024,8388608", "--runs", "1", "--duration", "1s", "--json"];
    const { stdout } = await begin(folder, ...GRID, ...args, "--beside", "steady").finished;
    const said = JSON.parse(stdout) as Said;
    expect(said.starts.map(({ cell, outcome }) => [cell, outcome.kind])).toEqual([
      ["1x1k", "fits"],
      ["1x8192k", "excluded"],
    ]);
    expect(said.unusable).toMatchObject([
      { cell: "1x8192k", reason: expect.stringContaining("it needs at least") },
    ]);
    expect(await folder.pidOf("steady")).toBe(before);
    const mode = JSON.stringify(readFileSync(said.preset.modePath, "utf8"));
    expect(mode).toContain("steady");
    supervisor.kill("SIGTERM");
    await supervisor.finished;
  });

  test("that is interrupted gives the machine back, and is completed by --resume", async (context) => {
    const folder = sweepFolder(context);
    const supervisor = await folder.up("before");
    const sweep = await midway(folder);
    sweep.kill("SIGINT");
    const { code, stderr } = await sweep.finished;
    expect(code).toBe(130);
    const run = /slipway capacity --resume (\S+)/.exec(stderr)?.[1] ?? "";
    expect(await folder.states()).toEqual({ steady: "ready" });
    supervisor.kill("SIGTERM");
    await supervisor.finished;

    // The trial of a minute would be run again; that it begins is what is asked here.
    const resumed = begin(folder, "--resume", run);
    await resumed.stderrHas("phase 2: 1 trials on 1 configurations");
    resumed.kill("SIGINT");
    expect((await resumed.finished).stderr).toContain("0 of 1 trials are done");
    folder.expectNothingLeft();
  });

  test("that is killed gives the machine back all the same", async (context) => {
    const folder = sweepFolder(context);
    const supervisor = await folder.up("before");
    const sweep = await midway(folder);
    expect(await folder.states()).toEqual({ "probe-2x1k": "ready" });
    sweep.kill("SIGKILL");
    await folder.reaches("steady", "ready");
    await vi.waitFor(async () => expect(await folder.states()).toEqual({ steady: "ready" }), 30_000);
    expect(await folder.status()).toMatchObject({ mode: "before" });
    supervisor.kill("SIGTERM");
    await supervisor.finished;
    folder.expectNothingLeft();
  });

  test("whose supervisor is killed ends, and the next supervisor puts back what ran before", async (context) => {
    const folder = sweepFolder(context);
    const supervisor = await folder.up("before");
    const sweep = await midway(folder);
    supervisor.kill("SIGKILL");
    await supervisor.finished;
    const { code, stderr } = await sweep.finished;
    expect([code, stderr]).toEqual([
      3,
      expect.stringMatching(/error LOAN_OVER: .*slipway capacity --resume /s),
    ]);
    const next = await folder.up();
    expect(await folder.states()).toEqual({ steady: "ready" });
    expect(await folder.status()).toMatchObject({ mode: "before" });
    next.kill("SIGTERM");
    await next.finished;
    folder.expectNothingLeft();
  });

  test("that was its own supervisor and is killed leaves nothing once anything is started again", async (context) => {
    const folder = sweepFolder(context);
    const first = await folder.up("before", "--keep");
    first.kill("SIGTERM");
    await first.finished;
    const sweep = await midway(folder);
    expect(folder.marked()).toHaveLength(1);
    sweep.kill("SIGKILL");
    await sweep.finished;
    expect(folder.marked()).toHaveLength(1);
    const next = await folder.up();
    expect(await folder.states()).toEqual({ steady: "ready" });
    next.kill("SIGTERM");
    await next.finished;
    folder.expectNothingLeft();
  });

  test("goes on when a server falls under its load, and says what befell it", async (context) => {
    const folder = sweepFolder(context);
    folder.write({
      name: "probe",
      engine: "llama-server",
      program: FAKE_SERVER,
      model: join(folder.path, "tiny.gguf"),
      extraArgs: ["--fake-script", join(folder.path, "starts")],
    });
    // Two starts of the first phase, then the trial of either cell: one of them ends in the middle of it.
    writeFileSync(join(folder.path, "starts"), "\n\n--fake-crash-after-ms 1500\n\n");
    const args = ["--slots", "1,2", "--ctx", "1024", "--runs", "1", "--duration", "4s", "--json"];
    const { code, stdout } = await begin(folder, ...GRID, ...args).finished;
    const said = JSON.parse(stdout) as Said;
    expect(code).toBe(0);
    expect(said.table).toHaveLength(1);
    expect(said.unusable).toMatchObject([{ reason: expect.stringContaining("its process ended by itself") }]);
    folder.expectNothingLeft();
  });

  test("names a foreign server that is in the way, and leaves it alone", async (context) => {
    const folder = sweepFolder(context);
    const foreign = createServer((_, response) => response.end("somebody else's"));
    foreign.listen(0, "127.0.0.1");
    await once(foreign, "listening");
    context.onTestFinished(() => void foreign.close());
    const { port } = foreign.address() as AddressInfo;
    folder.preset("neighbour", [], { port });
    const { code, stderr } = await begin(folder, ...GRID, ...QUICK, "--beside", "neighbour").finished;
    expect(code).toBe(3);
    expect(stderr).toContain(`port ${port}`);
    expect(stderr).toContain(`pid ${process.pid}`);
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe("somebody else's");
    folder.expectNothingLeft();
  });

  test("says beforehand what it would try, and explains its memory line by line", async (context) => {
    const folder = sweepFolder(context);
    const plan = await begin(folder, ...GRID, ...QUICK, "--dry-run").finished;
    expect(plan.code).toBe(0);
    expect(plan.stdout).toMatch(/^2 of 2 configurations would be tried/);
    const explained = await begin(folder, "--preset", "probe", "--slots", "2", "--ctx", "1024", "--explain")
      .finished;
    // 4 layers, 1,024 cells, 2 slots, 4 heads of 32 keys and values in 2 bytes.
    expect(explained.stdout).toContain("4 layers × 1,024 cells × 2 streams × 512 B");
    folder.expectNothingLeft();
  });

  test.for([
    [["--preset", "nobody"], 2, "PRESET_UNKNOWN"],
    [["--preset", "steady"], 3, "ENGINE_UNSUPPORTED"],
    [[], 2, "--preset or --model"],
    [[...GRID, "--slots", "two"], 2, "--slots takes whole numbers"],
    [[...GRID, "--duration", "soon"], 2, "--duration takes a time such as 90s"],
    [[...GRID, "--kv", "q9_9"], 2, "--kv is one of f32"],
    [[...GRID, "--need", "speed"], 2, "--need is throughput, context, agents"],
    [["--model", "absent.gguf"], 2, "absent.gguf"],
    [["--resume", "no-such-run"], 2, "RUN_NOT_FOUND"],
  ] as const)("with %j is refused before anything is touched", async ([args, code, said], context) => {
    const { code: exitCode, stderr } = await begin(sweepFolder(context), ...args).finished;
    expect([exitCode, stderr]).toEqual([code, expect.stringContaining(said)]);
  });
});
