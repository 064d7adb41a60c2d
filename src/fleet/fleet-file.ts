/**
 * `fleet.json`: what runs, in what mode. It is replaced as a whole, and that replacement is the
 * moment at which a transaction counts as done: the file names the transaction it is the outcome of.
 */
import { z } from "zod";
import type { ProcessIdentity } from "../core/process-identity.ts";
import type { Preset } from "../preset/preset.ts";
import { presetSchema } from "../preset/preset.ts";
import type { StateDisk } from "./supervisor-disk.ts";

export const FLEET_FILE = "fleet.json";
const FLEET_FILE_VERSION = 1;

export const identitySchema = z.object({
  pid: z.int().min(1),
  startTicks: z.string().optional(),
  bootId: z.string().optional(),
});

export const seatSchema = z.object({
  /** As it was when it started: its file may have been edited since. */
  preset: presetSchema,
  hash: z.string(),
  /** Stands in the environment of its process. A restart keeps it, so that no new id has to be noted first. */
  serverId: z.string().min(1),
  as: z.enum(["ready", "asleep", "failed"]),
  /** Why it failed. */
  reason: z.string().optional(),
});

/** A preset's place in the fleet, whether or not its process lives at the moment. */
export type Seat = z.output<typeof seatSchema>;

const noteSchema = seatSchema.extend({
  port: z.int().min(1).max(65_535).optional(),
  identity: identitySchema.optional(),
});

const fleetFileSchema = z.object({
  version: z.literal(FLEET_FILE_VERSION),
  mode: z.string().optional(),
  /** The journal of this transaction, if it is still there, is of something that is done. */
  lastTransaction: z.string().optional(),
  servers: z.array(noteSchema),
  /** The machine is lent: `servers` are the borrower's, and these come back afterwards. */
  lent: z.object({ label: z.string(), mode: z.string().optional(), seats: z.array(seatSchema) }).optional(),
  /** Processes that not even SIGKILL ended: a later supervisor tries again. */
  leftovers: z.array(z.object({ preset: presetSchema, serverId: z.string().min(1) })),
});

interface NotedServer extends Seat {
  readonly port?: number | undefined;
  readonly identity?: NotedIdentity | undefined;
}

type NotedIdentity = z.output<typeof identitySchema>;

export interface FleetFile {
  readonly mode?: string | undefined;
  readonly lastTransaction?: string | undefined;
  readonly servers: readonly NotedServer[];
  readonly lent?:
    | { readonly label: string; readonly mode?: string | undefined; readonly seats: readonly Seat[] }
    | undefined;
  readonly leftovers: readonly { readonly preset: Preset; readonly serverId: string }[];
}

/** An identity as read: an absent member and one that is undefined are the same. */
export function asIdentity(noted: NotedIdentity): ProcessIdentity {
  return {
    pid: noted.pid,
    ...(noted.startTicks === undefined ? {} : { startTicks: noted.startTicks }),
    ...(noted.bootId === undefined ? {} : { bootId: noted.bootId }),
  };
}

export type FleetFileRead =
  | { readonly kind: "absent" }
  | { readonly kind: "read"; readonly file: FleetFile }
  | { readonly kind: "damaged"; readonly text: string };

export function readFleetFile(disk: StateDisk): FleetFileRead {
  const text = disk.read(FLEET_FILE);
  if (text === undefined) return { kind: "absent" };
  try {
    return { kind: "read", file: fleetFileSchema.parse(JSON.parse(text)) };
  } catch {
    // Whatever is wrong with it, it is set aside for a person to read.
    return { kind: "damaged", text };
  }
}

/** Throws DISK_FULL, DIRECTORY_UNWRITABLE; the old file then stands. */
export function writeFleetFile(disk: StateDisk, file: FleetFile): void {
  disk.replace(
    FLEET_FILE,
    `${JSON.stringify({ version: FLEET_FILE_VERSION, ...file }, undefined, 1)}\n`,
    "power-cut",
  );
}
