import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../../test/fakes/temporary-directory.ts";
import { writeReportDocuments } from "./report-documents.ts";

it("says the way out of a report where it cannot be written, which is not that of a run", () => {
  // A folder below a file can be made by nobody, not even by root.
  const file = join(temporaryDirectory(), "taken");
  writeFileSync(file, "");
  expect(() => writeReportDocuments(join(file, "below"), [{ name: "report.md", text: "" }])).toThrow(
    expect.objectContaining({
      code: "DIRECTORY_UNWRITABLE",
      nextStep: "give a writable folder with --out",
    }),
  );
});
