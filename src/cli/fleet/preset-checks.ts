/** What can be known of presets before anything is started, by the same checks as before a switch. */
import type { Check } from "../../fleet/check.ts";
import { declaredNeed } from "../../fleet/memory-need.ts";
import type { MemorySources } from "../../fleet/memory-reader.ts";
import { readMemory } from "../../fleet/memory-reader.ts";
import { preflight } from "../../fleet/preflight.ts";
import type { PreflightProbes } from "../../fleet/preflight/probes.ts";
import { derivedProfile } from "../../fleet/safety-profile.ts";
import type { Preset } from "../../preset/preset.ts";

export interface CheckedMachine {
  readonly memory: MemorySources;
  readonly probes: PreflightProbes;
  readonly stateDirectory: string;
}

/** As if all of them were to start beside what runs now; what a supervisor would stop for them stays. */
export async function checkPresets(
  presets: readonly Preset[],
  machine: CheckedMachine,
): Promise<readonly Check[]> {
  const { memory, probes, stateDirectory } = machine;
  const { reading } = await readMemory(memory, { serverPids: [] });
  const profile = derivedProfile({ hostTotalBytes: memory.host().totalBytes, pool: reading });
  const needOf = (preset: Preset) => declaredNeed(preset, reading);
  return preflight({ incoming: presets, outgoing: [], stateDirectory, reading, profile, needOf }, probes);
}
