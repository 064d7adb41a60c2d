/** A folder in which a fleet lives: presets of scripted servers, a supervisor, and a look at what is left of them. */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join, resolve } from "node:path";
import { expect, vi } from "vitest";
import { realClock } from "../../src/core/clock.ts";
import { listProcesses } from "../../src/core/process-table.ts";
import type { ControlQuestion } from "../../src/fleet/control/client.ts";
import { askSupervisor } from "../../src/fleet/control/client.ts";
import type { ControlResults, FleetStatus, PresetState } from "../../src/fleet/control/protocol.ts";
import { portHolder } from "../../src/hardware/port-holder.ts";
import { readKernelFile } from "../../src/hardware/text-reader.ts";
import {
  type Finished,
  type RunningSlipway,
  slipway,
  startSlipway,
  temporaryFolder,
} from "./slipway-process.ts";

export const FAKE_SERVER = resolve(import.meta.dirname, "../fakes/fake-llm-server.mjs");

/** What ends, ends within this also on a machine that is busy with other things. */
const PATIENCE = { timeout: 30_000, interval: 50 };

/** Nobody listens on it now. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolveListening) => probe.listen(0, "127.0.0.1", resolveListening));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolveClosed) => probe.close(resolveClosed));
  return port;
}

export interface MarkedProcess {
  readonly pid: number;
  readonly serverId: string;
}

type Fields = Readonly<Record<string, unknown>>;

export class FleetFolder {
  readonly path: string;
  readonly stateDirectory: string;
  readonly #folder = temporaryFolder();
  /** Of every program that is started here. */
  readonly env: Record<string, string>;
  readonly #started: RunningSlipway[] = [];

  /** `env` stands above the usual one. */
  constructor(env: Readonly<Record<string, string>> = {}) {
    const { path } = this.#folder;
    this.path = path;
    this.env = { SLIPWAY_MODEL: "none.gguf", XDG_STATE_HOME: path, ...env };
    this.stateDirectory = join(this.env["XDG_STATE_HOME"] ?? path, "slipway");
    mkdirSync(join(path, "presets", "modes"), { recursive: true });
  }

  // ---- presets ---------------------------------------------------------------------------------

  /** A scripted server; `flags` are those of the fake, `fields` stand above all others. */
  preset(name: string, flags: readonly string[] = [], fields: Fields = {}): void {
    const command = [process.execPath, FAKE_SERVER, "--host", "{host}", "--port", "{port}", ...flags];
    const memory = { hostMib: 50, vramMib: 0 };
    this.write({ name, engine: "command", command, api: "llama-server", memory, ...fields });
  }

  write(preset: Fields & { readonly name: string }): void {
    writeFileSync(join(this.path, "presets", `${preset.name}.yaml`), JSON.stringify(preset));
  }

  mode(name: string, ...presets: readonly string[]): void {
    writeFileSync(join(this.path, "presets", "modes", `${name}.yaml`), JSON.stringify({ name, presets }));
  }

  // ---- the program -----------------------------------------------------------------------------

  /** Begins `slipway up`; does not wait. `through`: a program that starts the rest of its command line. */
  begin(
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
    through: readonly string[] = [],
  ): RunningSlipway {
    const options = { cwd: this.path, env: { ...this.env, ...env }, through };
    const running = startSlipway(["up", ...args], options);
    this.#started.push(running);
    return running;
  }

  /** Until it has announced what is up; rejects when it ends before. */
  async up(...args: readonly string[]): Promise<RunningSlipway> {
    const running = this.begin(args);
    await running.stderrHas("slipway status --watch shows it");
    return running;
  }

  run(...args: readonly string[]): Promise<Finished> {
    return slipway(args, { cwd: this.path, env: this.env });
  }

  switch(mode: string): Promise<Finished> {
    return this.run("mode", "switch", mode);
  }

  /** Over the socket, without a program in between. */
  ask<Question extends ControlQuestion>(question: Question): Promise<ControlResults[Question["do"]]> {
    const socketPath = join(this.stateDirectory, "control.sock");
    return askSupervisor(question, { socketPath, clock: realClock });
  }

  status(): Promise<FleetStatus> {
    return this.ask({ do: "status" });
  }

  async states(): Promise<Readonly<Record<string, PresetState>>> {
    const { presets } = await this.status();
    return Object.fromEntries(
      presets.filter(({ state }) => state !== "stopped").map(({ preset, state }) => [preset, state]),
    );
  }

  async pidOf(preset: string): Promise<number | undefined> {
    return (await this.status()).presets.find((one) => one.preset === preset)?.pid;
  }

  /** Until a preset is in this state. */
  async reaches(preset: string, state: PresetState, timeout = PATIENCE.timeout): Promise<void> {
    await vi.waitFor(async () => expect(await this.states()).toMatchObject({ [preset]: state }), {
      ...PATIENCE,
      timeout,
    });
  }

  // ---- what is left ----------------------------------------------------------------------------

  /** Living processes that carry the mark of a server, and were started from this folder. */
  marked(): readonly MarkedProcess[] {
    return listProcesses().flatMap(({ pid, zombie }) => {
      if (zombie) return [];
      const variables = environmentOf(pid);
      const mark = variables.find((variable) => variable.startsWith("SLIPWAY_SERVER_ID="));
      return mark !== undefined && variables.includes(`HOME=${this.path}`)
        ? [{ pid, serverId: mark.slice(mark.indexOf("=") + 1) }]
        : [];
    });
  }

  /** Ports on which any server of this folder ever listened, and on which one of its processes still does. */
  heldPorts(): readonly number[] {
    return [...this.#portsUsed()].filter((port) => {
      const pid = portHolder(readKernelFile, port)?.pid;
      // The number may have been given to somebody else since.
      return pid !== undefined && environmentOf(pid).includes(`HOME=${this.path}`);
    });
  }

  #portsUsed(): ReadonlySet<number> {
    const logs = join(this.stateDirectory, "logs");
    const names = existsSync(logs) ? readdirSync(logs, { recursive: true, encoding: "utf8" }) : [];
    const texts = names.flatMap((name) => textOf(join(logs, name)) ?? []);
    return new Set(
      texts.flatMap((text) =>
        [...text.matchAll(/listening on http:\/\/[^:]+:(\d+)/g)].map((match) => Number(match[1])),
      ),
    );
  }

  /** No process and no port is left. */
  expectNothingLeft(): void {
    expect(this.marked()).toEqual([]);
    expect(this.heldPorts()).toEqual([]);
  }

  /** Ends what was started, and removes the folder. What a failed test left running is ended too, by its mark. */
  async remove(): Promise<void> {
    for (const one of this.#started) one.kill("SIGKILL");
    await Promise.all(this.#started.map((one) => one.finished));
    for (const { pid } of this.marked()) killIfThere(pid);
    await vi.waitFor(() => expect(this.marked()).toEqual([]), PATIENCE);
    this.#folder.remove();
  }
}

/** A zombie, which waits for a reaper that a container may lack, does nothing any more. */
export function lives(pid: number | undefined): boolean {
  const stat = textOf(`/proc/${pid ?? 0}/stat`);
  return stat !== undefined && !/\) [ZX] /.test(stat);
}

function environmentOf(pid: number): readonly string[] {
  return textOf(`/proc/${pid}/environ`)?.split("\0") ?? [];
}

/** Undefined for what is gone, is a folder, or is another user's. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}
