/** What a reading child says to its parent: one line each, a word and JSON. */
import type { ErrorCode } from "../core/error-codes.ts";

export type ReaderMessage =
  | { readonly kind: "progress"; readonly path: string; readonly what: string; readonly rows: number }
  /** A piece of the figures as JSON: a line of a child's output is limited, and a kernel table is not short. */
  | { readonly kind: "piece"; readonly text: string }
  | { readonly kind: "done" }
  | {
      readonly kind: "failed";
      readonly code: ErrorCode;
      readonly message: string;
      readonly received: string;
      readonly nextStep: string;
    };

/** Half of what a line may have, since JSON within JSON escapes its quotes. */
export const PIECE_CHARACTERS = 262_144;
