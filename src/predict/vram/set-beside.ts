/** A ledger beside what the server's log says: where they differ, and whether the model lies whole on the GPU. */
import { BYTES_PER_MIB } from "../../core/units.ts";
import type { ModelFacts } from "../gguf/model-facts.ts";
import type { LedgerItem, LedgerLine, MemoryLedger, MemoryPlace } from "./ledger.ts";
import { ledgerOf } from "./ledger.ts";
import type { LoggedItem, ServerMemoryLog } from "./llama-log.ts";
import { isUnknowable, knownBytes } from "./residual.ts";

export interface ComparedItem {
  readonly item: LoggedItem;
  readonly place: MemoryPlace;
  readonly predictedBytes: number;
  readonly parsedBytes: number;
  /** Parsed less predicted. */
  readonly differenceBytes: number;
}

const COMPARED: readonly LoggedItem[] = ["weights", "projector", "cache", "state", "compute", "output"];
const PLACES: readonly MemoryPlace[] = ["device", "host"];

/** One row per item and place that either side has. */
export function setBeside(ledger: MemoryLedger, log: ServerMemoryLog): readonly ComparedItem[] {
  return COMPARED.flatMap((item) =>
    PLACES.flatMap((place) => {
      const predictedBytes = sum(ledger.lines, item, place);
      const parsedBytes = sum(log.buffers, item, place);
      return predictedBytes === 0 && parsedBytes === 0
        ? []
        : [{ item, place, predictedBytes, parsedBytes, differenceBytes: parsedBytes - predictedBytes }];
    }),
  );
}

/** The ledger with each item that the log speaks of taken from the log; the rest stays predicted. */
export function withParsed(ledger: MemoryLedger, log: ServerMemoryLog): MemoryLedger {
  const spoken = new Set<LedgerItem>(log.buffers.map((buffer) => buffer.item));
  const parsed: LedgerLine[] = log.buffers.map((buffer) => ({
    item: buffer.item,
    label: LABELS[buffer.item],
    place: buffer.place,
    bytes: buffer.bytes,
    provenance: "parsed",
    formula: `${buffer.device || "projector"} in the server's log`,
  }));
  const kept = ledger.lines.filter((line) => !spoken.has(line.item));
  return ledgerOf([...parsed, ...kept], ledger.caveats);
}

/**
 * The ledger with a last line that makes its total what was measured. Estimates of
 * the overhead and the margin fall away: the measured figure contains the one, and the other is a
 * wish. The line may be negative.
 */
export function withMeasured(
  ledger: MemoryLedger,
  measuredBytes: number,
  place: MemoryPlace = "device",
): MemoryLedger {
  const known = ledger.lines.filter((line) => !isUnknowable(line));
  const residual: LedgerLine = {
    item: "residual",
    label: "Measured, and in no line above",
    place,
    bytes: measuredBytes - knownBytes(ledger, place),
    provenance: "measured",
    formula: "memory in use less the lines above: driver context, pools, others",
  };
  return ledgerOf([...known, residual], ledger.caveats);
}

const LABELS: Readonly<Record<LoggedItem, string>> = {
  weights: "Weights",
  projector: "Projector (mmproj)",
  cache: "KV cache",
  state: "Recurrent state",
  compute: "Compute buffer",
  output: "Output buffer",
};

// ---- residency -------------------------------------------------------------------------------

export type Residency =
  | { readonly kind: "resident" }
  /** Part of what every token reads lies in host memory: such a server is many times slower, and not comparable. */
  | { readonly kind: "not-resident"; readonly reason: string; readonly hostBytes: number }
  /** The server uses no GPU at all. */
  | { readonly kind: "host-only" }
  | { readonly kind: "unknown"; readonly reason: string };

/** Host memory beyond the input embedding that is no sign of anything: rounding, small biases. */
const TOLERATED_HOST_BYTES = 16 * BYTES_PER_MIB;

/** `facts`, where known, tell the input embedding, which always stays on the host, from layers that were moved there. */
export function residencyOf(log: ServerMemoryLog, facts?: ModelFacts): Residency {
  const hostWeights = sum(log.buffers, "weights", "host");
  const hostCache = sum(log.buffers, "cache", "host") + sum(log.buffers, "state", "host");
  const anyOnDevice = log.buffers.some((buffer) => buffer.place === "device" && buffer.item !== "projector");
  if (log.buffers.length === 0)
    return { kind: "unknown", reason: "the log has no buffer lines: start llama-server with --verbosity 4" };
  const { offloaded } = log;
  if (!anyOnDevice && (offloaded === undefined || offloaded.layers === 0)) return { kind: "host-only" };
  const moved = (reason: string): Residency => ({
    kind: "not-resident",
    reason,
    hostBytes: hostWeights + hostCache,
  });
  if (offloaded !== undefined && offloaded.layers < offloaded.of)
    return moved(`${offloaded.layers} of ${offloaded.of} layers are on the GPU`);
  if (log.overriddenTensors > 0) return moved(`${log.overriddenTensors} tensors were sent to host memory`);
  if (hostCache > 0) return moved("the cache lies in host memory");
  if (facts !== undefined && hostWeights > facts.weights.inputBytes + TOLERATED_HOST_BYTES)
    return moved("more weights lie in host memory than the input embedding");
  if (offloaded === undefined)
    return { kind: "unknown", reason: "the log does not say how many layers were offloaded" };
  return { kind: "resident" };
}

function sum(
  lines: readonly { readonly item: string; readonly place: MemoryPlace; readonly bytes: number }[],
  item: string,
  place: MemoryPlace,
): number {
  return lines.reduce(
    (total, line) => (line.item === item && line.place === place ? total + line.bytes : total),
    0,
  );
}
