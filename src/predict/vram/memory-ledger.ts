/**
 * What a server will take of a GPU's memory, and of the host's, before it is started: the lines of
 * its header and settings, of what else runs there, and of what was learnt on this machine.
 */
import type { ModelFacts } from "../gguf/model-facts.ts";
import { cacheLines, stateLines } from "./cache-lines.ts";
import { computeLines, outputLine } from "./compute-lines.ts";
import { plural } from "./format.ts";
import type { LaunchMemory } from "./launch-memory.ts";
import type { LedgerLine, MemoryLedger, Provenance } from "./ledger.ts";
import { ledgerOf } from "./ledger.ts";
import { offloadOf } from "./offload.ts";
import type { ExpectedResidual } from "./residual.ts";
import { weightLines } from "./weight-lines.ts";

/** Memory of the same GPU that somebody else holds. */
export interface CoTenant {
  readonly label: string;
  readonly bytes: number;
  readonly provenance: Provenance;
}

export interface Surroundings {
  /** Tensors of the mmproj file. */
  readonly projectorBytes?: number;
  /** Learnt on this machine; it contains the driver's context, so that no other estimate of it is added. */
  readonly residual?: ExpectedResidual;
  readonly coTenants?: readonly CoTenant[];
  /** Room that is to stay free. */
  readonly marginBytes?: number;
}

/**
 * CUDA's context, its kernels and the workspace of its matrix library. Between 150 and 500 MiB are
 * seen; no buffer line of a log contains it, so it is only ever learnt by measuring.
 */
const ASSUMED_OVERHEAD_BYTES = 300 * 1024 * 1024;

/** Pure, and well under a millisecond: a search may call it for every setting it tries. */
export function memoryLedger(
  facts: ModelFacts,
  launch: LaunchMemory,
  surroundings: Surroundings = {},
): MemoryLedger {
  const lines = [
    ...weightLines(facts, launch),
    ...cacheLines(facts, launch),
    ...stateLines(facts, launch),
    ...computeLines(facts, launch),
    outputLine(facts, launch),
    ...surroundingLines(facts, launch, surroundings),
  ];
  return ledgerOf(lines, [...facts.caveats, ...launchCaveats(facts, launch)]);
}

function surroundingLines(
  facts: ModelFacts,
  launch: LaunchMemory,
  { projectorBytes = 0, residual, coTenants = [], marginBytes = 0 }: Surroundings,
): LedgerLine[] {
  const { usesDevice } = offloadOf(facts, launch);
  const place = usesDevice ? "device" : "host";
  return [
    {
      item: "projector",
      label: "Projector (mmproj)",
      place,
      bytes: projectorBytes,
      provenance: "declared",
      formula: "sum over its tensor table; its compute buffer depends on the image and is not counted",
    },
    ...(usesDevice || residual !== undefined ? [overheadLine(residual, place)] : []),
    ...coTenants.map(
      (tenant): LedgerLine => ({
        item: "co-tenant",
        label: `Also there: ${tenant.label}`,
        place,
        bytes: tenant.bytes,
        provenance: tenant.provenance,
        formula: tenant.provenance === "measured" ? "as the driver reports it" : "as declared",
      }),
    ),
    {
      item: "margin",
      label: "Margin",
      place,
      bytes: marginBytes,
      provenance: "declared",
      formula: "room that is to stay free",
    },
  ];
}

function overheadLine(residual: ExpectedResidual | undefined, place: LedgerLine["place"]): LedgerLine {
  if (residual === undefined)
    return {
      item: "overhead",
      label: "Driver context and workspaces",
      place,
      bytes: ASSUMED_OVERHEAD_BYTES,
      provenance: "declared",
      formula: "assumed; between 150 and 500 MiB are seen. One measured start replaces it",
    };
  return {
    item: "residual",
    label: "Driver context, workspaces and what else was found on this machine",
    place,
    bytes: residual.bytes,
    provenance: "measured",
    formula: `mean of measured − predicted over ${plural(residual.observations, "start")}`,
  };
}

function launchCaveats(facts: ModelFacts, launch: LaunchMemory): string[] {
  const quantised = !["f32", "f16", "bf16"].includes(launch.kvTypeV);
  return [
    ...(quantised && !launch.flashAttention
      ? [`values of type ${launch.kvTypeV} need flash attention: llama-server refuses to start without it`]
      : []),
    ...(launch.contextTokens > facts.trainedContextTokens * launch.slots
      ? [`each slot has more context than the ${facts.trainedContextTokens} tokens the model was trained for`]
      : []),
  ];
}
