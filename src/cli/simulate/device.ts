/** What the model is to run on: a card by name, the one in this machine, or one described by its figures. */
import { OperatorError } from "../../core/errors.ts";
import { BYTES_PER_GIB, BYTES_PER_MIB } from "../../core/units.ts";
import { GPU_CATALOGUE, findGpu } from "../../hardware/gpu-catalogue.ts";
import { queryGpus } from "../../hardware/gpu-query.ts";
import type { DeviceShape } from "../../predict/step-time.ts";
import type { CoTenant } from "../../predict/vram/memory-ledger.ts";
import type { CliIo } from "../io.ts";
import type { RawSimulateFlags } from "./flags.ts";
import { flagError, numberFrom } from "./flags.ts";

export interface SimulatedDevice {
  readonly device: DeviceShape;
  readonly origin: "named" | "detected" | "described";
  readonly coTenants: readonly CoTenant[];
}

/**
 * A card that is described without its rate of multiplying: as many operations for each byte as an
 * RTX 4090. It decides prompts; decoding waits for the memory.
 */
const ASSUMED_FLOP_PER_BYTE = 164;

/** Throws FLAG_INVALID, and GPU_UNKNOWN where no card is named and this machine has none that is known. */
export async function deviceOf(flags: RawSimulateFlags, io: CliIo): Promise<SimulatedDevice> {
  const besideMib = numberFrom("--beside-mib", flags.besideMib, "zero") ?? 0;
  const beside: CoTenant = {
    label: "as --beside-mib says",
    bytes: besideMib * BYTES_PER_MIB,
    provenance: "declared",
  };
  if (flags.gpu !== undefined) {
    const spec = findGpu(flags.gpu);
    if (spec === undefined) throw flagError("--gpu", flags.gpu, `is one of ${knownCards()}`);
    return { device: withGiven(spec, flags), origin: "named", coTenants: [beside] };
  }
  const described = describedDevice(flags);
  if (described !== undefined) return { device: described, origin: "described", coTenants: [beside] };
  return detected(flags, io, beside);
}

function describedDevice(flags: RawSimulateFlags): DeviceShape | undefined {
  if (flags.bandwidthGbS === undefined || flags.memoryGib === undefined) return undefined;
  const nothing = { name: "a card as described", memoryBytes: 0, bandwidthBytesPerS: 0, computeFlopPerS: 0 };
  const device = withGiven(nothing, flags);
  return flags.computeTflops === undefined
    ? { ...device, computeFlopPerS: ASSUMED_FLOP_PER_BYTE * device.bandwidthBytesPerS }
    : device;
}

/** Figures that were given take the place of the catalogue's. */
function withGiven(device: DeviceShape, flags: RawSimulateFlags): DeviceShape {
  const bandwidthGbS = numberFrom("--bandwidth-gb-s", flags.bandwidthGbS, "positive");
  const memoryGib = numberFrom("--memory-gib", flags.memoryGib, "positive");
  const computeTflops = numberFrom("--compute-tflops", flags.computeTflops, "positive");
  return {
    name: device.name,
    memoryBytes: memoryGib === undefined ? device.memoryBytes : memoryGib * BYTES_PER_GIB,
    bandwidthBytesPerS: bandwidthGbS === undefined ? device.bandwidthBytesPerS : bandwidthGbS * 1e9,
    computeFlopPerS: computeTflops === undefined ? device.computeFlopPerS : computeTflops * 1e12,
  };
}

async function detected(flags: RawSimulateFlags, io: CliIo, beside: CoTenant): Promise<SimulatedDevice> {
  const query = await queryGpus({ clock: io.clock });
  const [card] = query.kind === "found" ? query.gpus : [];
  const spec = card === undefined ? undefined : findGpu(card.name);
  if (card === undefined || spec === undefined)
    throw new OperatorError("GPU_UNKNOWN", {
      message:
        card === undefined
          ? "this machine has no GPU that could be asked, and none was named"
          : "the bandwidth of this machine's GPU is not known",
      received: card?.name ?? (query.kind === "found" ? "nvidia-smi lists no card" : query.reason),
      nextStep: `name one with --gpu (${knownCards()}), or describe it with --bandwidth-gb-s and --memory-gib`,
    });
  const measured = { ...spec, memoryBytes: card.memoryTotalBytes ?? spec.memoryBytes };
  const used: CoTenant = {
    label: "in use now, by whatever runs",
    bytes: card.memoryUsedBytes ?? 0,
    provenance: "measured",
  };
  return { device: withGiven(measured, flags), origin: "detected", coTenants: [used, beside] };
}

function knownCards(): string {
  return GPU_CATALOGUE.map(({ id }) => id).join(", ");
}
