/** Records of a CSV file one after the other, whatever stands between its tables. */
import { createReadStream } from "node:fs";
import { parse } from "csv-parse";
import { OperatorError, messageOf } from "../../core/errors.ts";

/** One record. The longest real ones carry a kernel's demangled name and a rule's description. */
const MAX_RECORD_CHARACTERS = 1_048_576;

/** What a program printed may stand before a table and quote as it likes, so quotes and counts are taken as they come. */
export async function* csvRecords(path: string): AsyncGenerator<readonly string[]> {
  const parser = parse({
    bom: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: false,
    max_record_size: MAX_RECORD_CHARACTERS,
  });
  const file = createReadStream(path);
  file.on("error", (error) => parser.destroy(error));
  file.pipe(parser);
  try {
    for await (const record of parser) yield record as string[];
  } catch (thrown) {
    throw new OperatorError("PROFILE_DAMAGED", {
      message: `${path} breaks as CSV: ${messageOf(thrown)}`,
      received: path,
      nextStep: "write the report again with --format csv, and give the whole of it",
      cause: thrown,
    });
  } finally {
    // Whoever has seen enough stops asking; the file is not read on behind their back.
    file.destroy();
  }
}

/** A damaged table in words: which file, which row, what was there. */
export function badCell(path: string, row: number, column: string, text: string): OperatorError {
  return new OperatorError("PROFILE_DAMAGED", {
    message: `${path}, record ${row}: column "${column}" holds no number`,
    received: text,
    nextStep: "write the report again with --format csv, and give the whole of it",
  });
}
