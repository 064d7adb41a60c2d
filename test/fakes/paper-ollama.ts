/** An Ollama on paper that somebody else keeps: a model that is asked to go serves what it has first. */
import type { Clock } from "../../src/core/clock.ts";
import { NS_PER_MS } from "../../src/core/units.ts";
import { unloadLimitMs } from "../../src/fleet/resident-model.ts";
import type { Preset } from "../../src/preset/preset.ts";

const LOOK_MS = 100;

export class PaperOllama {
  /** Presets whose models are in memory. */
  readonly loaded = new Set<string>();
  /** Those on which a request runs. */
  readonly busy = new Set<string>();
  readonly #leaving = new Set<string>();
  readonly #keys = new Map<string, object>();
  readonly #release: (holder: object) => void;

  constructor(release: (holder: object) => void) {
    this.#release = release;
  }

  /** What holds the memory of a preset's model. */
  load(name: string): object {
    this.#leaving.delete(name);
    this.loaded.add(name);
    const key = this.#keys.get(name) ?? {};
    this.#keys.set(name, key);
    return key;
  }

  endRequest(name: string): void {
    this.busy.delete(name);
    if (this.#leaving.has(name)) this.#drop(name);
  }

  /** Undefined once it has left, else why not. */
  async unload(preset: Preset, clock: Clock): Promise<string | undefined> {
    const { name } = preset;
    const untilNs = clock.nowNs() + unloadLimitMs(preset) * NS_PER_MS;
    this.#leaving.add(name);
    if (!this.busy.has(name)) this.#drop(name);
    while (this.loaded.has(name)) {
      if (clock.nowNs() >= untilNs) return "a request on it still runs";
      await clock.sleepUntil(clock.nowNs() + LOOK_MS * NS_PER_MS);
    }
    return undefined;
  }

  #drop(name: string): void {
    this.#leaving.delete(name);
    this.loaded.delete(name);
    const key = this.#keys.get(name);
    if (key !== undefined) this.#release(key);
  }
}
