/** Tells whether a running server is still what its preset says. */
import { specHash } from "../core/ids.ts";
import type { Preset } from "./preset.ts";

/**
 * Equal for presets that start the same server. What only the supervisor reads is left out, so
 * that a new priority or limit holds at once and costs no restart. A model file that was replaced
 * under the same name is not seen.
 */
export function presetHash(preset: Preset): string {
  const {
    description: _description,
    memory: _memory,
    startLimitMs: _startLimitMs,
    drainLimitMs: _drainLimitMs,
    stopGraceMs: _stopGraceMs,
    priority: _priority,
    dependsOn: _dependsOn,
    ...ofTheServer
  } = preset;
  return specHash(ofTheServer);
}
