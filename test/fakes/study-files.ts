/** The shipped study files, and the figures that were taken from the documents before they were. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { StudyDocument, StudyName } from "../../src/analysis/studies/study-document.ts";
import { studyDocument } from "../../src/analysis/studies/study-document.ts";

export function readStudy(name: StudyName): StudyDocument {
  return studyDocument.parse(JSON.parse(readStudyText(name)));
}

export function readStudyText(name: StudyName): string {
  return readText(`../../studies/${name}.json`);
}

/** The name under which a study's figures were taken down. */
export function goldenFile(name: StudyName): string {
  return name === "dual-instance" ? "dual-instance-study" : name;
}

export function readGolden(file: string): unknown {
  return JSON.parse(readText(`../fixtures/golden/${file}.json`));
}

function readText(path: string): string {
  return readFileSync(fileURLToPath(new URL(path, import.meta.url)), "utf8");
}
