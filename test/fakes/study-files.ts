/** The shipped study files, and the figures that were taken from the documents before they were. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { StudyDocument, StudyName } from "../../src/analysis/studies/study-document.ts";
import { studyDocument } from "../../src/analysis/studies/study-document.ts";

export function readStudy(name: StudyName): StudyDocument {
  return studyDocument.parse(readJson(`../../studies/${name}.json`));
}

export function readGolden(file: string): unknown {
  return readJson(`../fixtures/golden/${file}.json`);
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(fileURLToPath(new URL(path, import.meta.url)), "utf8"));
}
