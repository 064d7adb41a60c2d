/**
 * Reads the header of a model file: metadata and tensor table, never weights. The format is at
 * github.com/ggml-org/ggml, docs/gguf.md. Memory stays bounded whatever the file claims: every
 * count is held against the size of the file and a limit before anything is allocated for it.
 */
import { closeSync, fstatSync, openSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { OperatorError, messageOf, systemCodeOf } from "../../core/errors.ts";
import { ByteCursor } from "./byte-cursor.ts";
import { malformedGguf, unsupportedGguf } from "./gguf-error.ts";
import type { GgufHeader, GgufTensor, GgufValue } from "./gguf-header.ts";
import { readMetadata } from "./read-metadata.ts";
import { checkPlacement, readTensorTable } from "./read-tensors.ts";

/** The letters GGUF, little-endian. */
const MAGIC = 0x46554747;

/** Magic, version, number of tensors, number of metadata pairs. */
const SMALLEST_FILE_BYTES = 24;

/** Where general.alignment is absent. */
const DEFAULT_ALIGNMENT_BYTES = 32;

/** Publishers split at 50 GB, so that even a model of 10 TB has fewer parts. */
const MAX_PARTS = 512;

/**
 * Reads one model: a single file, or all parts of a split one when the path is that of any part
 * (`…-00002-of-00005.gguf`). Blocks while it reads: about 30 ms for a header of 70 MB.
 * Throws FILE_NOT_FOUND, GGUF_INVALID or GGUF_UNSUPPORTED.
 */
export function readGguf(path: string): GgufHeader {
  const parts = partsOf(path);
  const files = parts.map((part) => readOneFile(part));
  const first = files[0] as OneFile;
  checkParts(parts, files);
  return {
    path: first.path,
    version: first.version,
    metadata: first.metadata,
    tensors: files.flatMap((file) => file.tensors),
    fileBytes: files.reduce((sum, file) => sum + file.fileBytes, 0),
    files: files.length,
  };
}

// ---- parts -----------------------------------------------------------------------------------

/** The name that llama.cpp's splitter gives. */
const PART_NAME = /^(?<stem>.+)-(?<number>\d{5})-of-(?<count>\d{5})\.gguf$/;

function partsOf(path: string): string[] {
  const match = PART_NAME.exec(basename(path));
  if (match?.groups === undefined) return [path];
  const { stem, count } = match.groups;
  const parts = Number(count);
  if (parts < 1 || parts > MAX_PARTS)
    throw malformedGguf(path, `a model of ${parts} parts (at most ${MAX_PARTS})`, parts);
  return Array.from({ length: parts }, (_, index) =>
    join(dirname(path), `${stem}-${String(index + 1).padStart(5, "0")}-of-${count}.gguf`),
  );
}

function checkParts(paths: readonly string[], files: readonly OneFile[]): void {
  for (const [index, file] of files.entries()) {
    const count = splitNumber(file, "split.count") ?? 0;
    const number = splitNumber(file, "split.no") ?? 0;
    if (paths.length === 1 && count <= 1) continue;
    if (count !== paths.length || number !== index)
      throw malformedGguf(
        file.path,
        `inside it says part ${number + 1} of ${count}, its name says part ${index + 1} of ${paths.length}`,
        basename(file.path),
      );
  }
  const seen = new Set<string>();
  for (const file of files)
    for (const { name } of file.tensors) {
      if (seen.has(name)) throw malformedGguf(file.path, "a tensor stands in two parts", name);
      seen.add(name);
    }
}

function splitNumber(file: OneFile, key: string): number | undefined {
  const value = file.metadata.get(key);
  return value?.kind === "number" ? value.value : undefined;
}

// ---- one file --------------------------------------------------------------------------------

interface OneFile {
  readonly path: string;
  readonly version: 2 | 3;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  readonly fileBytes: number;
}

function readOneFile(path: string): OneFile {
  const descriptor = open(path);
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw malformedGguf(path, "it is not a regular file");
    return readHeader(new ByteCursor(descriptor, path, status.size), path);
  } catch (thrown) {
    if (thrown instanceof OperatorError) throw thrown;
    throw unreadable(path, thrown);
  } finally {
    closeSync(descriptor);
  }
}

function open(path: string): number {
  try {
    return openSync(path, "r");
  } catch (thrown) {
    throw unreadable(path, thrown);
  }
}

function unreadable(path: string, thrown: unknown): OperatorError {
  return new OperatorError("FILE_NOT_FOUND", {
    message: `cannot read the model file ${path}: ${messageOf(thrown)}`,
    received: systemCodeOf(thrown) ?? path,
    nextStep: "check the path and its permissions; all parts of a split model must lie in one folder",
    cause: thrown,
  });
}

function readHeader(cursor: ByteCursor, path: string): OneFile {
  if (cursor.fileBytes < SMALLEST_FILE_BYTES)
    throw malformedGguf(path, `it has only ${cursor.fileBytes} bytes`, cursor.fileBytes);
  if (cursor.u32() !== MAGIC) throw malformedGguf(path, "it does not begin with the letters GGUF");
  const version = readVersion(cursor, path);
  const tensorCount = cursor.u64();
  const metadata = readMetadata(cursor, cursor.u64(), path);
  const tensors = readTensorTable(cursor, tensorCount, path);
  const alignmentBytes = alignmentOf(metadata, path);
  const dataStart = Math.ceil(cursor.position / alignmentBytes) * alignmentBytes;
  checkPlacement(tensors, { path, dataBytes: cursor.fileBytes - dataStart, alignmentBytes });
  return { path, version, metadata, tensors, fileBytes: cursor.fileBytes };
}

function readVersion(cursor: ByteCursor, path: string): 2 | 3 {
  const version = cursor.u32();
  if (version === 2 || version === 3) return version;
  if (version === 1)
    throw unsupportedGguf(
      path,
      "GGUF version 1, which no current server reads either",
      "convert it anew with a current llama.cpp, or download a newer file",
      version,
    );
  // A small version read with the wrong byte order has its digits in the upper half.
  if (version !== 0 && version % 65_536 === 0)
    throw unsupportedGguf(
      path,
      "a big-endian GGUF",
      "download the little-endian file, which this machine's server needs too",
      version,
    );
  throw unsupportedGguf(
    path,
    `GGUF version ${version}; versions 2 and 3 are read`,
    "check that the file is whole; if it is, update Slipway",
    version,
  );
}

function alignmentOf(metadata: ReadonlyMap<string, GgufValue>, path: string): number {
  const value = metadata.get("general.alignment");
  if (value === undefined) return DEFAULT_ALIGNMENT_BYTES;
  const bytes = value.kind === "number" ? value.value : 0;
  if (bytes < 1 || bytes > 2 ** 31 || !Number.isInteger(Math.log2(bytes)))
    throw malformedGguf(path, "general.alignment is not a power of 2", bytes);
  return bytes;
}
