import { statfsSync } from "node:fs";
import { dirname } from "node:path";

/**
 * What this user may still write on the disk under a path, which need not exist yet: the nearest
 * folder above it that does is asked. Undefined where the system does not tell.
 */
export function freeDiskBytes(path: string): number | undefined {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    } catch {
      if (dirname(folder) === folder) return undefined;
    }
  }
}
