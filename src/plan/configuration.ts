/** What a search varies: the fields of a preset that decide how many agents a server takes. */
import type { LlamaServerPreset } from "../preset/preset.ts";

/** Field by field a preset's own, so that it can be spread into one. */
export type Configuration = Pick<LlamaServerPreset, "slots" | "kvTypeK" | "kvTypeV" | "unifiedKv"> & {
  readonly contextTokensPerSlot: number;
};

export function configurationKey(configuration: Configuration): string {
  const { slots, contextTokensPerSlot, kvTypeK, kvTypeV, unifiedKv } = configuration;
  return JSON.stringify([slots, contextTokensPerSlot, kvTypeK ?? "", kvTypeV ?? "", unifiedKv ?? ""]);
}

export function describeConfiguration({ slots, contextTokensPerSlot }: Configuration): string {
  const count = slots === 1 ? "1 slot" : `${slots} slots`;
  return `${count} of ${contextTokensPerSlot.toLocaleString("en-US")} tokens`;
}
