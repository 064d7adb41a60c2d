/** A fleet on a card of its own, whose memory comes back late, with supervisors that can be made to die at a step. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "vitest";
import type { PresetStatus } from "../../src/fleet/control/protocol.ts";
import { startWiredDriver } from "../fakes/wired-driver.ts";
import { FAKE_SERVER, FleetFolder, freePort } from "./fleet-folder.ts";
import type { RunningSlipway } from "./slipway-process.ts";

/** Memory comes back later than the next server takes to start: who does not wait for it is over the budget. */
const CARD = { totalMib: 8_192, releaseMs: 1_000 };
export const PRESETS_MIB = {
  embed: 1_024,
  coder: 5_120,
  reader: 6_144,
  fixed: 2_048,
  napper: 3_072,
  doomed: 512,
} as const;
type PresetName = keyof typeof PRESETS_MIB;

export const MODES = {
  coding: ["coder", "embed"],
  research: ["embed", "reader"],
  door: ["fixed", "embed"],
  nap: ["napper", "embed"],
} as const satisfies Record<string, readonly PresetName[]>;

export function presetsOf(mode: string | undefined): readonly string[] {
  return MODES[mode as keyof typeof MODES] ?? [];
}

/** Long enough for a machine that does ten other things; only a fault lasts as long. */
const START_LIMIT_MS = 4_000;

/** Of a write to its state. */
export type Moment = "before" | "torn" | "after";

/** As test/fakes/die-at-step.mjs takes it. */
export type Death = `${string}:${Moment}:${number}`;

/** A fleet on a card of its own. */
export class ChaosFleet {
  readonly folder: FleetFolder;
  readonly #claims: string;
  readonly #closeDriver: () => void;

  private constructor(folder: FleetFolder, claims: string, closeDriver: () => void) {
    this.folder = folder;
    this.#claims = claims;
    this.#closeDriver = closeDriver;
  }

  static async create(): Promise<ChaosFleet> {
    const folder = new FleetFolder();
    const driver = await startWiredDriver(folder.path, CARD);
    folder.env["PATH"] = `${driver.programs}:${process.env["PATH"] ?? ""}`;
    folder.env["NODE_OPTIONS"] =
      `--import ${pathToFileURL(join(import.meta.dirname, "../fakes/die-at-step.mjs")).href}`;
    const fleet = new ChaosFleet(folder, driver.claims, () => driver.close());
    await fleet.#writePresets();
    return fleet;
  }

  async #writePresets(): Promise<void> {
    const port = await freePort();
    for (const [name, vramMib] of Object.entries(PRESETS_MIB)) {
      this.script(name, []);
      const fields = {
        memory: { vramMib, hostMib: 50 },
        startLimitMs: START_LIMIT_MS,
        stopGraceMs: 250,
        drainLimitMs: 500,
      };
      const flags = [
        ...[
          "--fake-script",
          this.#scriptOf(name),
          "--fake-claims",
          this.#claims,
          "--fake-claim-mib",
          `${vramMib}`,
        ],
        ...["--fake-claim-total-mib", `${CARD.totalMib}`, "--fake-claim-release-ms", `${CARD.releaseMs}`],
      ];
      if (name === "napper") {
        const sleeper = {
          engine: "vllm",
          program: FAKE_SERVER,
          model: "org/napper",
          sleepLevel: 1,
          gpuMemoryFraction: 0.3,
        };
        this.folder.write({ name, ...sleeper, ...fields, extraArgs: flags });
      } else
        this.folder.preset(name, flags, {
          ...fields,
          ...(name === "fixed" ? { port } : {}),
          ...(name === "coder" ? { dependsOn: ["embed"] } : {}),
        });
    }
    for (const [name, presets] of Object.entries({ ...MODES, doom: ["doomed", "embed"] }))
      this.folder.mode(name, ...presets);
  }

  #scriptOf(preset: string): string {
    return join(this.folder.path, `${preset}.script`);
  }

  /** What each of the next starts of this preset does. */
  script(preset: string, lines: readonly string[]): void {
    writeFileSync(this.#scriptOf(preset), lines.map((line) => `${line}\n`).join(""));
  }

  linesLeft(preset: string): number {
    return readFileSync(this.#scriptOf(preset), "utf8").split("\n").length - 1;
  }

  /** Announced, or dead by the death that it was to die. */
  async supervise(death?: Death): Promise<RunningSlipway> {
    const running = this.folder.begin([], death === undefined ? {} : { FAKE_DIE: death });
    await running.stderrHas("slipway status --watch shows it").catch(() => undefined);
    return running;
  }

  /** Every server that lives is one that the supervisor says it has. */
  expectNoOrphans(presets: readonly PresetStatus[]): void {
    const marked = this.folder.marked();
    const ids = new Map(marked.map(({ pid, serverId }) => [pid, serverId]));
    const known = new Set(presets.flatMap(({ pid }) => (pid === undefined ? [] : (ids.get(pid) ?? []))));
    expect(marked.filter(({ serverId }) => !known.has(serverId))).toEqual([]);
  }

  expectWithinBudget(): void {
    const log = join(this.#claims, "over-budget.log");
    expect(existsSync(log) ? readFileSync(log, "utf8") : "").toBe("");
  }

  /** For a person who looks at a failure. */
  account(): string {
    const names = ["events.jsonl", "fleet.json", "journal.jsonl"];
    return names
      .map((name) => join(this.folder.stateDirectory, name))
      .filter(existsSync)
      .map((path) => `--- ${path}\n${readFileSync(path, "utf8")}`)
      .join("\n");
  }

  async remove(): Promise<void> {
    await this.folder.remove();
    this.#closeDriver();
  }
}
