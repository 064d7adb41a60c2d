import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { messageOf, systemCodeOf } from "../../core/errors.ts";
import { plainEnvironment } from "../../core/process.ts";
import { freeDiskBytes } from "../../hardware/disk-space.ts";
import { portHolder } from "../../hardware/port-holder.ts";
import { readKernelFile } from "../../hardware/text-reader.ts";
import type { FileLook, PortLook, PreflightProbes, ProgramLook } from "./probes.ts";

/** Enough for a format's magic, and to recognise a web page or a Git LFS pointer in its place. */
const HEAD_BYTES = 16;

/** This machine. */
export const machineProbes: PreflightProbes = {
  file: lookAtFile,
  program: lookForProgram,
  port: lookAtPort,
  freeDiskBytes,
};

function lookAtFile(path: string): FileLook {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) return { kind: "folder" };
    // Opening a pipe would wait for somebody to write to it.
    if (!stats.isFile()) return { kind: "other" };
    return { kind: "file", bytes: stats.size, head: headOf(path) };
  } catch (thrown) {
    const code = systemCodeOf(thrown);
    return code === "ENOENT" || code === "ENOTDIR"
      ? { kind: "absent" }
      : { kind: "closed", reason: messageOf(thrown) };
  }
}

function headOf(path: string): string {
  const descriptor = openSync(path, "r");
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return head.toString("latin1", 0, readSync(descriptor, head, 0, HEAD_BYTES, 0));
  } finally {
    closeSync(descriptor);
  }
}

function lookForProgram(name: string, searchPath?: string): ProgramLook {
  const folders = (searchPath ?? plainEnvironment()["PATH"] ?? "").split(delimiter);
  const candidates = name.includes("/") ? [name] : folders.map((folder) => join(folder, name));
  const files = candidates.filter((path) => lookAtFile(path).kind !== "absent");
  const path = files.find(isProgram);
  if (path !== undefined) return { kind: "found", path };
  const [first] = files;
  return first === undefined ? { kind: "absent" } : { kind: "not-executable", path: first };
}

/** A folder may be entered with the same bit that makes a file executable. */
function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Listens for a moment: only that shows whether it can be done. */
function lookAtPort(host: string, port: number): Promise<PortLook> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (thrown) => {
      if (systemCodeOf(thrown) === "EADDRINUSE")
        resolve({ kind: "taken", ...portHolder(readKernelFile, port) });
      else resolve({ kind: "unusable", reason: messageOf(thrown) });
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve({ kind: "free" })));
  });
}
