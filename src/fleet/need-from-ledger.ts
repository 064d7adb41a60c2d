/**
 * What a preset takes where nobody declared it: the memory ledger of its model's header, with what
 * starts on this machine have taught. Headers are read once for each state of a file.
 */
import { statSync } from "node:fs";
import { OperatorError } from "../core/errors.ts";
import type { ServerModel } from "../predict/vram/preset-ledger.ts";
import { poolBytes, presetLedger, readServerModel } from "../predict/vram/preset-ledger.ts";
import { expectedResidual } from "../predict/vram/residual.ts";
import type { LlamaServerPreset, Preset } from "../preset/preset.ts";
import type { NeedBytes } from "./alternatives.ts";
import { proposeAlternatives } from "./alternatives.ts";
import { readMemoryBook } from "./memory-book.ts";
import type { MemoryNeed } from "./memory-need.ts";
import { declaredNeed } from "./memory-need.ts";
import type { MemoryReading } from "./memory.ts";
import type { Propose } from "./supervisor-state.ts";

/** Facts of a header take some kilobytes; more presets than this are not kept in mind. */
const MOST_MODELS = 64;

export interface LedgerNeeds {
  /** The declared figure, which is its operator's own, else the ledger's. */
  needOf(preset: Preset, reading: MemoryReading): MemoryNeed | undefined;
  /** By the ledger alone, so that a preset and a changed one are held against each other fairly. */
  needBytes(preset: Preset, kind: MemoryReading["kind"]): number | undefined;
}

export function ledgerNeeds(stateDirectory: string): LedgerNeeds {
  const models = new KnownModels();
  const needBytes: LedgerNeeds["needBytes"] = (preset, kind) => {
    if (preset.engine !== "llama-server" || !isFixed(preset, kind)) return undefined;
    const model = models.of(preset);
    if (model === undefined) return undefined;
    const residual = expectedResidual(readMemoryBook(stateDirectory, kind));
    const ledger = presetLedger(preset, model, kind, residual === undefined ? {} : { residual });
    return Math.max(0, Math.round(poolBytes(ledger, kind)));
  };
  return {
    needBytes,
    needOf(preset, reading) {
      const declared = declaredNeed(preset, reading);
      if (declared !== undefined) return declared;
      const bytes = needBytes(preset, reading.kind);
      return bytes === undefined ? undefined : { bytes, source: "parsed" };
    },
  };
}

/** Alternatives by the ledger, and for presets that have none by `otherwise`. */
export function proposeFromLedger(
  needs: LedgerNeeds,
  otherwise: (question: Parameters<Propose>[0]) => NeedBytes,
): Propose {
  return (question) => {
    const declared = otherwise(question);
    const needBytes: NeedBytes = (preset) => needs.needBytes(preset, question.kind) ?? declared(preset);
    return proposeAlternatives({ ...question, needBytes });
  };
}

/**
 * A server that is left to choose its own context, or how many layers go to the GPU, makes itself
 * fit: its need is what there is, and no figure refuses it.
 */
function isFixed(
  { contextTokensPerSlot, gpuLayers }: LlamaServerPreset,
  kind: MemoryReading["kind"],
): boolean {
  return (
    contextTokensPerSlot !== undefined &&
    (kind === "host" || typeof gpuLayers === "number" || gpuLayers === "all")
  );
}

class KnownModels {
  readonly #models = new Map<string, ServerModel | undefined>();

  /** Undefined for a file that cannot be read: preflight says why. */
  of(preset: LlamaServerPreset): ServerModel | undefined {
    const key = [preset.model, preset.mmproj ?? ""].map(stampOf).join("\n");
    if (!this.#models.has(key)) {
      if (this.#models.size >= MOST_MODELS) this.#models.clear();
      this.#models.set(key, read(preset));
    }
    return this.#models.get(key);
  }
}

function read(preset: LlamaServerPreset): ServerModel | undefined {
  try {
    return readServerModel(preset);
  } catch (thrown) {
    if (thrown instanceof OperatorError) return undefined;
    throw thrown;
  }
}

function stampOf(path: string): string {
  try {
    const { size, mtimeMs } = statSync(path);
    return `${path} ${size} ${mtimeMs}`;
  } catch {
    return path;
  }
}
