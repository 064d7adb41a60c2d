/**
 * A role: what one agent's traffic looks like, without saying which server it goes to. The same
 * file drives a measured workload and a simulated one.
 */
import { z } from "zod";
import { MAX_TOKENS } from "../core/limits.ts";

const tokens = z.int().min(1).max(MAX_TOKENS);
const optionalTokens = z.int().min(0).max(MAX_TOKENS);

/**
 * Start to start (`everyMs`: the next turn starts when the period is over, or at once if the last
 * took longer) or end to start (`thinkMs`).
 */
const cadenceSchema = z.union([
  z.strictObject({ everyMs: z.number().min(0) }),
  z.strictObject({ thinkMs: z.number().min(0) }),
]);

/** What each turn carries of those before it. */
const conversationSchema = z.discriminatedUnion("kind", [
  /** Nothing: every turn stands alone, as in the capacity study. */
  z.strictObject({ kind: z.literal("fresh") }),
  /** All of it, until it would pass this share of the slot's context; then the oldest turns are dropped. */
  z.strictObject({
    kind: z.literal("growing"),
    compactAtShare: z.number().gt(0).max(1).default(0.8),
    /** What a compaction leaves, as a share of the slot's context. */
    compactToShare: z.number().gt(0).max(1).default(0.4),
  }),
]);

export const roleSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_-]*$/, "letters, digits, dash and underscore, beginning with a letter")
      .max(40),
    description: z.string().optional(),
    cadence: cadenceSchema.default({ thinkMs: 0 }),
    /** Most tokens of one answer, thinking included. */
    maxOutputTokens: tokens,
    /**
     * Tokens of one answer where the model stops by itself; absent: every answer is as long as it
     * may be. Only a simulation needs to be told: a model decides it for itself.
     */
    meanOutputTokens: tokens.optional(),
    /** A synthetic tool result of this size stands before the message of each turn. */
    toolResultTokens: optionalTokens.default(0),
    /** The message itself. */
    messageTokens: tokens.default(64),
    systemTokens: optionalTokens.default(0),
    thinking: z.boolean().default(false),
    conversation: conversationSchema.default({ kind: "fresh" }),
    /** Images of a turn, and how often a turn has them. */
    images: z
      .strictObject({ perTurn: z.int().min(1).max(16), everyTurns: z.int().min(1).default(1) })
      .optional(),
  })
  .refine((role) => (role.meanOutputTokens ?? 1) <= role.maxOutputTokens, {
    message: "an answer's mean is not above its most",
    path: ["meanOutputTokens"],
  });

export type Role = z.output<typeof roleSchema>;
