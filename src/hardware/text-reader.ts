import { readFileSync } from "node:fs";

/** Reads a small text file of the kernel; undefined where it does not exist or may not be read. */
export type TextReader = (path: string) => string | undefined;

export const readKernelFile: TextReader = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Absent on other systems and in other kernels, or closed to this user: all of it is "unknown".
    return undefined;
  }
};
