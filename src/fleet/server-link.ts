/** What a client of one server works with. */
import type { Clock } from "../core/clock.ts";
import type { ControlClient } from "../engines/control.ts";
import type { Engine } from "../engines/engine.ts";
import type { Preset } from "../preset/preset.ts";

export interface ServerLink {
  readonly preset: Preset;
  readonly clock: Clock;
  readonly control: ControlClient;
  /** Absent where nothing can be asked of the server but its health. */
  readonly engine?: Engine;
}
