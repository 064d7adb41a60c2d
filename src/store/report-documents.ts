/** Documents that are made from a run after it ended, written beside its records or elsewhere. */
import { join } from "node:path";
import { writeFileWhole } from "../core/file.ts";

export interface ReportDocument {
  readonly name: string;
  readonly text: string;
}

/**
 * Writes each whole, replacing an older one, and returns their paths. The records of the run are
 * not touched, so its lock is not needed. Throws DIRECTORY_UNWRITABLE, DISK_FULL.
 */
export function writeReportDocuments(
  directory: string,
  documents: readonly ReportDocument[],
): readonly string[] {
  return documents.map(({ name, text }) => {
    const path = join(directory, name);
    writeFileWhole(path, text);
    return path;
  });
}
