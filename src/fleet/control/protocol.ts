/**
 * What is said over the supervisor's socket: one JSON document a line, each way. The first line of
 * a connection is the request; the answer is a row of progress lines and one closing line.
 */
import { z } from "zod";
import { presetSchema } from "../../preset/preset.ts";

/** Raised when an old client could misread an answer; both sides name theirs, and a mismatch is a clear error. */
export const PROTOCOL_VERSION = 1;

/** What is measured and what stands beside it: a card holds a few models. */
const MAX_LENT_PRESETS = 16;

const name = z.string().min(1).max(60);

export const controlRequestSchema = z.discriminatedUnion("do", [
  z.strictObject({ version: z.int(), do: z.literal("status") }),
  z.strictObject({ version: z.int(), do: z.literal("plan"), mode: name }),
  z.strictObject({ version: z.int(), do: z.literal("switch"), mode: name }),
  z.strictObject({ version: z.int(), do: z.literal("start"), preset: name }),
  z.strictObject({ version: z.int(), do: z.literal("stop"), preset: name }),
  /** Ends the supervisor. Servers that are kept run on without one, and the next supervisor takes them over. */
  z.strictObject({
    version: z.int(),
    do: z.literal("shutdown"),
    servers: z.enum(["stop", "keep"]),
    /** Cuts running requests off, also those that an earlier shutdown waits for. */
    now: z.literal(true).optional(),
  }),
  /** Asks to be let in at a preset; refused while it drains. The connection is the lease: closing it ends it. */
  z.strictObject({ version: z.int(), do: z.literal("lease"), preset: name }),
  /** Asks for the machine, to measure on. The connection is the loan: troubles come over it, and closing it gives back. */
  z.strictObject({ version: z.int(), do: z.literal("borrow"), label: z.string().min(1).max(120) }),
  /** Makes exactly these run while the loan lasts. Closing this connection calls that off. */
  z.strictObject({
    version: z.int(),
    do: z.literal("use"),
    loan: z.string().min(1).max(60),
    presets: z.array(presetSchema).max(MAX_LENT_PRESETS),
  }),
  z.strictObject({ version: z.int(), do: z.literal("give-back"), loan: z.string().min(1).max(60) }),
]);

export type ControlRequest = z.output<typeof controlRequestSchema>;

export type PresetState =
  | "stopped"
  | "starting"
  | "ready"
  | "draining"
  | "asleep"
  | "stopping"
  /** Health failed too often; a restart is under way or waits for its time. */
  | "restarting"
  /** Restarted too often, or stuck; nothing is done until somebody asks. */
  | "failed";

export interface PresetStatus {
  readonly preset: string;
  readonly engine: string;
  readonly model?: string;
  readonly state: PresetState;
  readonly url?: string;
  readonly pid?: number;
  /** Why it is in this state, when that is not by wish. */
  readonly reason?: string;
  readonly slots?: number;
  readonly busySlots?: number;
  readonly tokensPerSecond?: number;
  readonly declaredBytes?: number;
  /** What its processes hold now, where the driver tells. */
  readonly usedBytes?: number;
  readonly restarts: number;
  readonly upSinceIso?: string;
}

export interface FleetStatus {
  readonly supervisorPid: number;
  readonly stateDirectory: string;
  readonly mode?: string;
  /** What the mode lists, whether it runs or not; absent without a mode, or when its file cannot be read. */
  readonly modePresets?: readonly string[];
  /** Somebody measures on this machine: nothing else changes until it is given back. */
  readonly lentTo?: string;
  /** A switch under way, and its step. */
  readonly switching?: { readonly to: string; readonly step: string };
  readonly memory: {
    readonly kind: "gpu" | "host";
    readonly totalBytes: number;
    readonly freeBytes: number;
    readonly foreignBytes?: number;
    /** The watchdog has stepped in, and the pressure is not over. */
    readonly short?: true;
  };
  readonly presets: readonly PresetStatus[];
  readonly warnings: readonly string[];
}

/** What a switch would do, and did. */
export interface SwitchPlan {
  readonly from?: string;
  readonly to: string;
  readonly keep: readonly string[];
  readonly stop: readonly PlannedStop[];
  readonly start: readonly PlannedStart[];
  readonly memory: {
    readonly kind: "gpu" | "host";
    readonly totalBytes: number;
    readonly freeBeforeBytes: number;
    /** While both the old are gone and the new not yet there. */
    readonly freeDuringBytes: number;
    /** Of it, what presets that stay are known to need and do not hold yet; absent when nothing. */
    readonly promisedBytes?: number;
    readonly freeAfterBytes?: number;
    readonly marginBytes: number;
  };
  readonly checks: readonly import("../check.ts").Check[];
  readonly fits: boolean;
  /** When it does not fit: what would, least loss first. */
  readonly alternatives: readonly Alternative[];
}

export interface PlannedStop {
  readonly preset: string;
  readonly how: "stop" | "sleep";
  readonly freesBytes?: number;
}

export interface PlannedStart {
  readonly preset: string;
  readonly how: "start" | "wake";
  readonly needsBytes?: number;
  readonly after: readonly string[];
}

export interface Alternative {
  readonly kind: "sleep" | "fewer-slots" | "smaller-context" | "smaller-kv-type" | "leave-out";
  readonly preset: string;
  /** A sentence with the numbers: what changes, what it frees, what is lost. */
  readonly sentence: string;
  readonly savesBytes: number;
  readonly fits: boolean;
  /** The preset's fields to change, ready to be written. */
  readonly change: Readonly<Record<string, string | number>>;
}

export interface SwitchReport {
  readonly outcome: "committed" | "rolled-back" | "already-there";
  readonly mode?: string;
  /** Where and why it failed, when it was rolled back. */
  readonly failure?: {
    readonly step: string;
    readonly preset?: string;
    readonly code: string;
    readonly message: string;
    readonly nextStep: string;
    readonly logTail: readonly string[];
  };
  /** What ran before and could not be put back, each with its own cause; absent when all could. */
  readonly notPutBack?: readonly NonNullable<SwitchReport["failure"]>[];
  /** What runs now. */
  readonly runs: readonly string[];
  readonly steps: readonly { readonly step: string; readonly preset?: string; readonly tookMs: number }[];
  /** The whole, from the first step to the last; more than the sum of the steps. */
  readonly tookMs: number;
  /** Of it, everything but the engines' own stops and starts. */
  readonly overheadMs: number;
}

/** What the closing line of each request carries. */
export interface ControlResults {
  readonly status: FleetStatus;
  readonly plan: SwitchPlan;
  readonly switch: SwitchReport;
  readonly start: SwitchReport;
  readonly stop: SwitchReport;
  readonly shutdown: null;
  /** The connection stays open: it is the lease. */
  readonly lease: { readonly lease: string };
  /** As a lease; each trouble is a line of progress. */
  readonly borrow: { readonly loan: string };
  readonly use: SwitchReport;
  readonly "give-back": SwitchReport;
}

export type ControlResult = ControlResults[keyof ControlResults];

/** One step of what is under way, told while it happens; over a loan's connection, a kind of trouble. */
export interface ControlProgress {
  readonly step: string;
  readonly preset?: string;
  readonly message: string;
}

export type ControlAnswer =
  | ({ readonly kind: "progress" } & ControlProgress)
  | { readonly kind: "done"; readonly result: ControlResult }
  | ({ readonly kind: "error" } & ControlError);

/** An operator error on its way through the socket. */
export interface ControlError {
  readonly code: string;
  readonly message: string;
  readonly received?: string;
  readonly nextStep: string;
}
