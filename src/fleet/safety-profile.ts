/**
 * The thresholds that keep a machine alive, each with its reason and the incident on record.
 * `study-003` are the safeguards of study 003 as they stood; `derived` scales them to the machine,
 * so that a small box is not refused for nothing. docs/fleet-safety.md has the table.
 */
import { BYTES_PER_GIB, BYTES_PER_MIB } from "../core/units.ts";
import type { MemoryReading } from "./memory.ts";

export const SAFETY_PROFILE_NAMES = ["derived", "study-003"] as const;
export type SafetyProfileName = (typeof SAFETY_PROFILE_NAMES)[number];

export interface SafetyProfile {
  readonly name: SafetyProfileName;
  readonly hostFloor: HostFloor;
  /** Left over beside what all incoming presets need together. */
  readonly poolMarginBytes: number;
  /** After the last server is ready there must still be this much, or the switch is put back. */
  readonly poolAfterBootBytes: number;
  readonly watchdog: WatchdogLimits;
}

/** Host memory that must be available before anything starts. */
export type HostFloor =
  | { readonly kind: "fixed"; readonly bytes: number }
  /** `share` of the model files, and a margin. */
  | { readonly kind: "from-model"; readonly share: number; readonly marginBytes: number };

export interface WatchdogLimits {
  readonly hostAvailableBytes: number;
  readonly poolFreeBytes: number;
  /** Below a limit without a break for this long before anything is done. */
  readonly sustainedMs: number;
  readonly pollMs: number;
}

export interface SafetyMachine {
  readonly hostTotalBytes: number;
  readonly pool: Pick<MemoryReading, "kind" | "totalBytes" | "budgetBytes">;
}

/**
 * CUDA keeps scratch space and fragments beside what a model is said to need. The predecessor's
 * margin at preflight, wake and release; with less, a start beside a server that had not yet given
 * its memory back froze the host (30,962 MiB projected, 714 MiB free: its record gpumod-277).
 */
const VRAM_MARGIN_BYTES = 512 * BYTES_PER_MIB;

/**
 * Weights mapped from a file fill the page cache on their way to the GPU. 0.9 is the third value on
 * record, after 1.1; it holds only with GGML_CUDA_NO_PINNED=1, which takes the pinned copy away.
 */
const MODEL_FILE_SHARE = 0.9;

/** What the server itself takes on the host: measured 421 MB for a small embedder, over 2 GB under vLLM. */
const HOST_MARGIN_BYTES = BYTES_PER_GIB;

/** A machine with less gives this part instead: a box of 4 GiB would never start anything beside 1 GiB. */
const HOST_MARGIN_PART = 8;

/**
 * Study 003 refused to boot below it. On its host of 30 GiB, 15 GiB available worked but froze the
 * editor for 55 s, and 12 GiB hung the host for 78 minutes until a hard reboot.
 */
const STUDY_HOST_FLOOR_BYTES = 13 * BYTES_PER_GIB;

/** Study 003 skipped a workload that left less after boot: one image costs about 200 MiB, a second another. */
const STUDY_AFTER_BOOT_BYTES = 400 * BYTES_PER_MIB;

/** Study 003's watchdog: servers that run have their memory, so less is left than before a boot; a host that swaps is lost. */
const STUDY_WATCHDOG_HOST_BYTES = 8 * BYTES_PER_GIB;

/** Study 003's watchdog: one image's worth. The next one fails inside the server, in the middle of an answer. */
const STUDY_WATCHDOG_VRAM_BYTES = 200 * BYTES_PER_MIB;

/** The card the study's figures stand for: an RTX 4090. */
const STUDY_CARD_BYTES = 24 * BYTES_PER_GIB;

/** The rule of the same project's bench: by hand, stop when the host has less. For a machine of 32 GiB or more. */
const DERIVED_WATCHDOG_HOST_BYTES = 2 * BYTES_PER_GIB;
const DERIVED_WATCHDOG_HOST_PART = 16;

/** A load's peak passes in seconds: study 003 held on for three polls and never fired in nine configurations. */
const WATCHDOG_SUSTAINED_MS = 15_000;
const WATCHDOG_POLL_MS = 5_000;

export const STUDY_003_PROFILE: SafetyProfile = {
  name: "study-003",
  hostFloor: { kind: "fixed", bytes: STUDY_HOST_FLOOR_BYTES },
  poolMarginBytes: VRAM_MARGIN_BYTES,
  poolAfterBootBytes: STUDY_AFTER_BOOT_BYTES,
  watchdog: {
    hostAvailableBytes: STUDY_WATCHDOG_HOST_BYTES,
    poolFreeBytes: STUDY_WATCHDOG_VRAM_BYTES,
    sustainedMs: WATCHDOG_SUSTAINED_MS,
    pollMs: WATCHDOG_POLL_MS,
  },
};

/**
 * The study's limits for this machine: those on GPU memory shrink in proportion below its 24 GiB
 * card and never grow; those on host memory follow the machine's own. Without GPUs there is no CUDA
 * scratch, so the margin of the pool shrinks as the host's does.
 */
export function derivedProfile({ hostTotalBytes, pool }: SafetyMachine): SafetyProfile {
  const poolBytes = Math.min(pool.totalBytes, pool.budgetBytes ?? pool.totalBytes);
  const ofCard = Math.min(1, poolBytes / STUDY_CARD_BYTES);
  return {
    name: "derived",
    hostFloor: {
      kind: "from-model",
      share: MODEL_FILE_SHARE,
      marginBytes: Math.min(HOST_MARGIN_BYTES, Math.floor(hostTotalBytes / HOST_MARGIN_PART)),
    },
    poolMarginBytes:
      pool.kind === "gpu"
        ? VRAM_MARGIN_BYTES
        : Math.min(VRAM_MARGIN_BYTES, Math.floor(poolBytes / HOST_MARGIN_PART)),
    poolAfterBootBytes: Math.floor(STUDY_AFTER_BOOT_BYTES * ofCard),
    watchdog: {
      hostAvailableBytes: Math.min(
        DERIVED_WATCHDOG_HOST_BYTES,
        Math.floor(hostTotalBytes / DERIVED_WATCHDOG_HOST_PART),
      ),
      poolFreeBytes: Math.floor(STUDY_WATCHDOG_VRAM_BYTES * ofCard),
      sustainedMs: WATCHDOG_SUSTAINED_MS,
      pollMs: WATCHDOG_POLL_MS,
    },
  };
}

export function safetyProfile(name: SafetyProfileName, machine: SafetyMachine): SafetyProfile {
  switch (name) {
    case "study-003":
      return STUDY_003_PROFILE;
    case "derived":
      return derivedProfile(machine);
  }
}

/** Host memory that must be available before models of this size together are started. */
export function hostFloorBytes(floor: HostFloor, modelFileBytes: number): number {
  return floor.kind === "fixed" ? floor.bytes : Math.ceil(floor.share * modelFileBytes) + floor.marginBytes;
}
