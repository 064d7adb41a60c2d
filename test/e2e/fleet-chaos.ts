/**
 * Random switches, random faults and supervisors killed with -9, on the built program, real processes
 * and a card whose memory comes back late. Whatever happens: the fleet ends in a mode that was asked
 * for or the one before, nothing is orphaned, no port is held, and the card is never overcommitted.
 */
import { vi, expect } from "vitest";
import { OperatorError, messageOf } from "../../src/core/errors.ts";
import type { RandomStream } from "../../src/core/random.ts";
import { randomStream } from "../../src/core/random.ts";
import type { PresetStatus, SwitchReport } from "../../src/fleet/control/protocol.ts";
import type { Death } from "./chaos-fleet.ts";
import { ChaosFleet, MODES, PRESETS_MIB, presetsOf } from "./chaos-fleet.ts";
import type { RunningSlipway } from "./slipway-process.ts";

/** A fleet at rest is one that rests within this: restarts wait 1, 2, 4 and 8 s, attempts to put back 2 and 4 s. */
const REST = { timeout: 90_000, interval: 150 };

const AT_REST: readonly string[] = ["ready", "asleep", "failed", "stopped"];

/** Lines that a preset's starts take, one each; a sequence uses a handful. */
const LINES = 80;

/** What happened in all sequences together: chaos that never killed anybody would prove nothing. */
export interface Tally {
  committed: number;
  rolledBack: number;
  refused: number;
  lost: number;
  /** Presets that were given up on, for a reason. */
  failed: number;
}

const CRASHES = [
  "cuda-oom",
  "host-oom",
  "model-not-found",
  "unknown-flag",
  "port-in-use",
  "driver-mismatch",
  "silent",
];
const GRANDCHILDREN = ["group", "session", "port", "session-port"];

/** What one start does. Nothing of it lasts: the next start takes the next line. */
function drawLine(random: RandomStream): string {
  const chance = random.next();
  if (chance < 0.06) return `--fake-crash ${random.pick(CRASHES)}`;
  if (chance < 0.08) return "--fake-never-healthy";
  if (chance < 0.11) return "--fake-mute";
  if (chance < 0.15) return `--fake-crash-after-ms ${random.integer(1_500)}`;
  return [
    `--fake-start-ms ${random.integer(200)}`,
    ...(random.next() < 0.1 ? ["--fake-ignore-term"] : [`--fake-term-ms ${random.integer(150)}`]),
    ...(random.next() < 0.12 ? [`--fake-grandchild ${random.pick(GRANDCHILDREN)}`] : []),
  ].join(" ");
}

const isFault = (line: string): boolean => /--fake-(crash|never-healthy|mute)/.test(line);

function drawDeath(random: RandomStream): Death | undefined {
  if (random.next() < 0.7) return undefined;
  return `${1 + random.integer(20)}:${random.pick(["before", "after", "torn"] as const)}:1`;
}

class Sequence {
  readonly #fleet: ChaosFleet;
  readonly #random: RandomStream;
  readonly #tally: Tally;
  readonly #lines = new Map<string, readonly string[]>();
  #supervisor: RunningSlipway | undefined;
  #isDead = true;
  /** Modes in which the fleet may be now; undefined stands for nothing. */
  #allowed: readonly (string | undefined)[] = [undefined];

  constructor(fleet: ChaosFleet, seed: number, tally: Tally) {
    this.#fleet = fleet;
    this.#tally = tally;
    this.#random = randomStream(seed, "fleet chaos");
    for (const name of Object.keys(PRESETS_MIB)) {
      const lines = Array.from({ length: LINES }, () => drawLine(this.#random));
      this.#lines.set(name, lines);
      fleet.script(name, lines);
    }
  }

  async play(): Promise<void> {
    await this.#live(drawDeath(this.#random));
    for (let turn = 1 + this.#random.integer(3); turn > 0; turn--) {
      await this.#turn(this.#random.pick(Object.keys(MODES)));
      await this.#rest();
    }
    await this.#end();
  }

  /** Until one lives: who dies while it recovers is followed by one that does not. */
  async #live(death?: Death): Promise<void> {
    const supervisor = await this.#fleet.supervise(death);
    this.#supervisor = supervisor;
    this.#isDead = false;
    void supervisor.finished.then(() => {
      if (this.#supervisor === supervisor) this.#isDead = true;
    });
    if (await this.#answers()) return;
    await supervisor.finished;
    return this.#live();
  }

  async #answers(): Promise<boolean> {
    return this.#fleet.folder.status().then(
      () => true,
      () => false,
    );
  }

  async #turn(asked: string): Promise<void> {
    const [before] = this.#allowed;
    const kill =
      this.#random.next() < 0.25
        ? setTimeout(() => this.#supervisor?.kill("SIGKILL"), this.#random.integer(1_200))
        : undefined;
    const outcome = await this.#fleet.folder
      .ask({ do: "switch", mode: asked })
      .catch((thrown: unknown) => thrown);
    clearTimeout(kill);
    const ended = endOf(outcome);
    this.#tally[ended]++;
    this.#allowed = { committed: [asked], rolledBack: [before], refused: [before], lost: [before, asked] }[
      ended
    ];
  }

  /** Waits until everything is as it is to be; a supervisor that is dead by then has a successor. */
  async #rest(): Promise<void> {
    await vi.waitFor(async () => {
      if (this.#isDead || !(await this.#answers())) {
        await this.#supervisor?.finished;
        await this.#live(drawDeath(this.#random));
      }
      const { mode, switching, presets } = await this.#fleet.folder.status();
      expect(switching).toBeUndefined();
      expect(this.#allowed).toContain(mode);
      const wanted = presetsOf(mode);
      for (const preset of presets) this.#judge(preset, wanted.includes(preset.preset));
      this.#fleet.expectNoOrphans(presets);
      this.#allowed = [mode];
      this.#tally.failed += presets.filter(({ state }) => state === "failed").length;
    }, REST);
    this.#fleet.expectWithinBudget();
  }

  #judge({ preset, state, reason }: PresetStatus, isWanted: boolean): void {
    if (!isWanted) return expect(["stopped", "asleep", "failed"]).toContain(state);
    expect(AT_REST, `${preset} is ${state}`).toContain(state);
    if (state === "ready") return;
    expect(state).toBe("failed");
    expect(
      this.#isExcused(preset, reason ?? ""),
      `${preset} failed without need: ${reason ?? "nobody knows why"}`,
    ).toBe(true);
  }

  /** One of its last starts was made to fail, or took longer than it may on a machine this busy. */
  #isExcused(preset: string, reason: string): boolean {
    const lines = this.#lines.get(preset) ?? [];
    const used = lines.slice(0, lines.length - this.#fleet.linesLeft(preset));
    return used.slice(-5).some(isFault) || reason.includes("was not healthy within");
  }

  async #end(): Promise<void> {
    this.#supervisor?.kill("SIGTERM");
    const last = await this.#supervisor?.finished;
    if (last?.code !== 0) {
      await this.#live();
      this.#supervisor?.kill("SIGTERM");
      expect(await this.#supervisor?.finished).toMatchObject({ code: 0 });
    }
    this.#fleet.folder.expectNothingLeft();
    this.#fleet.expectWithinBudget();
  }
}

/** Who asked a supervisor that was killed does not know what came of it. */
function endOf(outcome: unknown): Exclude<keyof Tally, "failed"> {
  if (!(outcome instanceof Error))
    return (outcome as SwitchReport).outcome === "rolled-back" ? "rolledBack" : "committed";
  if (!(outcome instanceof OperatorError)) throw outcome;
  return outcome.code === "SUPERVISOR_LOST" || outcome.code === "SUPERVISOR_ABSENT" ? "lost" : "refused";
}

/** Throws with the seed and what the supervisor noted. */
async function playSequence(seed: number, tally: Tally): Promise<void> {
  const fleet = await ChaosFleet.create();
  try {
    await new Sequence(fleet, seed, tally).play();
  } catch (thrown) {
    const again = `SLIPWAY_CHAOS_SEED=${seed} SLIPWAY_CHAOS_COUNT=1`;
    throw new Error(`seed ${seed} (again with ${again}): ${messageOf(thrown)}\n${fleet.account()}`, {
      cause: thrown,
    });
  } finally {
    await fleet.remove();
  }
}

/** So many at a time keep two cores busy while others wait for limits and pauses. */
const AT_ONCE = 8;

export async function playSequences(count: number): Promise<Tally> {
  const tally: Tally = { committed: 0, rolledBack: 0, refused: 0, lost: 0, failed: 0 };
  const first = Number(process.env["SLIPWAY_CHAOS_SEED"] ?? 1);
  const last = first + Number(process.env["SLIPWAY_CHAOS_COUNT"] ?? count);
  let next = first;
  const failures: Error[] = [];
  const worker = async (): Promise<void> => {
    while (next < last && failures.length === 0)
      await playSequence(next++, tally).catch((thrown: Error) => failures.push(thrown));
  };
  // Each ends what it started, also when another has failed.
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const [failure] = failures;
  if (failure !== undefined) throw failure;
  return tally;
}
