/**
 * Study 003 simulated: the nine workloads of one RTX 4090 with Gemma 4 26B A4B. Two constants are fitted
 * to the per-call rates of rows 01 and 03, which differ in the batch: how fast weights are read, and
 * what each sequence adds. Everything else stays as the prior has it.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { defined } from "../../core/assert.ts";
import { BYTES_PER_GIB, BYTES_PER_MIB, msToNs } from "../../core/units.ts";
import { readYamlFile } from "../../core/yaml.ts";
import type { CapacitySpikeInputs, WorkloadRow } from "../../analysis/studies/capacity-spike/inputs.ts";
import { capacitySpikeInputs } from "../../analysis/studies/capacity-spike/inputs.ts";
import type { SweepCell } from "../../experiment/sweep-cells.ts";
import { studyCells } from "../../experiment/sweep-cells.ts";
import { findGpu } from "../../hardware/gpu-catalogue.ts";
import { fitKernelsToRates } from "../../predict/calibrate/fit-rates.ts";
import type { KernelParameter } from "../../predict/calibrate/kernel-parameters.ts";
import { modelShapeOf } from "../../predict/gguf/model-shape-of.ts";
import type { ModelFacts } from "../../predict/gguf/model-facts.ts";
import { describedModel } from "../../predict/simulate/described-model.ts";
import { simulateWorkload } from "../../predict/simulate/simulate-workload.ts";
import type { KernelEfficiency } from "../../predict/step-time.ts";
import { LLAMA_CPP_KERNELS } from "../../predict/step-time.ts";
import { llamaServerMemory } from "../../predict/vram/launch-memory.ts";
import type { MemoryLedger } from "../../predict/vram/ledger.ts";
import { memoryLedger } from "../../predict/vram/memory-ledger.ts";
import type { ExpectedResidual } from "../../predict/vram/residual.ts";
import { expectedResidual, observationOf } from "../../predict/vram/residual.ts";
import { capacityStudySchema } from "../../workload/capacity-study.ts";
import { readRole } from "../../workload/read-roles.ts";
import { shippedStudy } from "../report/shipped-studies.ts";

/** Figures of one row in virtual time, tok/s. */
export interface SimulatedRates {
  readonly aggregateTokensPerS: number;
  readonly perCallTokensPerS: number;
}

export interface RowComparison {
  readonly row: WorkloadRow;
  readonly cell: SweepCell;
  /** Its rate is what the constants were fitted to. */
  readonly calibrated: boolean;
  /** As if everything lay on the card; of a row that is not resident it says nothing. */
  readonly resident: SimulatedRates;
  readonly residency: Residency;
  /** Fitted to all resident rows but this one. Absent for a row that is not resident. */
  readonly leftOut?: SimulatedRates;
}

export type Residency =
  | { readonly kind: "resident"; readonly freeBytes: number }
  | {
      readonly kind: "not-resident";
      readonly missingBytes: number;
      /** On the card when 1 GiB is left free, and of how many, the output counted as one. */
      readonly gpuLayers: number;
      readonly layers: number;
      readonly offloaded: SimulatedRates;
    };

export interface SpikeComparison {
  readonly rows: readonly RowComparison[];
  readonly kernels: KernelEfficiency;
  readonly leftOutConstants: readonly KernelParameter[];
}

const CALIBRATED_ON: readonly string[] = ["01", "03"];
const FITTED: readonly KernelParameter[] = ["weights", "sequenceNs"];
/** Row 06 has a prompt for every 43 tokens of answer, so that with it the cost of prompts can be told too. */
const FITTED_LEFT_OUT: readonly KernelParameter[] = ["weights", "sequenceNs", "compute"];

/** llama.cpp moves layers to the host until so much is left, and 1,077 and 971 MiB were left in the study. */
const FIT_MARGIN_BYTES = BYTES_PER_GIB;

const EXAMPLE = fileURLToPath(new URL("../../../examples/capacity/capacity-spike.yaml", import.meta.url));

export function capacitySpikeComparison(): SpikeComparison {
  const spike = new Spike();
  const rows = spike.inputs.workloads;
  const resident = rows.filter((row) => spike.missingBytes(row) <= 0);
  const kernels = spike.fit(
    rows.filter(({ id }) => CALIBRATED_ON.includes(id)),
    FITTED,
  );
  return {
    kernels,
    leftOutConstants: FITTED_LEFT_OUT,
    rows: rows.map((row): RowComparison => {
      const others = resident.filter((one) => one !== row);
      const isResident = resident.includes(row);
      return {
        row,
        cell: spike.cell(row),
        calibrated: CALIBRATED_ON.includes(row.id),
        resident: spike.rates(row, kernels),
        residency: spike.residency(row, kernels),
        ...(isResident ? { leftOut: spike.rates(row, spike.fit(others, FITTED_LEFT_OUT)) } : {}),
      };
    }),
  };
}

class Spike {
  readonly inputs: CapacitySpikeInputs = capacitySpikeInputs.parse(shippedStudy("capacity-spike").inputs);
  readonly #facts: ModelFacts = defined(describedModel("gemma4-26b-a4b-q4"), "the study's model");
  readonly #device = defined(findGpu("rtx-4090"), "the study's card");
  readonly #model = modelShapeOf(this.#facts, { kvTypeK: "q8_0", kvTypeV: "q8_0" });
  readonly #cells = studyCells(readYamlFile(capacityStudySchema, EXAMPLE), (role) =>
    readRole(role, resolve(EXAMPLE, "..")),
  );
  readonly #residual = this.#learntResidual();

  cell({ id }: WorkloadRow): SweepCell {
    return defined(
      this.#cells.find(({ name }) => name.startsWith(`${id}-`)),
      "the row's configuration",
    );
  }

  fit(rows: readonly WorkloadRow[], fitted: readonly KernelParameter[]): KernelEfficiency {
    const rates = rows.map((row) => ({
      tokensPerS: row.perCallTokS.value,
      simulate: (kernels: KernelEfficiency) => this.rates(row, kernels).perCallTokensPerS,
    }));
    const time = { model: this.#model, device: this.#device };
    return defined(fitKernelsToRates(rates, fitted, time, LLAMA_CPP_KERNELS), "constants that fit the rows");
  }

  /** Without noise: one run says it all. */
  rates(row: WorkloadRow, efficiency: KernelEfficiency, gpuLayers?: number): SimulatedRates {
    const { configuration, agents } = this.cell(row);
    const { durationS } = this.inputs;
    const total = { tokens: 0, callTokens: 0, callNs: 0 };
    const time = { model: this.#model, device: this.#device, efficiency };
    const { slots, contextTokensPerSlot: contextTokens } = configuration;
    const server = {
      time,
      mode: "continuous" as const,
      slots,
      batchTokens: 2048,
      defaults: { contextTokens, gpuLayers: gpuLayers ?? this.#facts.layers.length + 1 },
      loadNs: 0,
      jitter: 0,
      speed: 1,
      seed: 1,
    };
    const playing = agents.map((agent) => ({ ...agent, server: 0 }));
    const options = { servers: [server], agents: playing, durationNs: msToNs(1000 * durationS) };
    simulateWorkload(options, ({ outcome, outputTokens, submittedNs, endNs }) => {
      total.tokens += outputTokens;
      if (outcome !== "done") return;
      total.callTokens += outputTokens;
      total.callNs += endNs - submittedNs;
    });
    return {
      aggregateTokensPerS: total.tokens / durationS,
      perCallTokensPerS: (total.callTokens * 1e9) / total.callNs,
    };
  }

  missingBytes(row: WorkloadRow): number {
    return this.#ledger(row, "all").deviceBytes - this.#cardBytes;
  }

  residency(row: WorkloadRow, kernels: KernelEfficiency): Residency {
    const missingBytes = this.missingBytes(row);
    if (missingBytes <= 0) return { kind: "resident", freeBytes: -missingBytes };
    const layers = this.#facts.layers.length + 1;
    let gpuLayers = layers;
    while (gpuLayers > 0 && this.#ledger(row, gpuLayers).deviceBytes > this.#cardBytes - FIT_MARGIN_BYTES)
      gpuLayers--;
    return {
      kind: "not-resident",
      missingBytes,
      gpuLayers,
      layers,
      offloaded: this.rates(row, kernels, gpuLayers),
    };
  }

  get #cardBytes(): number {
    return this.inputs.cardMib * BYTES_PER_MIB;
  }

  #ledger(row: WorkloadRow, gpuLayers: "all" | number): MemoryLedger {
    return this.#ledgerOf(row.slots, row.slotCells, {
      vision: !row.textOnly,
      gpuLayers,
      residual: this.#residual,
    });
  }

  #learntResidual(): ExpectedResidual {
    const seen = this.inputs.ceiling.map(({ slots, slotCells, usedMib }) =>
      observationOf(
        this.#ledgerOf(slots, slotCells, { vision: true, gpuLayers: "all" }),
        usedMib * BYTES_PER_MIB,
      ),
    );
    return defined(expectedResidual(seen), "five starts that were measured");
  }

  #ledgerOf(
    slots: number,
    contextTokensPerSlot: number,
    extra: {
      readonly vision: boolean;
      readonly gpuLayers: "all" | number;
      readonly residual?: ExpectedResidual;
    },
  ): MemoryLedger {
    const { overheadGb, projectorGb } = this.inputs;
    const settings = { slots, contextTokensPerSlot, kvTypeK: "q8_0", kvTypeV: "q8_0" } as const;
    const launch = llamaServerMemory({ ...settings, gpuLayers: extra.gpuLayers }, this.#facts);
    const gib = (label: string, value: number) =>
      ({ label, bytes: value * BYTES_PER_GIB, provenance: "declared" }) as const;
    // The study's server is older than the one that makes room for one output per slot.
    return memoryLedger(
      this.#facts,
      { ...launch, outputs: "per-token" },
      {
        coTenants: [
          gib("embedding service", overheadGb.coTenant.value),
          gib("compositor", overheadGb.compositor.value),
        ],
        ...(extra.vision ? { projectorBytes: projectorGb.value * BYTES_PER_GIB } : {}),
        ...(extra.residual === undefined ? {} : { residual: extra.residual }),
      },
    );
  }
}
