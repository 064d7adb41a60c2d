/** Documents that are made from a run after it ended, written beside its records or elsewhere. */
import { join } from "node:path";
import { OperatorError } from "../core/errors.ts";
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
    try {
      writeFileWhole(path, text);
    } catch (thrown) {
      throw aboutReports(thrown);
    }
    return path;
  });
}

/** The same error with the way out of a report: it has another flag than a run, and nothing to take up again. */
function aboutReports(thrown: unknown): unknown {
  if (!(thrown instanceof OperatorError)) return thrown;
  const nextStep =
    thrown.code === "DISK_FULL"
      ? "free some space and make the report again; the run is not touched"
      : "give a writable folder with --out";
  const { code, message, received } = thrown;
  return new OperatorError(code, { message, received, nextStep, cause: thrown });
}
