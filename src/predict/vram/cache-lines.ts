/**
 * What a server keeps of the tokens it has seen: keys and values per token and layer, or a state
 * per slot and layer. Sources: llama.cpp, llama-kv-cache.cpp, llama-kv-cache-iswa.cpp,
 * llama-memory-recurrent.cpp.
 */
import { assert } from "../../core/assert.ts";
import { BYTES_PER_MIB } from "../../core/units.ts";
import type { KvType } from "../../preset/preset.ts";
import { elementsBytes, ggmlTypeNamed } from "../gguf/ggml-type.ts";
import type { LayerCache, ModelFacts } from "../gguf/model-facts.ts";
import { count, plural } from "./format.ts";
import type { LaunchMemory } from "./launch-memory.ts";
import { cacheGeometry, windowCells } from "./launch-memory.ts";
import type { LedgerLine, MemoryPlace } from "./ledger.ts";
import { offloadOf } from "./offload.ts";

/** Bytes of a row of so many elements in a cache type: whole blocks, q8_0 being 34 bytes per 32. */
export function kvRowBytes(type: KvType, elements: number): number {
  const ggml = ggmlTypeNamed(type);
  assert(ggml !== undefined, `the cache type ${type} has a size`);
  return elementsBytes(ggml, elements);
}

interface CacheGroup {
  readonly place: MemoryPlace;
  readonly layers: number;
  readonly keyElements: number;
  readonly valueElements: number;
  readonly windowed: boolean;
}

/** One line for all layers that are alike: same place, same widths, window or not. */
export function cacheLines(facts: ModelFacts, launch: LaunchMemory): LedgerLine[] {
  return groupsOf(facts, launch).map((group) => cacheLine(group, facts, launch));
}

function cacheLine(group: CacheGroup, facts: ModelFacts, launch: LaunchMemory): LedgerLine {
  const { streams, cellsPerStream } = cacheGeometry(launch);
  const cells = group.windowed ? windowCells(launch, facts.windowTokens ?? 0) : cellsPerStream;
  const cellBytes =
    kvRowBytes(launch.kvTypeK, group.keyElements) + kvRowBytes(launch.kvTypeV, group.valueElements);
  const bytes = group.layers * cells * streams * cellBytes;
  const values =
    group.valueElements === 0
      ? "no values, latent attention"
      : `${count(group.valueElements)} values ${launch.kvTypeV}`;
  const kind = group.windowed ? `a window of ${count(facts.windowTokens ?? 0)}` : "full context";
  return {
    item: "cache",
    label: `KV cache, ${plural(group.layers, "layer")} of ${kind}`,
    place: group.place,
    bytes,
    provenance: "declared",
    formula: [
      `${plural(group.layers, "layer")} × ${count(cells)} cells × ${plural(streams, "stream")}`,
      `× ${count(cellBytes)} B (${count(group.keyElements)} keys ${launch.kvTypeK}, ${values})`,
      `= ${(bytes / launch.slots / BYTES_PER_MIB).toFixed(2)} MiB for each of ${plural(launch.slots, "slot")}`,
    ].join(" "),
  };
}

function groupsOf(facts: ModelFacts, launch: LaunchMemory): readonly CacheGroup[] {
  const offload = offloadOf(facts, launch);
  const widestValue = Math.max(0, ...facts.layers.map((layer) => layer.cache?.valueElements ?? 0));
  const groups = new Map<string, CacheGroup>();
  for (const [layer, { cache }] of facts.layers.entries()) {
    if (cache === undefined) continue;
    const place = launch.cacheOnDevice ? offload.layerPlace(layer) : "host";
    const valueElements = valueWidth(cache, launch, widestValue);
    const key = `${place} ${cache.keyElements} ${valueElements} ${cache.windowed}`;
    const layers = (groups.get(key)?.layers ?? 0) + 1;
    groups.set(key, {
      place,
      layers,
      keyElements: cache.keyElements,
      valueElements,
      windowed: cache.windowed,
    });
  }
  return [...groups.values()];
}

/** Without flash attention values lie transposed, and every layer's as wide as the widest. */
function valueWidth(cache: LayerCache, launch: LaunchMemory, widest: number): number {
  return launch.flashAttention || cache.valueElements === 0 ? cache.valueElements : widest;
}

const STATE_ELEMENT_BYTES = 4;

/** Recurrent layers: a fixed state of 32-bit numbers for each slot, whatever the context. */
export function stateLines(facts: ModelFacts, launch: LaunchMemory): LedgerLine[] {
  const offload = offloadOf(facts, launch);
  const rows = launch.slots * (1 + launch.stateSnapshots);
  return (["device", "host"] as const).map((place) => {
    const states = facts.layers.flatMap(({ state }, layer) =>
      state !== undefined && (launch.cacheOnDevice ? offload.layerPlace(layer) : "host") === place
        ? [state]
        : [],
    );
    const elements = states.reduce((sum, state) => sum + state.convolutionElements + state.stateElements, 0);
    const [one] = states;
    return {
      item: "state",
      label: `Recurrent state, ${plural(states.length, "layer")}`,
      place,
      bytes: elements * STATE_ELEMENT_BYTES * rows,
      provenance: "declared",
      formula: [
        `${plural(states.length, "layer")} × ${plural(rows, "slot")} × 4 B`,
        `× (${count(one?.convolutionElements ?? 0)} convolution + ${count(one?.stateElements ?? 0)} state)`,
      ].join(" "),
    };
  });
}
