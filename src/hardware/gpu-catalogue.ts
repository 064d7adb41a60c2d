/**
 * Graphics cards by name: the three figures a roofline needs, from their makers' data sheets.
 * `computeFlopPerS` is the dense tensor rate for 16-bit inputs with 32-bit accumulation, the mode
 * inference kernels run in; data sheets that print the sparse rate were halved.
 */
import { BYTES_PER_GIB } from "../core/units.ts";

export interface GpuSpec {
  /** As `--gpu` takes it. */
  readonly id: string;
  /** As nvidia-smi prints it. */
  readonly name: string;
  readonly memoryBytes: number;
  /** Peak of the card's own memory, bytes per second. */
  readonly bandwidthBytesPerS: number;
  readonly computeFlopPerS: number;
  readonly source: string;
}

const GB_PER_S = 1e9;
const TFLOP_PER_S = 1e12;

export const GPU_CATALOGUE: readonly GpuSpec[] = [
  {
    id: "rtx-3060",
    name: "NVIDIA GeForce RTX 3060",
    memoryBytes: 12 * BYTES_PER_GIB,
    bandwidthBytesPerS: 360 * GB_PER_S,
    computeFlopPerS: 25.5 * TFLOP_PER_S,
    source: "192-bit GDDR6 at 15 Gbit/s; 28 SM × 512 FLOP × 1.777 GHz",
  },
  {
    id: "rtx-3090",
    name: "NVIDIA GeForce RTX 3090",
    memoryBytes: 24 * BYTES_PER_GIB,
    bandwidthBytesPerS: 936.2 * GB_PER_S,
    computeFlopPerS: 71 * TFLOP_PER_S,
    source: "NVIDIA Ampere GA102 whitepaper: 384-bit GDDR6X at 19.5 Gbit/s; 71 TFLOPS",
  },
  {
    id: "rtx-4080-laptop",
    name: "NVIDIA GeForce RTX 4080 Laptop GPU",
    memoryBytes: 12 * BYTES_PER_GIB,
    bandwidthBytesPerS: 432 * GB_PER_S,
    computeFlopPerS: 67.7 * TFLOP_PER_S,
    source: "192-bit GDDR6 at 18 Gbit/s; 58 SM × 512 FLOP × 2.28 GHz, the highest boost a maker may set",
  },
  {
    id: "rtx-4080",
    name: "NVIDIA GeForce RTX 4080",
    memoryBytes: 16 * BYTES_PER_GIB,
    bandwidthBytesPerS: 716.8 * GB_PER_S,
    computeFlopPerS: 97.5 * TFLOP_PER_S,
    source: "256-bit GDDR6X at 22.4 Gbit/s; 76 SM × 512 FLOP × 2.505 GHz",
  },
  {
    id: "rtx-4090",
    name: "NVIDIA GeForce RTX 4090",
    memoryBytes: 24 * BYTES_PER_GIB,
    bandwidthBytesPerS: 1008 * GB_PER_S,
    computeFlopPerS: 165.2 * TFLOP_PER_S,
    source: "NVIDIA Ada GPU architecture whitepaper: 384-bit GDDR6X at 21 Gbit/s; 165.2 TFLOPS",
  },
  {
    id: "t4",
    name: "Tesla T4",
    memoryBytes: 16 * BYTES_PER_GIB,
    bandwidthBytesPerS: 320 * GB_PER_S,
    computeFlopPerS: 65 * TFLOP_PER_S,
    source: "NVIDIA T4 data sheet",
  },
  {
    id: "l4",
    name: "NVIDIA L4",
    memoryBytes: 24 * BYTES_PER_GIB,
    bandwidthBytesPerS: 300 * GB_PER_S,
    computeFlopPerS: 121 * TFLOP_PER_S,
    source: "NVIDIA L4 data sheet, 242 TFLOPS sparse",
  },
  {
    id: "l40s",
    name: "NVIDIA L40S",
    memoryBytes: 48 * BYTES_PER_GIB,
    bandwidthBytesPerS: 864 * GB_PER_S,
    computeFlopPerS: 362 * TFLOP_PER_S,
    source: "NVIDIA L40S data sheet",
  },
  {
    id: "a100-40gb",
    name: "NVIDIA A100-SXM4-40GB",
    memoryBytes: 40 * BYTES_PER_GIB,
    bandwidthBytesPerS: 1555 * GB_PER_S,
    computeFlopPerS: 312 * TFLOP_PER_S,
    source: "NVIDIA A100 data sheet",
  },
  {
    id: "a100-80gb",
    name: "NVIDIA A100-SXM4-80GB",
    memoryBytes: 80 * BYTES_PER_GIB,
    bandwidthBytesPerS: 2039 * GB_PER_S,
    computeFlopPerS: 312 * TFLOP_PER_S,
    source: "NVIDIA A100 data sheet",
  },
  {
    id: "h100-sxm",
    name: "NVIDIA H100 80GB HBM3",
    memoryBytes: 80 * BYTES_PER_GIB,
    bandwidthBytesPerS: 3350 * GB_PER_S,
    computeFlopPerS: 989.5 * TFLOP_PER_S,
    source: "NVIDIA H100 data sheet, 1,979 TFLOPS sparse",
  },
  {
    id: "h200-sxm",
    name: "NVIDIA H200",
    memoryBytes: 141e9,
    bandwidthBytesPerS: 4800 * GB_PER_S,
    computeFlopPerS: 989.5 * TFLOP_PER_S,
    source: "NVIDIA H200 data sheet, 1,979 TFLOPS sparse",
  },
];

/** By id or by the name nvidia-smi prints, in any case; undefined when it is not in the catalogue. */
export function findGpu(name: string): GpuSpec | undefined {
  const wanted = name.trim().toLowerCase();
  return GPU_CATALOGUE.find((gpu) => gpu.id === wanted || gpu.name.toLowerCase() === wanted);
}
