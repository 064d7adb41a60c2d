/**
 * Random switches, random faults, and supervisors killed at any touch of the world or the disk.
 * Whatever happens, the fleet ends in the mode that was asked for or the one before; a preset is
 * missing from it only where its own starts kept failing, and then it says so.
 */
import { describe, expect, it } from "vitest";
import type { PaperFleet } from "../../test/fakes/paper-fleet.ts";
import { Killed, paperCatalogue, paperFleet, paperPreset } from "../../test/fakes/paper-fleet.ts";
import type { Cut, ServerScript } from "../../test/fakes/paper-world.ts";
import { PaperMachine } from "../../test/fakes/paper-world.ts";
import { OperatorError } from "../core/errors.ts";
import type { RandomStream } from "../core/random.ts";
import { randomStream } from "../core/random.ts";
import { NS_PER_MS } from "../core/units.ts";

const SEQUENCES = Number(process.env["SLIPWAY_CHAOS_SEQUENCES"] ?? 2_000);
const FIRST_SEED = Number(process.env["SLIPWAY_CHAOS_SEED"] ?? 1);

const CATALOGUE = paperCatalogue(
  [
    paperPreset("embed", 2, { priority: 90 }),
    paperPreset("coder", 12, { dependsOn: ["embed"] }),
    paperPreset("reader", 14),
    paperPreset("small", 5, { port: 8_081 }),
    paperPreset("napper", 8, { sleepLevel: 2 }),
  ],
  {
    coding: ["coder", "embed"],
    research: ["embed", "reader"],
    mixed: ["small", "coder", "embed"],
    napping: ["napper", "small"],
    alone: ["reader"],
  },
);
const MODES = [...CATALOGUE.modes.keys()];

/** What a start can meet, each now and then. Nothing of it lasts: the next start draws again. */
function drawScript(random: RandomStream): ServerScript {
  const chance = random.next();
  if (chance < 0.04) return { start: "crashes" };
  if (chance < 0.07) return { start: "out-of-memory" };
  if (chance < 0.1) return { start: "never-healthy" };
  if (chance < 0.13) return { start: "stalls" };
  if (chance < 0.16) return { crashesAfterMs: 100 + random.integer(20_000) };
  return {
    loadMs: random.integer(1_500),
    stopMs: random.integer(800),
    ...(random.next() < 0.1 ? { stop: "ignores-sigterm" as const } : {}),
    ...(random.next() < 0.01 ? { stop: "stuck" as const } : {}),
    ...(random.next() < 0.2 ? { releasesAfterMs: random.integer(5_000) } : {}),
    ...(random.next() < 0.005 ? { releasesAfterMs: "never" as const } : {}),
    ...(random.next() < 0.1 ? { holdsPortMs: random.integer(3_000) } : {}),
    ...(random.next() < 0.05 ? { stray: true } : {}),
    ...(random.next() < 0.1 ? { refusesSleep: true } : {}),
  };
}

function isFault({ start, crashesAfterMs }: ServerScript): boolean {
  return start !== undefined || crashesAfterMs !== undefined;
}

class Sequence {
  readonly machine = new PaperMachine();
  readonly random: RandomStream;
  /** Starts of each preset, and whether each was made to fail. */
  readonly starts = new Map<string, boolean[]>();
  fleet: PaperFleet;
  /** Modes in which the fleet may be now; undefined stands for nothing. */
  allowed: readonly (string | undefined)[] = [undefined];
  failures = 0;

  constructor(seed: number) {
    this.random = randomStream(seed, "chaos");
    this.machine.scriptOf = (preset) => {
      const script = drawScript(this.random);
      this.starts.set(preset, [...(this.starts.get(preset) ?? []), isFault(script)]);
      return script;
    };
    this.fleet = this.next();
  }

  next(): PaperFleet {
    return paperFleet(this.machine, () => CATALOGUE, this.drawCut());
  }

  drawCut(): Cut | undefined {
    if (this.random.next() < 0.5) return undefined;
    return {
      atTouch: 1 + this.random.integer(80),
      when: this.random.pick(["before", "after", "torn"] as const),
    };
  }

  async play(): Promise<void> {
    await this.beginUntilAlive();
    for (let turn = 1 + this.random.integer(4); turn > 0; turn--) {
      const [before] = this.allowed;
      const asked = this.random.pick(MODES);
      this.drawFullDisk();
      const signal = this.drawAbort();
      const outcome = await this.survive(async () => {
        const report = await this.fleet.supervisor.switchMode(asked, undefined, signal);
        this.allowed = [report.outcome === "rolled-back" ? before : asked];
      });
      if (this.random.next() < 0.5) this.machine.diskFull = false;
      if (outcome === "killed") {
        this.allowed = [before, asked];
        if (this.random.next() < 0.05) this.machine.reboot();
        await this.beginUntilAlive();
      }
      this.machine.diskFull = false;
      await this.check();
    }
    await this.end();
  }

  /** Full from some moment of the switch on, until it is over or the next supervisor has begun. */
  drawFullDisk(): void {
    if (this.random.next() >= 0.15) return;
    this.machine.after(this.random.integer(3_000), () => {
      this.machine.diskFull = true;
    });
  }

  drawAbort(): AbortSignal {
    const controller = new AbortController();
    if (this.random.next() < 0.1) this.machine.after(this.random.integer(4_000), () => controller.abort());
    return controller.signal;
  }

  async survive(work: () => Promise<void>): Promise<"done" | "refused" | "killed"> {
    try {
      await this.fleet.run(work());
      return "done";
    } catch (thrown) {
      if (thrown instanceof Killed) return "killed";
      // Nothing was touched: the disk was full, it was called off in time, or memory is missing for good.
      if (thrown instanceof OperatorError) return "refused";
      throw thrown;
    }
  }

  async beginUntilAlive(): Promise<void> {
    for (;;) {
      this.fleet = this.next();
      const outcome = await this.survive(async () => {
        await this.fleet.supervisor.begin();
      });
      if (outcome === "done") return;
    }
  }

  /** Restarts and late ends are let through first. */
  async settle(): Promise<"settled" | "killed"> {
    const { clock } = this.machine;
    for (let round = 0; round < 200; round++) {
      const outcome = await this.survive(async () => {
        await clock.sleepUntil(clock.nowNs() + 25_000 * NS_PER_MS);
      });
      if (outcome === "killed") return "killed";
      const status = await this.fleet.run(this.fleet.supervisor.status()).catch(() => undefined);
      if (status === undefined) return "killed";
      if (status.presets.every(({ state }) => ["ready", "stopped", "failed", "asleep"].includes(state)))
        return "settled";
    }
    throw new Error("the fleet does not come to rest");
  }

  async check(): Promise<void> {
    while ((await this.settle()) === "killed") await this.beginUntilAlive();
    let status;
    try {
      status = await this.fleet.run(this.fleet.supervisor.status());
    } catch (thrown) {
      if (!(thrown instanceof Killed)) throw thrown;
      await this.beginUntilAlive();
      return this.check();
    }
    expect(this.allowed).toContain(status.mode);
    this.allowed = [status.mode];
    const wanted = status.mode === undefined ? [] : (CATALOGUE.modes.get(status.mode)?.mode.presets ?? []);
    for (const { preset, state, reason } of status.presets) {
      if (!wanted.includes(preset)) {
        expect(["stopped", "asleep", "failed"]).toContain(state);
        continue;
      }
      if (state === "ready") continue;
      this.failures++;
      expect(state, `${preset} of ${status.mode ?? "nothing"}: ${reason ?? ""}`).toBe("failed");
      expect(reason).toBeDefined();
      expect(this.isExcused(preset), `${preset} failed without need: ${reason ?? ""}`).toBe(true);
    }
    this.checkMachine(
      status.presets.filter(({ state }) => state === "ready" || state === "asleep").map(({ pid }) => pid),
    );
  }

  /** Its last starts were all made to fail, or memory or a process of the machine can no longer be had. */
  isExcused(preset: string): boolean {
    const starts = this.starts.get(preset) ?? [];
    return (
      this.isMachineBroken() ||
      starts.slice(-3).every(Boolean) ||
      starts.slice(-5).filter(Boolean).length >= 4
    );
  }

  isMachineBroken(): boolean {
    return this.machine.processes.some(
      ({ script }) => script.stop === "stuck" || script.releasesAfterMs === "never",
    );
  }

  checkMachine(known: readonly (number | undefined)[]): void {
    const { machine } = this;
    expect(machine.violations).toEqual([]);
    const orphans = machine.alive.filter(
      ({ identity, script, port }) =>
        !known.includes(identity.pid) && script.stop !== "stuck" && port !== undefined,
    );
    expect(orphans.map(({ preset }) => preset.name)).toEqual([]);
    const living = new Set(machine.alive.map(({ port }) => port));
    expect(machine.heldPorts.filter((port) => !living.has(port))).toEqual([]);
  }

  trace(): void {
    const { files, processes } = this.machine;
    const lines = processes.map(({ identity, preset, state, script, port, serverId }) =>
      [identity.pid, preset.name, state, port, serverId, JSON.stringify(script)].join(" "),
    );
    process.stderr.write(
      [files.get("events.jsonl"), files.get("fleet.json"), files.get("journal.jsonl"), ...lines, ""].join(
        "\n",
      ),
    );
  }

  async end(): Promise<void> {
    for (;;) {
      const outcome = await this.survive(() => this.fleet.supervisor.shutdown("stop"));
      if (outcome !== "killed") break;
      await this.beginUntilAlive();
    }
    const { clock } = this.machine;
    await clock.advanceTo(clock.nowNs() + 10_000 * NS_PER_MS);
    const left = this.machine.alive.filter(({ script }) => script.stop !== "stuck");
    expect(left.map(({ preset }) => preset.name)).toEqual([]);
    expect(this.machine.violations).toEqual([]);
  }
}

describe("a supervisor among faults", () => {
  it("ends in the mode asked for or the one before, with no orphan, no port held and memory within its budget", {
    timeout: 600_000,
  }, async () => {
    let failures = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEQUENCES; seed++) {
      const sequence = new Sequence(seed);
      try {
        await sequence.play();
      } catch (thrown) {
        if (process.env["SLIPWAY_CHAOS_TRACE"] !== undefined) sequence.trace();
        throw new Error(`seed ${seed}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
          cause: thrown,
        });
      }
      failures += sequence.failures;
    }
    // Three failed starts in a row are rare, and so is a preset that is given up on.
    expect(failures).toBeLessThan(SEQUENCES * 0.1 + 5);
  });
});
