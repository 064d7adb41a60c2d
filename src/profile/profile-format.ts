/** What kind of profile a file is, told from what stands in it and not from its name. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { OperatorError } from "../core/errors.ts";
import { fileError } from "../core/file.ts";
import type { ProfileFormat } from "./figures.ts";
import { csvRecords } from "./tables/csv-records.ts";
import { ncuHeading } from "./tables/read-ncu.ts";
import { statsHeading } from "./tables/stats-columns.ts";

export interface FileKind {
  readonly format: ProfileFormat;
  readonly bytes: number;
  /** A Chrome trace packed by gzip, as PyTorch writes it on request. */
  readonly packed: boolean;
}

/** Enough for a magic number and for white space before a brace. */
const HEAD_BYTES = 4_096;

/** Lines that a program may print before its first table. Training prints thousands. */
const MOST_RECORDS_BEFORE_A_TABLE = 200_000;

export async function fileKind(path: string): Promise<FileKind> {
  const { head, bytes } = readHead(path);
  if (bytes === 0)
    throw new OperatorError("PROFILE_DAMAGED", {
      message: `${path} is empty`,
      received: path,
      nextStep: "export it again",
    });
  const found = formatOfHead(head) ?? (await formatOfTables(path, head));
  if (found !== undefined) return { ...found, bytes };
  throw new OperatorError("PROFILE_FORMAT_UNKNOWN", {
    message: `${path} is no profile of a kind that is read`,
    received: path,
    nextStep: nextStepFor(path),
  });
}

function readHead(path: string): { readonly head: Buffer; readonly bytes: number } {
  try {
    const descriptor = openSync(path, "r");
    try {
      const facts = fstatSync(descriptor);
      // A pipe could be waited for without end, and is read twice.
      if (!facts.isFile())
        throw new OperatorError("FILE_NOT_FOUND", {
          message: `${path} is no file`,
          received: path,
          nextStep: "name files, not folders or pipes",
        });
      const head = Buffer.alloc(HEAD_BYTES);
      const read = readSync(descriptor, head, 0, HEAD_BYTES, 0);
      return { head: head.subarray(0, read), bytes: facts.size };
    } finally {
      closeSync(descriptor);
    }
  } catch (thrown) {
    throw thrown instanceof OperatorError ? thrown : fileError(thrown, path);
  }
}

function formatOfHead(head: Buffer): Omit<FileKind, "bytes"> | undefined {
  if (head.subarray(0, 16).toString("latin1") === "SQLite format 3\0")
    return { format: "nsys-sqlite", packed: false };
  if (head[0] === 0x1f && head[1] === 0x8b) return { format: "chrome-json", packed: true };
  const text = head.toString("utf8").replace(/^\ufeff/, "");
  // Reports may begin with a line such as "[3/8] Executing …".
  return /^\s*(\{|\[\s*[{\]])/.test(text) ? { format: "chrome-json", packed: false } : undefined;
}

async function formatOfTables(path: string, head: Buffer): Promise<Omit<FileKind, "bytes"> | undefined> {
  // Text has no zero bytes: what has is not read to its end in search of a table.
  if (head.includes(0)) return undefined;
  let records = 0;
  for await (const record of csvRecords(path)) {
    if (ncuHeading(record) !== undefined) return { format: "ncu-csv", packed: false };
    if (statsHeading(record) !== undefined) return { format: "nsys-stats-csv", packed: false };
    if (++records > MOST_RECORDS_BEFORE_A_TABLE) return undefined;
  }
  return undefined;
}

function nextStepFor(path: string): string {
  if (/\.(nsys-rep|qdrep|qdstrm)$/.test(path))
    return `export it first: nsys export --type sqlite --output ${path.replace(/\.[^.]*$/, "")}.sqlite ${path}`;
  if (/\.ncu-rep$/.test(path))
    return `export it first: ncu --import ${path} --csv --page details > ${path.replace(/\.[^.]*$/, "")}.csv`;
  return "give a SQLite export or CSV reports of Nsight Systems, CSV of Nsight Compute, or a Chrome trace";
}
