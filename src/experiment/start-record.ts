/** What came of one start of a server, as a line of the run's events. */
import { z } from "zod";
import { KV_TYPES } from "../preset/preset.ts";

const bytes = z.number();

const configurationSchema = z.object({
  slots: z.int(),
  contextTokensPerSlot: z.int(),
  kvTypeK: z.enum(KV_TYPES).optional(),
  kvTypeV: z.enum(KV_TYPES).optional(),
});

const outcomeSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("fits") }),
  /** By the ledger: it was never started. */
  z.object({ kind: z.literal("excluded"), reason: z.string() }),
  z.object({ kind: z.literal("refused"), reason: z.string() }),
  z.object({ kind: z.literal("did-not-start"), code: z.string(), reason: z.string() }),
  /** Part of what every token reads lies in host memory: its speed says nothing of one that fits. */
  z.object({ kind: z.literal("not-resident"), reason: z.string() }),
  /** It runs, and leaves less free than the floor. */
  z.object({ kind: z.literal("too-tight"), reason: z.string() }),
]);

const comparedSchema = z.object({
  item: z.string(),
  place: z.enum(["device", "host"]),
  predictedBytes: bytes,
  parsedBytes: bytes,
});

export const startRecordSchema = z.object({
  cell: z.string(),
  preset: z.string(),
  configuration: configurationSchema,
  outcome: outcomeSchema,
  pool: z.enum(["gpu", "host"]),
  /** The ledger's total for the pool, with what was learnt by then. */
  predictedBytes: bytes,
  /** What the server's processes held at rest; where nobody tells, what came to be missing from the pool. */
  usedBytes: bytes.optional(),
  usedFrom: z.enum(["processes", "pool"]).optional(),
  freeBeforeBytes: bytes.optional(),
  freeBytes: bytes.optional(),
  bootMs: z.number().optional(),
  residency: z.enum(["resident", "not-resident", "host-only", "unknown"]).optional(),
  /** The ledger's lines beside those of the log. */
  compared: z.array(comparedSchema).default([]),
});

export type StartRecord = z.output<typeof startRecordSchema>;
export type StartOutcome = z.output<typeof outcomeSchema>;

export const START_EVENT = "server-start";

/** A configuration that fits and gave no figure all the same: what befell it. */
export const unusableSchema = z.object({ cell: z.string(), reason: z.string() });
export const UNUSABLE_EVENT = "cell-unusable";
