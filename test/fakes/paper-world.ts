/**
 * A machine on paper for the supervisor: processes, ports, memory and a disk under a virtual clock.
 * The machine lives on when a supervisor is killed; each supervisor acts through a hand of its own,
 * and a hand that was cut off does nothing any more and gets no answer.
 */
import type { Clock, Timer } from "../../src/core/clock.ts";
import { VirtualClock } from "../../src/core/clock.ts";
import { OperatorError } from "../../src/core/errors.ts";
import type { ProcessIdentity } from "../../src/core/process-identity.ts";
import { randomStream } from "../../src/core/random.ts";
import { BYTES_PER_GIB, BYTES_PER_MIB, NS_PER_MS } from "../../src/core/units.ts";
import { describeLaunch } from "../../src/engines/launch.ts";
import type { Check } from "../../src/fleet/check.ts";
import type { MemoryReading } from "../../src/fleet/memory.ts";
import type { StateDisk } from "../../src/fleet/supervisor-disk.ts";
import type {
  FleetWorld,
  LeavingServer,
  ServerClient,
  ServerExit,
  ServerProcess,
  Stopped,
} from "../../src/fleet/world.ts";
import type { LaunchDescription } from "../../src/preset/launch.ts";
import type { Preset } from "../../src/preset/preset.ts";
import { PaperOllama } from "./paper-ollama.ts";

/** How one start of a server goes. */
export interface ServerScript {
  readonly loadMs?: number;
  readonly start?: "crashes" | "out-of-memory" | "bad-flag" | "never-healthy" | "stalls";
  /** Ends by itself this long after it was started. */
  readonly crashesAfterMs?: number;
  readonly stopMs?: number;
  readonly stop?: "ignores-sigterm" | "stuck";
  /** After its end, until its memory is free. */
  readonly releasesAfterMs?: number | "never";
  readonly holdsPortMs?: number;
  /** A child that left the process group and outlives it. */
  readonly stray?: boolean;
  readonly refusesSleep?: boolean;
}

export interface PaperProcess {
  readonly identity: ProcessIdentity;
  readonly serverId: string;
  readonly preset: Preset;
  readonly port: number | undefined;
  readonly script: ServerScript;
  readonly startedNs: number;
  readonly exited: Promise<ServerExit>;
  state: "alive" | "gone";
  asleep: boolean;
  end(exit: ServerExit): void;
}

const FIRST_FREE_PORT = 40_000;
const DEFAULT_LOAD_MS = 200;
const DEFAULT_STOP_MS = 50;
const SLEEPER_KEEPS_SHARE = 0.2;
const START_LOGS: Readonly<Record<string, string>> = {
  "out-of-memory": "ggml_cuda: cudaMalloc failed: out of memory",
  "bad-flag": "error: invalid argument: --no-such-flag",
  crashes: "Segmentation fault",
};

export class PaperMachine {
  readonly clock = new VirtualClock(1_000 * NS_PER_MS);
  readonly totalBytes: number;
  foreignBytes = 0;
  hostAvailableBytes = 64 * BYTES_PER_GIB;
  diskFull = false;
  bootId = "boot-1";
  readonly files = new Map<string, string>();
  readonly processes: PaperProcess[] = [];
  readonly logs = new Map<string, string[]>();
  readonly busySlots = new Map<string, number>();
  /** Presets whose servers do not tell what they compute. */
  readonly reticent = new Set<string>();
  /** Clients connected to a preset's server; undefined where the system does not tell. */
  readonly clients = new Map<string, number | undefined>();
  /** Presets whose servers answer health and produce nothing. */
  readonly stalled = new Set<string>();
  /** Presets whose servers do not answer, and live. */
  readonly deaf = new Set<string>();
  /** Rules of the machine that were broken: none ever should be. */
  readonly violations: string[] = [];
  /** How the next start of a preset goes; asked at each. */
  scriptOf: (preset: string) => ServerScript = () => ({});
  /** What preflight finds. */
  checks: readonly Check[] = [];
  /** That somebody else keeps. */
  readonly ollama = new PaperOllama((holder) => this.release(holder));
  readonly #held = new Map<object, number>();
  readonly #ports = new Map<number, object>();
  #lastPid = 100;

  constructor(totalGib = 24) {
    this.totalBytes = totalGib * BYTES_PER_GIB;
  }

  get heldBytes(): number {
    return [...this.#held.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  heldBytesOf(holder: object): number {
    return this.#held.get(holder) ?? 0;
  }

  /** What preflight was asked of those that leave, the last time. */
  lastLeaving: readonly LeavingServer[] = [];

  get alive(): readonly PaperProcess[] {
    return this.processes.filter(({ state }) => state === "alive");
  }

  get heldPorts(): readonly number[] {
    return [...this.#ports.keys()];
  }

  isPortHeld(port: number): boolean {
    return this.#ports.has(port);
  }

  holdPort(port: number, holder: object): void {
    this.#ports.set(port, holder);
  }

  take(holder: object, bytes: number): void {
    this.#held.set(holder, bytes);
    if (this.heldBytes + this.foreignBytes > this.totalBytes)
      this.violations.push(`memory over budget: ${this.heldBytes / BYTES_PER_GIB} GiB held`);
  }

  release(holder: object): void {
    this.#held.delete(holder);
  }

  log(preset: string, line: string): void {
    const lines = this.logs.get(preset) ?? [];
    lines.push(line);
    this.logs.set(preset, lines);
  }

  /** Everything ends, and nothing of it can be found by number again. */
  reboot(): void {
    for (const process of this.alive) process.end({ signal: "SIGKILL" });
    this.#held.clear();
    this.#ports.clear();
    this.ollama.loaded.clear();
    this.bootId = `${this.bootId}+`;
  }

  spawn(preset: Preset, port: number | undefined, serverId: string, script: ServerScript): PaperProcess {
    const pid = ++this.#lastPid;
    let resolve: (exit: ServerExit) => void = () => undefined;
    const exited = new Promise<ServerExit>((settle) => {
      resolve = settle;
    });
    const process: PaperProcess = {
      identity: { pid, startTicks: String(pid * 10), bootId: this.bootId },
      serverId,
      preset,
      port,
      script,
      startedNs: this.clock.nowNs(),
      exited,
      state: "alive",
      asleep: false,
      end: (exit) => {
        if (process.state === "gone") return;
        process.state = "gone";
        this.#letGo(process);
        resolve(exit);
      },
    };
    this.processes.push(process);
    return process;
  }

  /** Starts a server as its script says: memory is taken at once, ports are bound at once. */
  startServer(preset: Preset, port: number, serverId: string): PaperProcess {
    const script = this.scriptOf(preset.name);
    const taken = this.isPortHeld(port);
    const process = this.spawn(preset, port, serverId, script);
    if (script.stray === true) this.spawn(preset, undefined, serverId, {});
    if (taken) {
      this.log(preset.name, "couldn't bind HTTP server socket, hostname: 127.0.0.1");
      this.after(1, () => process.end({ code: 1 }));
      return process;
    }
    this.holdPort(port, process);
    this.take(process, needBytes(preset));
    const line = START_LOGS[script.start ?? ""];
    if (line !== undefined) {
      const exit = script.start === "crashes" ? { signal: "SIGSEGV" } : { code: 1 };
      this.after(script.loadMs ?? DEFAULT_LOAD_MS, () => {
        this.log(preset.name, line);
        process.end(exit);
      });
    }
    if (script.crashesAfterMs !== undefined)
      this.after(script.crashesAfterMs, () => process.end({ signal: "SIGSEGV" }));
    return process;
  }

  after(ms: number, act: () => void): void {
    this.clock.timerAt(this.clock.nowNs() + ms * NS_PER_MS, act);
  }

  #letGo(process: PaperProcess): void {
    const { releasesAfterMs = 0, holdsPortMs = 0 } = process.script;
    if (releasesAfterMs === 0) this.release(process);
    else if (releasesAfterMs !== "never") this.after(releasesAfterMs, () => this.release(process));
    const { port } = process;
    if (port === undefined || this.#ports.get(port) !== process) return;
    if (holdsPortMs === 0) this.#ports.delete(port);
    else this.after(holdsPortMs, () => void this.#ports.delete(port));
  }
}

export function needBytes(preset: Preset): number {
  return (preset.memory.vramMib ?? 0) * BYTES_PER_MIB;
}

/** Where a hand is cut off: at its n-th touch of world or disk, before or after that has had its effect. */
export interface Cut {
  readonly atTouch: number;
  /** `torn`: half of what an append writes reaches the disk. */
  readonly when: "before" | "after" | "torn";
}

/** One supervisor's way to the machine. */
export class PaperHand {
  readonly world: FleetWorld;
  readonly disk: StateDisk;
  /** Resolves when this supervisor has been killed. */
  readonly killed: Promise<void>;
  touches = 0;
  readonly #machine: PaperMachine;
  readonly #cut: Cut | undefined;
  #isDead = false;
  #onKilled: () => void = () => undefined;

  constructor(machine: PaperMachine, label: string | number, cut?: Cut) {
    this.#machine = machine;
    this.#cut = cut;
    this.killed = new Promise((resolve) => {
      this.#onKilled = resolve;
    });
    this.world = this.#makeWorld(label);
    this.disk = this.#makeDisk();
  }

  /** As kill -9: what it was waiting for never comes, and nothing it does has an effect. Its servers live on. */
  killSupervisor(): void {
    this.#isDead = true;
    this.#onKilled();
  }

  #isCut(when: Cut["when"]): boolean {
    return this.#cut?.atTouch === this.touches && this.#cut.when === when;
  }

  /** One touch of the machine, with its effect, or none when dead. */
  #touch<T>(act: () => Promise<T>): Promise<T> {
    this.touches++;
    if (this.#isCut("before")) this.killSupervisor();
    if (this.#isDead) return new Promise(() => undefined);
    const result = act();
    if (this.#isCut("after") || this.#isCut("torn")) this.killSupervisor();
    return this.#heard(result);
  }

  /** An answer reaches only the living. */
  #heard<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      answer.then(
        (value) => {
          if (!this.#isDead) resolve(value);
        },
        (thrown: unknown) => {
          if (!this.#isDead) reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
        },
      );
    });
  }

  #write(text: string, act: (text: string) => void): void {
    this.touches++;
    if (this.#isCut("before")) this.killSupervisor();
    if (this.#isDead) return;
    if (this.#machine.diskFull)
      throw new OperatorError("DISK_FULL", {
        message: "no space left while writing the state directory",
        nextStep: "free some space and ask again; what ran goes on running",
      });
    act(this.#isCut("torn") ? text.slice(0, text.length / 2) : text);
    if (this.#isCut("after") || this.#isCut("torn")) this.killSupervisor();
  }

  #makeDisk(): StateDisk {
    const { files } = this.#machine;
    return {
      read: (name) => files.get(name),
      append: (name, text) =>
        this.#write(text, (written) => files.set(name, (files.get(name) ?? "") + written)),
      // A rename happens or does not.
      replace: (name, text) =>
        this.#write("", () => {
          if (!this.#isCut("torn")) files.set(name, text);
        }),
      setAside: (name) => {
        const aside = `${name}.damaged-1`;
        files.set(aside, files.get(name) ?? "");
        return aside;
      },
      note: (name, text) => {
        if (!this.#isDead) files.set(name, (files.get(name) ?? "") + text);
      },
    };
  }

  #makeClock(): Clock {
    const { clock } = this.#machine;
    return {
      nowNs: () => clock.nowNs(),
      wallIso: () => clock.wallIso(),
      timerAt: (atNs, callback): Timer =>
        clock.timerAt(atNs, () => {
          if (!this.#isDead) callback();
        }),
      sleepUntil: (atNs, signal) => this.#heard(clock.sleepUntil(atNs, signal)),
    };
  }

  #makeWorld(label: string | number): FleetWorld {
    const machine = this.#machine;
    const clock = this.#makeClock();
    return {
      clock,
      random: randomStream(1, "paper-hand", label),
      reservePort: (preset) => this.#touch(() => reservePort(machine, preset)),
      describe: describeLaunch,
      start: (launch, preset, serverId) =>
        this.#touch(async () => this.#own(machine.startServer(preset, portOf(launch), serverId))),
      adopt: (identity, serverId) => {
        const process = machine.alive.find(
          (candidate) =>
            candidate.identity.pid === identity.pid &&
            candidate.identity.startTicks === identity.startTicks &&
            candidate.identity.bootId === identity.bootId &&
            candidate.serverId === serverId,
        );
        return process === undefined ? undefined : this.#own(process);
      },
      findByServerId: (serverId) =>
        machine.alive.filter((process) => process.serverId === serverId).map(({ identity }) => identity),
      stop: (process, graceMs) => this.#touch(() => this.#stop(clock, process, graceMs)),
      connect: (preset, launch) => this.#connect(preset, launch),
      clientsOf: (port) => {
        const name = machine.alive.find((process) => process.port === port)?.preset.name ?? "";
        return machine.clients.has(name) ? machine.clients.get(name) : 0;
      },
      memory: () => this.#touch(async () => readingOf(machine)),
      preflight: (_incoming, outgoing) =>
        this.#touch(async () => {
          machine.lastLeaving = outgoing;
          return machine.checks;
        }),
      logTail: (preset, lines) => (machine.logs.get(preset) ?? []).slice(-lines),
    };
  }

  #own({ identity, serverId, exited }: PaperProcess): ServerProcess {
    return { identity, serverId, exited: this.#heard(exited) };
  }

  /** SIGKILL comes from a timer of the supervisor's: one that is dead sends none. */
  async #stop(clock: Clock, { identity }: ServerProcess, graceMs: number): Promise<Stopped> {
    const process = this.#machine.processes.find((candidate) => candidate.identity.pid === identity.pid);
    if (process === undefined || process.state === "gone") return { kind: "gone", forced: false };
    const { stop, stopMs = DEFAULT_STOP_MS } = process.script;
    if (stop === undefined) this.#machine.after(stopMs, () => process.end({ signal: "SIGTERM" }));
    return new Promise((resolve) => {
      void process.exited.then(({ signal }) => resolve({ kind: "gone", forced: signal === "SIGKILL" }));
      clock.timerAt(clock.nowNs() + graceMs * NS_PER_MS, () => {
        if (stop === "stuck") resolve({ kind: "stuck" });
        else process.end({ signal: "SIGKILL" });
      });
    });
  }

  #connect(preset: Preset, launch: LaunchDescription): ServerClient {
    const machine = this.#machine;
    const isShared = launch.kind === "resident" && launch.server === undefined;
    const port = portOf(launch);
    const find = (): PaperProcess | undefined => machine.alive.find((process) => process.port === port);
    const ask = <T>(answer: (process: PaperProcess | undefined) => T): Promise<T> =>
      this.#touch(async () => answer(find()));
    return {
      health: () => ask((process) => (isShared ? { kind: "healthy" } : healthOf(machine, process))),
      activity: () =>
        ask((process) => {
          if (process === undefined || machine.reticent.has(preset.name)) return {};
          const busySlots = machine.busySlots.get(preset.name) ?? 0;
          return { slots: 2, busySlots, generatedTokens: 7 };
        }),
      canary: () =>
        ask((process) => {
          if (isShared)
            return {
              kind: machine.ollama.loaded.has(preset.name) ? "token" : "silent",
              tookMs: 1,
              reason: "not loaded",
            };
          if (process === undefined) return { kind: "silent", reason: "connection refused" };
          if (process.script.start === "stalls" || process.asleep || machine.stalled.has(preset.name))
            return { kind: "silent", reason: "no token within 60 s" };
          return { kind: "token", tookMs: 1 };
        }),
      sleep: () =>
        ask((process) => {
          if (process === undefined) return "connection refused";
          if (process.script.refusesSleep === true) return "it refuses to sleep";
          process.asleep = true;
          machine.take(process, needBytes(preset) * SLEEPER_KEEPS_SHARE);
          return undefined;
        }),
      wake: () =>
        ask((process) => {
          if (process === undefined) return "connection refused";
          process.asleep = false;
          machine.take(process, needBytes(preset));
          return undefined;
        }),
      load: () =>
        ask(() => {
          machine.take(machine.ollama.load(preset.name), needBytes(preset));
          return undefined;
        }),
      unload: () => this.#touch(() => machine.ollama.unload(preset, machine.clock)),
      close: () => Promise.resolve(),
    };
  }
}

function healthOf(
  machine: PaperMachine,
  process: PaperProcess | undefined,
): Awaited<ReturnType<ServerClient["health"]>> {
  if (process === undefined) return { kind: "down", reason: "connection refused" };
  if (machine.deaf.has(process.preset.name)) return { kind: "down", reason: "no answer" };
  const { start, loadMs = DEFAULT_LOAD_MS } = process.script;
  const isLoaded = machine.clock.nowNs() - process.startedNs >= loadMs * NS_PER_MS;
  return start === "never-healthy" || !isLoaded ? { kind: "loading" } : { kind: "healthy" };
}

function readingOf(machine: PaperMachine): MemoryReading {
  return {
    kind: "gpu",
    totalBytes: machine.totalBytes,
    freeBytes: Math.max(0, machine.totalBytes - machine.foreignBytes - machine.heldBytes),
    hostAvailableBytes: machine.hostAvailableBytes,
    heldBytesByPid: new Map(
      machine.alive.map((process) => [process.identity.pid, machine.heldBytesOf(process)]),
    ),
  };
}

async function reservePort(machine: PaperMachine, preset: Preset): Promise<number> {
  if (preset.engine === "ollama" && preset.serve === "running") return 11_434;
  if (preset.port !== "free") {
    if (!machine.isPortHeld(preset.port)) return preset.port;
    throw new OperatorError("PORT_IN_USE", {
      message: `port ${preset.port} is taken`,
      received: preset.port,
      nextStep: "write port: free in the preset, or end what listens there",
    });
  }
  let port = FIRST_FREE_PORT;
  while (machine.isPortHeld(port)) port++;
  return port;
}

function portOf(launch: LaunchDescription): number {
  return Number(new URL(launch.url).port);
}
