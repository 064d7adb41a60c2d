/** The study files that come with the package. */
import { fileURLToPath } from "node:url";
import type { StudyCheck } from "../../analysis/studies/check-study.ts";
import { checkStudy } from "../../analysis/studies/check-study.ts";
import type { StudyDocument, StudyName } from "../../analysis/studies/study-document.ts";
import { STUDY_NAMES, studyDocument } from "../../analysis/studies/study-document.ts";
import { readTextFile } from "../../core/file.ts";
import { renderStudiesPage } from "../../report/study/studies-page.ts";

export function checkShippedStudy(name: StudyName): StudyCheck {
  return checkStudy(shippedStudy(name));
}

export function shippedStudy(name: StudyName): StudyDocument {
  return studyDocument.parse(JSON.parse(readTextFile(shippedStudyPath(name))));
}

/** From `src/cli/report` as well as from `dist/cli/report` the package lies three folders up. */
function shippedStudyPath(name: StudyName): string {
  return fileURLToPath(new URL(`../../../studies/${name}.json`, import.meta.url));
}

/** docs/studies.md; written by scripts/write-studies-page.mjs. */
export function shippedStudiesPage(): string {
  return renderStudiesPage(STUDY_NAMES.map(checkShippedStudy));
}
