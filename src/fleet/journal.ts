/**
 * The journal: what is about to be done, written before it is done. It holds one transaction
 * and is emptied once `fleet.json` names that one as done, so it stays as short as the longest switch.
 */
import { z } from "zod";
import { identitySchema, seatSchema } from "./fleet-file.ts";
import type { Lasting, StateDisk } from "./supervisor-disk.ts";

export const JOURNAL_FILE = "journal.jsonl";

const recordSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("begin"),
    transaction: z.string().min(1),
    /** The mode that is made so; absent when presets are started or stopped by hand, or all end. */
    mode: z.string().optional(),
    /** All that runs or sleeps once this is done. The ids of what is started stand here before anything is. */
    target: z.array(seatSchema),
  }),
  z.object({ kind: z.literal("drain"), presets: z.array(z.string()) }),
  z.object({ kind: z.literal("stop"), presets: z.array(z.string()) }),
  z.object({ kind: z.literal("sleep"), presets: z.array(z.string()) }),
  z.object({ kind: z.literal("start"), preset: z.string(), serverId: z.string(), port: z.int() }),
  z.object({ kind: z.literal("started"), serverId: z.string(), identity: identitySchema.optional() }),
  z.object({ kind: z.literal("wake"), preset: z.string(), serverId: z.string() }),
  z.object({ kind: z.literal("ready"), preset: z.string(), serverId: z.string() }),
  /** Ids found in a file that was damaged. */
  z.object({ kind: z.literal("suspects"), serverIds: z.array(z.string()) }),
  /** From here on the fleet goes back to what `fleet.json` says. */
  z.object({ kind: z.literal("put-back"), step: z.string(), reason: z.string() }),
]);

export type JournalRecord = z.output<typeof recordSchema>;

export interface JournalRead {
  readonly records: readonly JournalRecord[];
  /** The last line has no end: its step was not begun. */
  readonly torn: boolean;
  /** The whole text, when something other than the last line is damaged. */
  readonly damagedText?: string;
}

/**
 * A torn last line is what a kill leaves and means that its step was not begun. Any other line
 * that cannot be read means that the file is damaged; what stood before it is still true.
 */
export function readJournal(disk: StateDisk): JournalRead {
  const text = disk.read(JOURNAL_FILE) ?? "";
  const lines = text.split("\n");
  const torn = lines.pop() !== "";
  const records: JournalRecord[] = [];
  for (const line of lines) {
    const record = parseRecord(line);
    if (record === undefined) return { records, torn, damagedText: text };
    records.push(record);
  }
  return { records, torn };
}

function parseRecord(line: string): JournalRecord | undefined {
  try {
    return recordSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** Ids that stand in a text that is no longer whole: enough to find the processes, and to stop them. */
export function salvageServerIds(text: string): string[] {
  return [...new Set([...text.matchAll(/"serverId":\s*"([^"\\]+)"/g)].map((match) => match[1] ?? ""))];
}

export interface Journal {
  /** Outlives the supervisor when it returns. Throws DISK_FULL, DIRECTORY_UNWRITABLE. */
  append(record: JournalRecord): void;
  /** Replaces the whole by these records. Throws as `append`. */
  rewrite(records: readonly JournalRecord[]): void;
}

export function openJournal(disk: StateDisk): Journal {
  return {
    append: (record) => disk.append(JOURNAL_FILE, line(record), lastingOf(record)),
    // An emptied journal that comes back is one of a transaction that `fleet.json` names as done.
    rewrite: (records) =>
      disk.replace(JOURNAL_FILE, records.map(line).join(""), records.length === 0 ? "kill" : "power-cut"),
  };
}

/**
 * A power cut ends every server, so that the steps between are of no use afterwards: what was to be
 * reached, and that it was given up, is all that the next supervisor needs.
 */
function lastingOf({ kind }: JournalRecord): Lasting {
  return kind === "begin" || kind === "put-back" ? "power-cut" : "kill";
}

function line(record: JournalRecord): string {
  return `${JSON.stringify(record)}\n`;
}
