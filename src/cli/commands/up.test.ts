/** The supervisor's life as a person sees it, over a supervisor on paper. */
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { say, spokenIo } from "../../../test/fakes/command-line.ts";
import { deferred } from "../../../test/fakes/deferred.ts";
import { COMMITTED, ROLLED_BACK, paperSupervisor } from "../../../test/fakes/paper-supervisor.ts";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { realClock } from "../../core/clock.ts";
import { askSupervisor } from "../../fleet/control/client.ts";
import { controlSocketPath, lockStateDirectory } from "../../fleet/control/supervisor-lock.ts";
import type { Supervisor } from "../../fleet/supervisor.ts";
import { showLog } from "../fleet/show-log.ts";
import { type UpFlags, runUp } from "../fleet/up-session.ts";

interface Started {
  readonly directory: string;
  readonly spoken: { readonly out: string; readonly err: string };
  readonly ctrlC: () => void;
  readonly ended: Promise<number>;
  /** Resolves once this was said on either stream. */
  readonly said: (text: string) => Promise<void>;
}

function start(mode: string | undefined, script: Partial<Supervisor>, flags: UpFlags = {}): Started {
  const directory = join(temporaryDirectory(), "state");
  const interrupt = new AbortController();
  const waiting: { readonly text: string; readonly found: () => void }[] = [];
  const { io, spoken } = spokenIo({ clock: realClock, interrupted: interrupt.signal });
  const heard = (stream: "out" | "err", text: string): void => {
    spoken[stream] += text;
    for (const wait of waiting) if (`${spoken.out}${spoken.err}`.includes(wait.text)) wait.found();
  };
  const listening = {
    ...io,
    out: (text: string) => heard("out", text),
    err: (text: string) => heard("err", text),
  };
  const ended = runUp(mode, { stateDir: directory, ...flags }, listening, () =>
    Promise.resolve({ supervisor: paperSupervisor(script), close: () => undefined }),
  );
  ended.catch(() => undefined);
  return {
    directory,
    spoken,
    ctrlC: () => interrupt.abort(new Error("interrupted")),
    ended,
    said: (text) =>
      new Promise((found) => {
        if (`${spoken.out}${spoken.err}`.includes(text)) found();
        else waiting.push({ text, found });
      }),
  };
}

const UP = "slipway status --watch shows it";

describe("slipway up", () => {
  test("tells the steps and where everything listens, answers the socket, and stops all at Ctrl-C", async () => {
    const shut: string[] = [];
    const up = start("coding", {
      begin: () => Promise.resolve(["took over gemma4 from the supervisor before"]),
      switchMode: (_mode, onProgress) => {
        onProgress?.({ step: "start", preset: "gemma4", message: "waiting for gemma4" });
        return Promise.resolve(COMMITTED);
      },
      shutdown: (servers, onProgress) => {
        shut.push(servers);
        onProgress?.({ step: "stop", preset: "gemma4", message: "asked to end" });
        return Promise.resolve();
      },
    });
    await up.said(UP);
    const socketPath = controlSocketPath(up.directory);
    expect(await askSupervisor({ do: "status" }, { socketPath, clock: realClock })).toMatchObject({
      mode: "coding",
    });
    up.ctrlC();
    expect(await up.ended).toBe(0);
    expect(up.spoken).toMatchInlineSnapshot(`
      {
        "err": "took over gemma4 from the supervisor before
      waiting for gemma4
      slipway status --watch shows it, slipway mode switch <mode> changes it; Ctrl-C
        stops the servers and ends
      stopping the servers, running requests first; a second Ctrl-C ends at once and
        leaves the rest running
      asked to end
      ",
        "out": "coding is up after 12.0 s, 41 ms of it Slipway's own
        gemma4-26b-a4b-q4-multi3-128k  http://127.0.0.1:41234
        vllm-embedding-code            http://127.0.0.1:41235
      ",
      }
    `);
    expect(shut).toEqual(["stop"]);
    expect(existsSync(socketPath)).toBe(false);
    lockStateDirectory(up.directory).release();
  });

  test("leaves the servers running at Ctrl-C when told to keep them", async () => {
    const shut: string[] = [];
    const up = start(
      "coding",
      {
        shutdown: (servers) => {
          shut.push(servers);
          return Promise.resolve();
        },
      },
      { keep: true },
    );
    await up.said(UP);
    up.ctrlC();
    expect(await up.ended).toBe(0);
    expect(shut).toEqual(["keep"]);
  });

  test("ends when slipway down asks it to, after the answer", async () => {
    const up = start("coding", {});
    await up.said(UP);
    const socketPath = controlSocketPath(up.directory);
    expect(await askSupervisor({ do: "shutdown", servers: "stop" }, { socketPath, clock: realClock })).toBe(
      null,
    );
    expect(await up.ended).toBe(0);
    expect(up.spoken.err).toContain("the supervisor was asked to end");
  });

  test("that cannot reach its mode says why, leaves what ran before, and exits 3", async () => {
    const shut: string[] = [];
    const up = start("coding", {
      switchMode: () => Promise.resolve(ROLLED_BACK),
      shutdown: (servers) => {
        shut.push(servers);
        return Promise.resolve();
      },
    });
    expect(await up.ended).toBe(3);
    expect(up.spoken.err).toContain("error SERVER_OUT_OF_MEMORY: coding was not reached");
    expect(shut).toEqual(["keep"]);
  });

  test("that is interrupted while it starts puts back, stops, and exits 130", async () => {
    const shut: string[] = [];
    const up = start("coding", {
      switchMode: (_mode, onProgress, signal) => {
        onProgress?.({ step: "start", message: "begun" });
        return new Promise((resolve) => signal?.addEventListener("abort", () => resolve(ROLLED_BACK)));
      },
      shutdown: (servers) => {
        shut.push(servers);
        return Promise.resolve();
      },
    });
    await up.said("begun");
    up.ctrlC();
    expect(await up.ended).toBe(130);
    expect(shut).toEqual(["stop"]);
  });

  test("without a mode takes up what runs", async () => {
    const up = start(undefined, {});
    await up.said(UP);
    up.ctrlC();
    expect(await up.ended).toBe(0);
    expect(up.spoken.out).toContain("coding is up\n");
  });

  test("a second time on the same state directory is refused with the first one's number", async () => {
    const up = start("coding", {});
    await up.said(UP);
    const { io } = spokenIo({ clock: realClock });
    const second = runUp("coding", { stateDir: up.directory }, io, () =>
      Promise.resolve({ supervisor: paperSupervisor(), close: () => undefined }),
    );
    await expect(second).rejects.toMatchObject({
      code: "SUPERVISOR_RUNNING",
      message: expect.stringContaining(`process ${process.pid}`) as string,
    });
    // The first one still answers.
    const socketPath = controlSocketPath(up.directory);
    expect(await askSupervisor({ do: "status" }, { socketPath, clock: realClock })).toMatchObject({
      mode: "coding",
    });
    up.ctrlC();
    await up.ended;
  });

  test("ends with the defect when the supervisor breaks, and lets go of the state directory", async () => {
    const up = start("coding", { plan: () => Promise.reject(new Error("broken assumption")) });
    await up.said(UP);
    const socketPath = controlSocketPath(up.directory);
    await expect(
      askSupervisor({ do: "plan", mode: "m" }, { socketPath, clock: realClock }),
    ).rejects.toMatchObject({
      code: "SUPERVISOR_LOST",
    });
    await expect(up.ended).rejects.toThrow("broken assumption");
    lockStateDirectory(up.directory).release();
  });
});

describe("slipway up --install", () => {
  const shown = (text: string, home: string): string =>
    text
      .replaceAll(home, "<home>")
      .replaceAll(process.execPath, "<node>")
      .replace(/"[^"]*"( "up")/, '"<script>"$1');

  test("writes a unit whose servers outlive their supervisor, and says what to do next", async () => {
    const home = temporaryDirectory();
    mkdirSync(join(home, "100%", "modes"), { recursive: true });
    const preset = { name: "one", engine: "llama-server", model: "one.gguf" };
    writeFileSync(join(home, "100%", "one.yaml"), JSON.stringify(preset));
    writeFileSync(
      join(home, "100%", "modes", "coding.yaml"),
      JSON.stringify({ name: "coding", presets: ["one"] }),
    );
    const { exitCode, out } = await say(
      [
        "up",
        "coding",
        "--install",
        "--state-dir",
        "s t",
        "--presets-dir",
        "100%",
        "--memory-budget-mib",
        "8000",
      ],
      { cwd: home, env: { HOME: home, PATH: '/usr/bin:/opt/a "b" $c' } },
    );
    expect(shown(out, home)).toMatchInlineSnapshot(`
      "wrote <home>/.config/systemd/user/slipway.service

      # Written by slipway up --install; change it by running that again.
      [Unit]
      Description=Slipway: supervisor of inference servers
      # Five failures within ten minutes are no accident; "systemctl --user reset-failed slipway" allows more.
      StartLimitIntervalSec=600
      StartLimitBurst=5

      [Service]
      Type=simple
      # The colon keeps systemd from replacing $VARIABLES in the arguments.
      ExecStart=:"<node>" "<script>" "up" "coding" "--state-dir" "<home>/s t" "--presets-dir" "<home>/100%%" "--memory-budget-mib" "8000"
      WorkingDirectory=<home>
      Environment="PATH=/usr/bin:/opt/a \\"b\\" $c"
      # Only the supervisor is signalled: it stops its servers itself when it is asked to end, and when it
      # crashes they run on and are taken over by its successor. The usual control-group would kill them.
      KillMode=process
      # A server that the kernel ends for want of memory must not end the supervisor, which then restarts it.
      OOMPolicy=continue
      # Time to let running requests end: the longest drainLimitMs of what runs (60 s by default), then 10 s of grace.
      # Raise it with a longer one: when it has passed, the supervisor is killed and its servers run on.
      TimeoutStopSec=600
      Restart=on-failure
      RestartSec=5
      # Exit code 2 is a wrong flag or file: starting again does not mend it. 130 is an end by signal while starting.
      RestartPreventExitStatus=2
      SuccessExitStatus=130

      [Install]
      WantedBy=default.target

      next:
        systemctl --user daemon-reload
        systemctl --user enable --now slipway
        loginctl enable-linger         # so that it starts with the machine and outlives your login
        slipway status --watch
      "
    `);
    expect(exitCode).toBe(0);
    const written = readFileSync(join(home, ".config/systemd/user/slipway.service"), "utf8");
    expect(out).toContain(written);
  });

  test("replaces its own unit and leaves a stranger's alone", async () => {
    const home = temporaryDirectory();
    const path = join(home, ".config/systemd/user/slipway.service");
    const install = () => say(["up", "--install"], { cwd: home, env: { HOME: home } });
    await install();
    expect((await install()).out).toContain(`replaced ${path}`);
    writeFileSync(path, "[Service]\nExecStart=/mine\n");
    const { exitCode, err } = await install();
    expect(err).toContain("error UNIT_FOREIGN");
    expect(exitCode).toBe(3);
    expect(readFileSync(path, "utf8")).toBe("[Service]\nExecStart=/mine\n");
  });

  test("refuses a mode that is not there, also with --print: the unit would fail at every start", async () => {
    const home = temporaryDirectory();
    for (const print of [[], ["--print"]]) {
      const { exitCode, out, err } = await say(["up", "nosuch", "--install", ...print], {
        cwd: home,
        env: { HOME: home },
      });
      expect(err).toContain("error MODE_UNKNOWN: no mode has this name\n  received: nosuch\n");
      expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
    }
    expect(existsSync(join(home, ".config"))).toBe(false);
  });

  test("with --print writes nothing", async () => {
    const home = temporaryDirectory();
    const { out } = await say(["up", "--install", "--print"], { cwd: home, env: { HOME: home } });
    expect(out).toMatch(/^# Written by slipway up --install/);
    expect(existsSync(join(home, ".config"))).toBe(false);
  });
});

describe("slipway logs", () => {
  function stateWith(text: string): string {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, "logs"));
    writeFileSync(join(directory, "logs", "gemma.log"), text);
    chmodSync(directory, 0o700);
    return directory;
  }

  test("shows the last lines, as many as asked for", async () => {
    const directory = stateWith("one\ntwo\nthree\nfour\n");
    expect((await say(["logs", "gemma", "-n", "2", "--state-dir", directory])).out).toBe("three\nfour\n");
    expect((await say(["logs", "gemma", "-n", "0", "--state-dir", directory])).out).toBe("");
    expect((await say(["logs", "gemma", "--state-dir", directory])).out).toBe("one\ntwo\nthree\nfour\n");
  });

  test("follows what is written until Ctrl-C", async () => {
    const directory = stateWith("one\ntwo\n");
    const interrupt = new AbortController();
    const heard = deferred<void>();
    const { io, spoken } = spokenIo({ clock: realClock, interrupted: interrupt.signal });
    const out = (text: string): void => {
      spoken.out += text;
      if (text === "three\n") heard.resolve();
    };
    const shown = showLog("gemma", { stateDir: directory, follow: true, lines: 1 }, { ...io, out });
    appendFileSync(join(directory, "logs", "gemma.log"), "three\n");
    await heard.promise;
    interrupt.abort();
    await shown;
    expect(spoken.out).toBe("two\nthree\n");
  });

  test("cannot steer a terminal", async () => {
    const directory = stateWith("\u001b]0;owned\u0007fine\n");
    expect((await say(["logs", "gemma", "--state-dir", directory])).out).toBe("fine\n");
  });

  test("of a preset that never ran says so, and no name leads out of the folder", async () => {
    const directory = stateWith("");
    const absent = await say(["logs", "qwen", "--state-dir", directory]);
    expect(absent.err).toContain("error LOG_ABSENT: there is no log of qwen");
    expect(absent.exitCode).toBe(3);
    const outside = await say(["logs", "../../etc/passwd", "--state-dir", directory]);
    expect(outside.err).toContain("error FLAG_INVALID: this is not the name of a preset");
    expect(outside.exitCode).toBe(2);
  });
});
