/** What servers, strangers and the machine can do to a fleet, one at a time: the built program, and real processes. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  chmodSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestContext } from "vitest";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { FAKE_SERVER, FleetFolder, freePort, lives } from "./fleet-folder.ts";
import type { RunningSlipway } from "./slipway-process.ts";

/** Each starts half a dozen programs, beside other test files that do the same. */
vi.setConfig({ testTimeout: 90_000 });

type Fields = Readonly<Record<string, unknown>>;

/** A mode `before` of one server that does what it should. */
function fleet({ onTestFinished }: Pick<TestContext, "onTestFinished">): FleetFolder {
  const folder = new FleetFolder();
  onTestFinished(() => folder.remove());
  folder.preset("steady");
  folder.mode("before", "steady");
  return folder;
}

/** The same, up, and a mode `after` of a server with these flags. */
async function beside(
  context: Pick<TestContext, "onTestFinished">,
  flags: readonly string[],
  fields: Fields = {},
): Promise<{ readonly folder: FleetFolder; readonly supervisor: RunningSlipway }> {
  const folder = fleet(context);
  folder.preset("faulty", flags, fields);
  folder.mode("after", "faulty");
  return { folder, supervisor: await folder.up("before") };
}

async function endsClean(folder: FleetFolder, supervisor: RunningSlipway): Promise<void> {
  supervisor.kill("SIGTERM");
  expect((await supervisor.finished).code).toBe(0);
  folder.expectNothingLeft();
}

/** As it was said, whatever the width of the terminal. */
function unwrapped(text: string): string {
  return text.replaceAll(/\n? +/g, " ");
}

interface FailedStart {
  readonly flags: readonly string[];
  readonly fields?: Fields;
  readonly code: string;
  readonly step: "start" | "health" | "canary";
  readonly says: string;
  readonly lastLine?: string;
}

const FAILED_STARTS: Readonly<Record<string, FailedStart>> = {
  "finds no memory on the GPU": {
    flags: ["--fake-crash", "cuda-oom"],
    code: "GPU_OUT_OF_MEMORY",
    step: "health",
    says: "the GPU had no memory left for it",
    lastLine: "srv    load_model: failed to load model",
  },
  "finds no memory on the host": {
    flags: ["--fake-crash", "host-oom", "--fake-exit-code", "134"],
    code: "HOST_OUT_OF_MEMORY",
    step: "health",
    says: "the host had no memory left for it",
    lastLine: "  what():  std::bad_alloc",
  },
  "does not know one of its flags": {
    flags: ["--fake-crash", "unknown-flag"],
    code: "LAUNCH_REFUSED",
    step: "health",
    says: "it refused its own command line: error: invalid argument: --no-such-flag",
  },
  "does not find its model": {
    flags: ["--fake-crash", "model-not-found"],
    code: "MODEL_NOT_FOUND",
    step: "health",
    says: "its model is not there",
  },
  "finds its port taken": {
    flags: ["--fake-crash", "port-in-use"],
    code: "PORT_IN_USE",
    step: "health",
    says: "its port is taken",
  },
  "does not go with the driver": {
    flags: ["--fake-crash", "driver-mismatch"],
    code: "DRIVER_MISMATCH",
    step: "health",
    says: "the GPU driver and the CUDA that the server was built with do not go together",
  },
  "ends without a word": {
    flags: ["--fake-crash", "silent", "--fake-exit-code", "3"],
    code: "PROCESS_FAILED",
    step: "health",
    says: "it ended with exit code 3 and its last lines name no known cause",
  },
  "prints that memory is out, and hangs": {
    flags: ["--fake-never-healthy", "--fake-says", "CUDA error: out of memory"],
    fields: { startLimitMs: 1_500 },
    code: "GPU_OUT_OF_MEMORY",
    step: "health",
    says: "faulty was not healthy within 1500 ms",
    lastLine: "CUDA error: out of memory",
  },
  "never becomes healthy": {
    flags: ["--fake-never-healthy"],
    fields: { startLimitMs: 1_500 },
    code: "START_TIMEOUT",
    step: "health",
    says: "faulty was not healthy within 1500 ms (it was still loading)",
    lastLine: "main: server is listening on http://127.0.0.1:",
  },
  "is healthy, and produces no token": {
    flags: ["--fake-mute"],
    code: "SERVER_STALLED",
    step: "canary",
    says: "faulty is healthy but produces no token",
  },
  "ends while a process that it started holds its port": {
    flags: ["--fake-grandchild", "session-port", "--fake-never-healthy", "--fake-crash-after-ms", "10"],
    code: "GPU_OUT_OF_MEMORY",
    step: "health",
    says: "the GPU had no memory left for it",
  },
};

describe("a server that does not come up is put back, with step, cause and last words", () => {
  const folder = new FleetFolder();
  let supervisor: RunningSlipway;
  beforeAll(async () => {
    folder.preset("steady");
    folder.mode("before", "steady");
    folder.mode("after", "faulty");
    folder.preset("faulty");
    supervisor = await folder.up("before");
  });
  afterAll(() => folder.remove());

  test.each(Object.entries(FAILED_STARTS))("when it %s", async (_when, failed) => {
    folder.preset("faulty", failed.flags, failed.fields);
    const { code, stderr } = await folder.switch("after");
    const said = unwrapped(stderr);
    expect(code).toBe(3);
    expect(said).toContain(`error ${failed.code}: after was not reached: `);
    expect(said).toContain(failed.says);
    expect(said).toContain(`failed at: ${failed.step} of faulty`);
    expect(said).toMatch(/ next: \S/);
    if (failed.lastLine !== undefined) expect(stderr).toContain(`  | ${failed.lastLine}`);
    expect(stderr).toMatch(/^before runs again: steady$/m);
    expect(await folder.states()).toEqual({ steady: "ready" });
    const ours = await folder.pidOf("steady");
    expect(folder.marked().map(({ pid }) => pid)).toEqual([ours]);
  });

  test("and after all of that the fleet ends without a trace", () => endsClean(folder, supervisor));

  test("also by `slipway up`, which then ends", async (context) => {
    const folder = fleet(context);
    folder.preset("faulty", ["--fake-crash", "cuda-oom"]);
    folder.mode("after", "steady", "faulty");
    const { code, stderr } = await folder.begin(["after"]).finished;
    expect(code).toBe(3);
    expect(unwrapped(stderr)).toContain("error GPU_OUT_OF_MEMORY: after was not reached");
    expect(stderr).toMatch(/^nothing runs now$/m);
    folder.expectNothingLeft();
  });
});

describe.concurrent("a server that behaves badly", () => {
  test("starts slowly: is waited for", async (context) => {
    const { folder, supervisor } = await beside(context, ["--fake-start-ms", "700"]);
    const { code, stdout } = await folder.switch("after");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^after is up after /);
    await endsClean(folder, supervisor);
  });

  test.for([
    ["ignores SIGTERM", ["--fake-ignore-term"]],
    ["leaves a process in its group", ["--fake-grandchild", "group"]],
    ["leaves a process in a session of its own", ["--fake-grandchild", "session"]],
    ["leaves a process that holds its port", ["--fake-grandchild", "port"]],
    ["leaves a process that holds its port from a session of its own", ["--fake-grandchild", "session-port"]],
  ] as const)("%s: all of it is ended", async ([, flags], context) => {
    const port = await freePort();
    const { folder, supervisor } = await beside(context, flags, { port, stopGraceMs: 300 });
    folder.preset("heir", [], { port });
    folder.mode("later", "heir");
    expect((await folder.switch("after")).code).toBe(0);
    // The same port: only with the last of it gone can this start.
    expect((await folder.switch("later")).code).toBe(0);
    const ours = await folder.pidOf("heir");
    expect(folder.marked().map(({ pid }) => pid)).toEqual([ours]);
    await endsClean(folder, supervisor);
  });

  test("drops out once: is started again, at the same port", async (context) => {
    const { folder, supervisor } = await beside(context, []);
    const [before] = (await folder.status()).presets.filter(({ preset }) => preset === "steady");
    process.kill(before?.pid ?? 0, "SIGSEGV");
    await folder.reaches("steady", "restarting");
    await folder.reaches("steady", "ready");
    const [after] = (await folder.status()).presets.filter(({ preset }) => preset === "steady");
    expect(after).toMatchObject({ url: before?.url, restarts: 1 });
    expect(after?.pid).not.toBe(before?.pid);
    await endsClean(folder, supervisor);
  });
});

/** A process of somebody else: the same program, on this port, with marks of servers that are none of ours. */
async function stranger(context: Pick<TestContext, "onTestFinished">, port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [FAKE_SERVER, "--port", `${port}`, "--host", "127.0.0.1"], {
    env: { ...process.env, SLIPWAY_SERVER_ID: "server-0000000000000000" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  context.onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stderr, "data");
  return child;
}

describe.concurrent("what belongs to somebody else", () => {
  test("is never touched: not on a port that is wanted, nor by name, nor by a mark like ours", async (context) => {
    const port = await freePort();
    const theirs = await stranger(context, port);
    const { folder, supervisor } = await beside(context, [], { port });
    const refused = await folder.switch("after");
    expect(refused.code).toBe(3);
    expect(unwrapped(refused.stderr)).toContain(
      `error PREFLIGHT_FAILED: port ${port} is taken by node (pid ${theirs.pid})`,
    );
    expect(await folder.states()).toEqual({ steady: "ready" });
    supervisor.kill("SIGKILL");
    await supervisor.finished;
    await endsClean(folder, await folder.up());
    expect(lives(theirs.pid)).toBe(true);
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  });

  test("is not taken for ours after a kill, when it has the number that ours had", async (context) => {
    const theirs = await stranger(context, await freePort());
    const { folder, supervisor } = await beside(context, []);
    const ours = await folder.pidOf("steady");
    supervisor.kill("SIGKILL");
    await supervisor.finished;
    process.kill(ours ?? 0, "SIGKILL");
    // As if the kernel had given our server's number to their process.
    const file = join(folder.stateDirectory, "fleet.json");
    writeFileSync(file, readFileSync(file, "utf8").replace(`"pid":${ours}`, `"pid":${theirs.pid}`));
    const next = await folder.up();
    expect(await folder.pidOf("steady")).not.toBe(theirs.pid);
    expect(await folder.states()).toEqual({ steady: "ready" });
    await endsClean(folder, next);
    expect(lives(theirs.pid)).toBe(true);
  });

  test("cannot reach the supervisor: another user is kept out of its socket", async (context) => {
    if (process.getuid?.() !== 0) context.skip("only root can become another user");
    const { folder, supervisor } = await beside(context, []);
    chmodSync(folder.path, 0o755);
    const program = join(folder.path, "connect-as.mjs");
    cpSync(resolve(import.meta.dirname, "../fakes/connect-as.mjs"), program);
    const options = { uid: 65_534, gid: 65_534, cwd: "/", encoding: "utf8" } as const;
    const asNobody = (): string =>
      execFileSync(process.execPath, [program, join(folder.stateDirectory, "control.sock")], options);
    expect(asNobody()).toBe("EACCES");
    expect(statSync(folder.stateDirectory).mode & 0o777).toBe(0o700);
    await endsClean(folder, supervisor);
  });
});

/** A small file system; skips with the reason where mounting is not allowed. */
function mounted(context: TestContext, sizeMib: number): string {
  const path = mkdtempSync(join(tmpdir(), "slipway-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeMib}m,mode=700`, "slipway-test", path], {
      stdio: "pipe",
    });
  } catch (thrown) {
    context.skip(`a tmpfs cannot be mounted here: ${String(thrown).split("\n")[1] ?? String(thrown)}`);
  }
  context.onTestFinished(() => {
    execFileSync("umount", ["--lazy", path]);
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

/** To the last byte. */
function fill(folder: string): string {
  const path = join(folder, "filling");
  const { bavail, bsize } = statfsSync(folder);
  for (let left = bavail * bsize; left > 0; left -= CHUNK.length)
    try {
      writeFileSync(path, CHUNK, { flag: "a" });
    } catch {
      break;
    }
  return path;
}
const CHUNK = Buffer.alloc(1024 * 1024);

describe.concurrent("hostile surroundings", () => {
  test("a disk that fills up in the middle of a switch: it is put back, nothing that ran is lost, and it works again with space", async (context) => {
    const disk = mounted(context, 96);
    const folder = new FleetFolder({ XDG_STATE_HOME: disk });
    context.onTestFinished(() => folder.remove());
    const filled = join(folder.path, "filled");
    folder.preset("shared");
    folder.preset("late", ["--fake-until", filled]);
    folder.mode("before", "shared");
    folder.mode("after", "shared", "late");
    const supervisor = await folder.up("before");
    const shared = await folder.pidOf("shared");
    const switching = folder.switch("after");
    await supervisor.stderrHas("starting late");
    const filling = fill(disk);
    writeFileSync(filled, "");
    const { code, stderr } = await switching;
    expect(code).toBe(3);
    expect(unwrapped(stderr)).toContain(
      "error DISK_FULL: after was not reached: no space left while writing",
    );
    expect(unwrapped(stderr)).toContain("next: free some space and ask again; what ran goes on running");
    expect(stderr).toMatch(/^before runs again: shared$/m);
    expect(await folder.states()).toEqual({ shared: "ready" });
    expect(await folder.pidOf("shared")).toBe(shared);

    const refused = await folder.switch("after");
    expect(refused.code).toBe(3);
    expect(unwrapped(refused.stderr)).toMatch(/next: free some/);
    expect(await folder.pidOf("shared")).toBe(shared);

    rmSync(filling);
    expect((await folder.switch("after")).code).toBe(0);
    expect(await folder.pidOf("shared")).toBe(shared);
    await endsClean(folder, supervisor);
  });

  test("a full disk does not keep the servers from being stopped", async (context) => {
    const disk = mounted(context, 96);
    const folder = new FleetFolder({ XDG_STATE_HOME: disk });
    context.onTestFinished(() => folder.remove());
    folder.preset("steady");
    folder.mode("before", "steady");
    const supervisor = await folder.up("before");
    fill(disk);
    await endsClean(folder, supervisor);
  });

  test("a state directory that cannot be written: nothing is started, and the message says what to do", async (context) => {
    const disk = mounted(context, 8);
    execFileSync("mount", ["-o", "remount,ro", disk]);
    const folder = new FleetFolder({ XDG_STATE_HOME: disk });
    context.onTestFinished(() => folder.remove());
    folder.preset("steady");
    folder.mode("before", "steady");
    const { code, stderr } = await folder.begin(["before"]).finished;
    expect(code).toBe(3);
    expect(unwrapped(stderr)).toMatch(
      /^error DIRECTORY_UNWRITABLE: cannot write .* next: give a folder that can be written with --state-dir/s,
    );
    expect(folder.marked()).toEqual([]);
  });

  test("a state directory that becomes read-only: what runs is kept, and a switch is refused", async (context) => {
    const folder = fleet(context);
    folder.preset("late");
    folder.mode("after", "late");
    // Root may write whatever the mode says, unless it gives that right up.
    const isRoot = process.getuid?.() === 0;
    if (isRoot && !canDropRights())
      context.skip("setpriv, by which root gives its rights to files up, is not here");
    const supervisor = folder.begin(["before"], {}, isRoot ? [...AS_ORDINARY] : []);
    await supervisor.stderrHas("slipway status --watch shows it");
    const steady = await folder.pidOf("steady");
    const { stateDirectory } = folder;
    const journal = join(stateDirectory, "journal.jsonl");
    chmodSync(stateDirectory, 0o500);
    chmodSync(journal, 0o400);
    const { code, stderr } = await folder.switch("after");
    expect(code).toBe(3);
    expect(unwrapped(stderr)).toMatch(
      /error DIRECTORY_UNWRITABLE: .*next: mend the permissions of the state directory/,
    );
    expect(await folder.states()).toEqual({ steady: "ready" });
    expect(await folder.pidOf("steady")).toBe(steady);
    chmodSync(stateDirectory, 0o700);
    chmodSync(journal, 0o600);
    expect((await folder.switch("after")).code).toBe(0);
    await endsClean(folder, supervisor);
  });
});

const AS_ORDINARY = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"] as const;

function canDropRights(): boolean {
  try {
    execFileSync(AS_ORDINARY[0], [...AS_ORDINARY.slice(1), "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
