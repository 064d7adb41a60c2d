/** `slipway report --study NAME`: a published study, held against itself. */
import { resolve } from "node:path";
import { STUDY_NAMES } from "../../analysis/studies/study-document.ts";
import { OperatorError } from "../../core/errors.ts";
import { writeFileWhole } from "../../core/file.ts";
import { renderSectionMarkdown } from "../../report/section/section-markdown.ts";
import { renderSectionText } from "../../report/section/section-text.ts";
import { renderStudyMarkdown } from "../../report/study/studies-page.ts";
import { studySection } from "../../report/study/study-section.ts";
import type { CliIo, ExitCode } from "../io.ts";
import { studyJudgements } from "./inputs.ts";
import { checkShippedStudy, shippedStudy } from "./shipped-studies.ts";

export interface StudyReportFlags {
  /** A Markdown file to write instead of printing. */
  readonly out?: string;
  readonly json?: true;
}

/** Throws FLAG_INVALID for a name that no study has, and what writing the file throws. */
export function reportStudy(name: string, flags: StudyReportFlags, io: CliIo): ExitCode {
  const known = STUDY_NAMES.find((one) => one === name);
  if (known === undefined)
    throw new OperatorError("FLAG_INVALID", {
      message: "--study has no study of this name",
      received: name,
      nextStep: `give one of: ${STUDY_NAMES.join(", ")}`,
    });
  const check = checkShippedStudy(known);
  const judgements = studyJudgements(known, shippedStudy(known).inputs);
  const sections = [studySection(check, "marked"), ...judgements];
  const out = flags.out === undefined ? undefined : resolve(io.cwd, flags.out);
  if (out !== undefined)
    writeFileWhole(out, [renderStudyMarkdown(check), ...judgements.map(renderSectionMarkdown)].join("\n"));
  if (flags.json === true) io.out(`${JSON.stringify({ ...check, judgements }, undefined, 2)}\n`);
  else if (out === undefined)
    io.out(sections.map((section) => renderSectionText(section, io.outColumns)).join("\n"));
  else io.out(`${out}\n`);
  return 0;
}
