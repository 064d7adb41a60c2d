/**
 * What servers started on this machine took beyond their ledgers: driver contexts, pools,
 * fragments. It lies in the state directory, since it belongs to the machine and to no run.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeFileWhole } from "../core/file.ts";
import type { ResidualObservation } from "../predict/vram/residual.ts";

const BOOK_FILE = "memory-book.json";
const BOOK_VERSION = 1;

/** The latest of each pool: a new driver is learnt within one sweep. */
const MOST_KEPT = 32;

const noteSchema = z.object({
  pool: z.enum(["gpu", "host"]),
  predictedBytes: z.number(),
  measuredBytes: z.number(),
});

const bookSchema = z.object({ version: z.literal(BOOK_VERSION), starts: z.array(noteSchema) });

/** As all that stands in the state directory. */
const PRIVATE_MODE = 0o600;

/** Empty where there is none, or it cannot be read: what it says is learnt again. */
export function readMemoryBook(stateDirectory: string, pool: "gpu" | "host"): readonly ResidualObservation[] {
  return notesIn(stateDirectory)
    .filter((note) => note.pool === pool)
    .map(({ predictedBytes, measuredBytes }) => ({ predictedBytes, measuredBytes }));
}

/** Throws DISK_FULL, DIRECTORY_UNWRITABLE. */
export function writeMemoryBook(
  stateDirectory: string,
  pool: "gpu" | "host",
  observations: readonly ResidualObservation[],
): void {
  const others = notesIn(stateDirectory).filter((note) => note.pool !== pool);
  const own = observations.slice(-MOST_KEPT).map((observation) => ({ pool, ...observation }));
  const book = { version: BOOK_VERSION, starts: [...others, ...own] };
  writeFileWhole(join(stateDirectory, BOOK_FILE), `${JSON.stringify(book, undefined, 1)}\n`, {
    mode: PRIVATE_MODE,
  });
}

function notesIn(stateDirectory: string): z.output<typeof bookSchema>["starts"] {
  try {
    return bookSchema.parse(JSON.parse(readFileSync(join(stateDirectory, BOOK_FILE), "utf8"))).starts;
  } catch {
    return [];
  }
}
