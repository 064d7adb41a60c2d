/** The commands that ask a supervisor: what a person reads, whole. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { say } from "../../../test/fakes/command-line.ts";
import {
  FLEET_STATUS,
  IDLE,
  LARGE,
  REFUSED_PLAN,
  ROLLED_BACK,
  SMALL,
  serveOnPaper,
} from "../../../test/fakes/paper-supervisor.ts";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { OperatorError } from "../../core/errors.ts";
import type { FleetStatus, SwitchPlan } from "../../fleet/control/protocol.ts";

function told(status: FleetStatus): { readonly status: () => Promise<FleetStatus> } {
  return { status: () => Promise.resolve(status) };
}

describe("slipway status", () => {
  test("has the answer first and fits 80 columns", async () => {
    const directory = await serveOnPaper();
    const { exitCode, out, err } = await say(["status", "--state-dir", directory]);
    expect(out).toMatchInlineSnapshot(`
      "coding is up: 2 of 2 presets are ready.

      GPU memory  ███████████████████████████████████░░░░░  88 %  21.0 GiB of 24.0 GiB

      preset                    state  memory              busy  tok/s  at
      gemma4-26b-a4b-q4-multi…  ready  ██████░░  18.1 GiB   2/3  132.0  :41234
      vllm-embedding-code       ready  █░░░░░░░ ~2500 MiB     –      –  :41235
      ~ as declared; nobody has measured it

      stopped: own-gguf
      "
    `);
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(err).toBe("");
    expect(exitCode).toBe(0);
  });

  test("has models and whole addresses where there is room", async () => {
    const directory = await serveOnPaper();
    const { out } = await say(["status", "--state-dir", directory], { outColumns: 120 });
    expect(out).toMatchInlineSnapshot(`
      "coding is up: 2 of 2 presets are ready.

      GPU memory  ███████████████████████████████████░░░░░  88 %  21.0 GiB of 24.0 GiB

      preset                         state  memory              busy  tok/s  model                      at
      gemma4-26b-a4b-q4-multi3-128k  ready  ██████░░  18.1 GiB   2/3  132.0  gemma-4-26B-A4B-it-UD-IQ…  http://127.0.0.1:41234
      vllm-embedding-code            ready  █░░░░░░░ ~2500 MiB     –      –  –                          http://127.0.0.1:41235
      ~ as declared; nobody has measured it

      stopped: own-gguf
      "
    `);
  });

  test("says what is wrong and where to look", async () => {
    const directory = await serveOnPaper(
      told({
        ...FLEET_STATUS,
        memory: { kind: "host", totalBytes: 8 * 2 ** 30, freeBytes: 7.5 * 2 ** 30 },
        presets: [
          { ...SMALL, state: "restarting", reason: "health failed 3 times: connection refused" },
          {
            preset: "own-gguf",
            engine: "llama-server",
            state: "failed",
            reason: "CUDA out of memory\u001b[2J: 5 restarts within 3 minutes",
            restarts: 5,
          },
        ],
        warnings: ["available host memory is under 2.0 GiB"],
      }),
    );
    const { out } = await say(["status", "--state-dir", directory]);
    expect(out).toMatchInlineSnapshot(`
      "coding is not up: 0 of 2 presets are ready, vllm-embedding-code is restarting,
      own-gguf has failed.

      host memory  ███░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  6 %  512 MiB of 8192 MiB

      preset               state       memory              busy  tok/s  at
      vllm-embedding-code  restarting  ██░░░░░░ ~2500 MiB     –      –  :41235
      own-gguf             failed      –                      –      –  –
      ~ as declared; nobody has measured it

      vllm-embedding-code: health failed 3 times: connection refused
      own-gguf: CUDA out of memory�[2J: 5 restarts within 3 minutes
      next: slipway logs own-gguf
      warning: available host memory is under 2.0 GiB
      "
    `);
  });

  test("counts what the mode is to run, so that a preset that was stopped is not passed over", async () => {
    const directory = await serveOnPaper(
      told({
        ...FLEET_STATUS,
        modePresets: [LARGE.preset, SMALL.preset],
        presets: [LARGE, { ...SMALL, state: "stopped", reason: "stopped because memory ran short" }, IDLE],
      }),
    );
    const { out } = await say(["status", "--state-dir", directory]);
    expect(out.split("\n\n")[0]).toBe(
      "coding is up in part: 1 of 2 presets are ready, vllm-embedding-code is stopped.",
    );
    expect(out).toContain("vllm-embedding-code: stopped because memory ran short");
    const { out: modes } = await say(["mode", "list", "--state-dir", directory]);
    expect(modes.split("\n")[0]).toBe("coding is up in part.");
  });

  test("is not up when nothing of the mode is ready, whatever runs beside it", async () => {
    const directory = await serveOnPaper(
      told({
        ...FLEET_STATUS,
        modePresets: [SMALL.preset],
        presets: [LARGE, { ...SMALL, state: "stopped" }],
      }),
    );
    const { out } = await say(["status", "--state-dir", directory]);
    expect(out.split("\n")[0]).toBe(
      "coding is not up: 0 of 1 preset is ready, vllm-embedding-code is stopped.",
    );
  });

  test("shows no memory, slots or speed for a server that is not there", async () => {
    const { url: _url, pid: _pid, usedBytes: _usedBytes, ...gone } = LARGE;
    const directory = await serveOnPaper(told({ ...FLEET_STATUS, presets: [{ ...gone, state: "failed" }] }));
    const { out } = await say(["status", "--state-dir", directory], { outColumns: 109 });
    expect(out.split("\n").find((line) => line.includes(" failed "))).toMatch(
      /^gemma4-26b-a4b-q4-multi3-128k +failed +– +– +– +–$/,
    );
    expect(out).not.toContain("~");
  });

  test("shows a switch while it happens", async () => {
    const directory = await serveOnPaper(
      told({
        ...FLEET_STATUS,
        switching: { to: "research", step: "draining" },
        presets: [{ ...LARGE, state: "draining" }],
      }),
    );
    const { out } = await say(["status", "--state-dir", directory]);
    expect(out.split("\n")[0]).toBe("Switching from coding to research: draining.");
  });

  test("of nothing says how to start something", async () => {
    const { mode: _mode, ...rest } = FLEET_STATUS;
    const directory = await serveOnPaper(told({ ...rest, presets: [] }));
    const { out } = await say(["status", "--state-dir", directory]);
    expect(out.split("\n")[0]).toBe("Nothing runs. Start a mode with: slipway mode switch <mode>");
  });

  test("gives one JSON document", async () => {
    const directory = await serveOnPaper();
    const { out } = await say(["status", "--json", "--state-dir", directory]);
    expect(JSON.parse(out)).toEqual(FLEET_STATUS);
  });

  test("without a supervisor says how to start one", async () => {
    const directory = join(temporaryDirectory(), "none");
    const { exitCode, out, err } = await say(["status", "--state-dir", directory]);
    expect({ exitCode, out, err: err.replace(directory, "<state>") }).toMatchInlineSnapshot(`
      {
        "err": "error SUPERVISOR_ABSENT: no supervisor runs here
        received: <state>/control.sock
        next: start one with: slipway up <mode> (slipway mode list shows the modes)
      ",
        "exitCode": 3,
        "out": "",
      }
    `);
  });

  test("colours only where the terminal wants it, and is otherwise the same text", async () => {
    const directory = await serveOnPaper();
    const plain = await say(["status", "--state-dir", directory]);
    const coloured = await say(["status", "--state-dir", directory], { color: true });
    expect(coloured.out).toContain("\u001b[32mready\u001b[0m");
    // eslint-disable-next-line no-control-regex
    expect(coloured.out.replace(/\u001b\[\d+m/g, "")).toBe(plain.out);
  });
});

describe("slipway mode switch", () => {
  test("tells the steps, then where everything listens", async () => {
    const directory = await serveOnPaper({
      switchMode: (mode, onProgress) => {
        onProgress?.({ step: "stop", preset: "own-gguf", message: `stopping own-gguf for ${mode}` });
        return Promise.resolve({
          outcome: "committed",
          mode,
          runs: [],
          steps: [{ step: "start", tookMs: 12_000 }],
          tookMs: 12_041,
          overheadMs: 41,
        });
      },
    });
    expect(await say(["mode", "switch", "coding", "--state-dir", directory])).toMatchInlineSnapshot(`
      {
        "err": "stopping own-gguf for coding
      ",
        "exitCode": 0,
        "out": "coding is up after 12.0 s, 41 ms of it Slipway's own
        gemma4-26b-a4b-q4-multi3-128k  http://127.0.0.1:41234
        vllm-embedding-code            http://127.0.0.1:41235
      ",
      }
    `);
  });

  test("that was put back says where, why, and what the log said, and exits 3", async () => {
    const directory = await serveOnPaper({ switchMode: () => Promise.resolve(ROLLED_BACK) });
    const told = await say(["mode", "switch", "research", "--state-dir", directory]);
    expect(told).toMatchInlineSnapshot(`
      {
        "err": "error SERVER_OUT_OF_MEMORY: research was not reached: the GPU has no memory left
        for its cache
        failed at: start of own-gguf
        next: give it fewer slots or a smaller context
        last lines of slipway logs own-gguf:
        | ggml_cuda_host_malloc: 512.00 MiB
        | �[31mCUDA error: out of memory�[0m
      coding runs again: gemma4-26b-a4b-q4-multi3-128k, vllm-embedding-code
      ",
        "exitCode": 3,
        "out": "",
      }
    `);
  });

  test("that was put back is a whole document with --json, and still exits 3", async () => {
    const directory = await serveOnPaper({ switchMode: () => Promise.resolve(ROLLED_BACK) });
    const { exitCode, out } = await say(["mode", "switch", "research", "--json", "--state-dir", directory]);
    expect(JSON.parse(out)).toEqual(ROLLED_BACK);
    expect(exitCode).toBe(3);
  });

  test("that was refused is the supervisor's own error", async () => {
    const directory = await serveOnPaper({
      switchMode: () => {
        throw new OperatorError("MODE_UNKNOWN", {
          message: "no mode has this name",
          received: "moon",
          nextStep: "choose one of coding, research",
        });
      },
    });
    const { exitCode, err } = await say(["mode", "switch", "moon", "--state-dir", directory]);
    expect(err).toBe(
      "error MODE_UNKNOWN: no mode has this name\n  received: moon\n  next: choose one of coding, research\n",
    );
    expect(exitCode).toBe(2);
  });
});

describe("what a switch or a start announces", () => {
  test("is not that a mode is up whose presets have failed or stand still", async () => {
    const { url: _url, ...failed } = { ...LARGE, state: "failed" as const };
    const directory = await serveOnPaper(
      told({
        ...FLEET_STATUS,
        modePresets: [LARGE.preset, IDLE.preset],
        presets: [failed, { ...SMALL, state: "asleep" }, IDLE],
      }),
    );
    const { out } = await say(["mode", "switch", "coding", "--state-dir", directory]);
    expect(out.replace(/ after .*/, "")).toMatchInlineSnapshot(`
      "coding is not up
        gemma4-26b-a4b-q4-multi3-128k  failed
        vllm-embedding-code            asleep, http://127.0.0.1:41235
        own-gguf                       stopped
      "
    `);
  });
});

describe("slipway mode plan", () => {
  test("says what would stop, start and stay, and memory before, during and after", async () => {
    const directory = await serveOnPaper();
    const { exitCode, out } = await say(["mode", "plan", "research", "--state-dir", directory]);
    expect(out).toMatchInlineSnapshot(`
      "From coding: research fits. 1 would stop, 1 would start, 1 would stay.

      stop   gemma4-26b-a4b-q4-multi3-128k  frees 18.1 GiB
      start  own-gguf                       needs 12.0 GiB, after vllm-embedding-code
      keep   vllm-embedding-code

      GPU memory free, of 24.0 GiB; 512 MiB must stay free
      before  ███░░░░░░░░░░░░░░░░░  3072 MiB
      during  ██████████████████░░  21.0 GiB
      after   ████████░░░░░░░░░░░░  9216 MiB

      checks: 1 of 1 passed

      do it with: slipway mode switch research
      "
    `);
    expect(exitCode).toBe(0);
  });

  test("refuses the flags of a plan without a supervisor where one runs", async () => {
    const directory = await serveOnPaper();
    const flags = ["--memory-budget-mib", "500", "--presets-dir", "mine"];
    const { exitCode, out, err } = await say([
      "mode",
      "plan",
      "research",
      "--state-dir",
      directory,
      ...flags,
    ]);
    expect(err).toContain("error FLAG_INVALID: a supervisor runs here");
    expect(err).toContain("received: --presets-dir --memory-budget-mib\n");
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
  });

  test("without a supervisor is reckoned within the budget and with the presets it is given", async () => {
    const folder = temporaryDirectory();
    mkdirSync(join(folder, "mine", "modes"), { recursive: true });
    const memory = { hostMib: 600, vramMib: 600 };
    const command = [process.execPath, "--port", "{port}"];
    const preset = { name: "one", engine: "command", command, memory };
    writeFileSync(join(folder, "mine", "one.yaml"), JSON.stringify(preset));
    writeFileSync(
      join(folder, "mine", "modes", "small.yaml"),
      JSON.stringify({ name: "small", presets: ["one"] }),
    );
    const plan = async (budgetMib: string) => {
      const flags = ["--presets-dir", "mine", "--state-dir", "none", "--json"];
      const told = await say(["mode", "plan", "small", "--memory-budget-mib", budgetMib, ...flags], {
        cwd: folder,
        env: { HOME: folder, PATH: process.env["PATH"] },
      });
      return JSON.parse(told.out) as SwitchPlan;
    };
    const tight = await plan("500");
    expect(tight.memory.freeBeforeBytes).toBeLessThanOrEqual(500 * 2 ** 20);
    expect(tight.fits).toBe(false);
  });

  test("that does not fit says what would, and exits 3", async () => {
    const directory = await serveOnPaper({ plan: () => Promise.resolve(REFUSED_PLAN) });
    const { exitCode, out } = await say(["mode", "plan", "research", "--state-dir", directory]);
    expect(out).toMatchInlineSnapshot(`
      "From coding: research would be refused: 1 check fails. 1 would stop, 1 would
      start, 1 would stay.

      stop   gemma4-26b-a4b-q4-multi3-128k  frees 18.1 GiB
      start  own-gguf                       needs 12.0 GiB, after vllm-embedding-code
      keep   vllm-embedding-code

      GPU memory free, of 24.0 GiB; 512 MiB must stay free
      before  ███░░░░░░░░░░░░░░░░░  3072 MiB
      during  ██████████████████░░  21.0 GiB
      after   ░░░░░░░░░░░░░░░░░░░░     0 KiB

      checks: 1 of 2 passed
      error vram own-gguf: needs 22.0 GiB beside a margin of 512 MiB, and 21.0 GiB
        would be free
        next: see the alternatives, or end other programs on the GPU

      what would fit, least loss first
      1. own-gguf with 2 slots instead of 3: one agent fewer at once (saves 1800 MiB)
      2. own-gguf with a KV cache of q4_0 instead of q8_0: answers may become worse
         (saves 500 MiB, not enough alone)
      "
    `);
    expect(exitCode).toBe(3);
  });
});

describe("slipway down", () => {
  test("ends the supervisor with its servers, or without, and cuts requests off only when told to", async () => {
    const asked: string[] = [];
    const directory = await serveOnPaper({
      shutdown: (servers, _onProgress, requests = "drain") => {
        asked.push(`${servers}, ${requests}`);
        return Promise.resolve();
      },
    });
    expect((await say(["down", "--state-dir", directory])).out).toBe("all servers are stopped\n");
    expect((await say(["down", "--keep", "--state-dir", directory])).out).toBe(
      "the supervisor has ended; its servers run on\n",
    );
    expect((await say(["down", "--now", "--state-dir", directory])).exitCode).toBe(0);
    expect((await say(["down", "--now", "--keep", "--state-dir", directory])).exitCode).toBe(2);
    expect(asked).toEqual(["stop, drain", "keep, drain", "stop, now"]);
  });
});
