/** `slipway report <run…>`: the figures of a run worked out again from its directory, and written where people read them. */
import { basename, resolve } from "node:path";
import { readRunViews } from "../../analysis/run-views.ts";
import { OperatorError } from "../../core/errors.ts";
import type { RunReport } from "../../report/html/page.ts";
import { renderHtml } from "../../report/html/page.ts";
import { toReportModel } from "../../report/model.ts";
import { chartDrawer } from "../../report/plots/draw.ts";
import { renderSectionText } from "../../report/section/section-text.ts";
import { findRun } from "../../store/list-runs.ts";
import { readRun, readSummary } from "../../store/read-run.ts";
import type { ReportDocument } from "../../store/report-documents.ts";
import { writeReportDocuments } from "../../store/report-documents.ts";
import type { CliIo, ExitCode } from "../io.ts";
import { shownPath } from "../shown-path.ts";
import type { InputFlags, ReportInputs } from "./inputs.ts";
import { judgeRun, readReportInputs } from "./inputs.ts";
import { runDocuments } from "./run-documents.ts";

export interface RunReportFlags extends InputFlags {
  readonly runsDir: string;
  /** Where to write instead of the run directory; needed for several runs. */
  readonly out?: string;
  readonly skipDamaged?: true;
  readonly json?: true;
}

interface OpenReport extends RunReport {
  readonly path: string;
  readonly exit: ExitCode;
}

/** Throws FLAG_INVALID for several runs without a folder, and what reading and writing throw. */
export async function reportRuns(
  names: readonly string[],
  flags: RunReportFlags,
  io: CliIo,
): Promise<ExitCode> {
  if (names.length > 1 && flags.out === undefined)
    throw new OperatorError("FLAG_INVALID", {
      message: "a report of several runs belongs to no single run directory",
      received: `${names.length} runs`,
      nextStep: "name a folder for it with --out",
    });
  const runsDir = resolve(io.cwd, flags.runsDir);
  const paths = [...new Set(names.map((name) => findRun(runsDir, name, io.cwd)))];
  // Read before any run, so that a bad file costs no wait.
  const inputs = readReportInputs(flags, io.cwd);
  const reports = paths.map((path) => openReport(path, inputs, flags, io.cwd));
  const page = renderHtml(reports, await chartDrawer());
  const files = written(reports, page, flags.out === undefined ? undefined : resolve(io.cwd, flags.out));
  announce(reports, files, flags, io);
  return worstExit(reports.map((report) => report.exit));
}

/** A missed level outweighs one that cannot be told. */
function worstExit(exits: readonly ExitCode[]): ExitCode {
  return ([1, 4] as const).find((exit) => exits.includes(exit)) ?? 0;
}

function openReport(path: string, inputs: ReportInputs, flags: RunReportFlags, cwd: string): OpenReport {
  const views = readRunViews(readRun(path, { skipDamaged: flags.skipDamaged === true }));
  const imported = views.analysis.manifest.imported === undefined ? undefined : readSummary(path);
  const { sections, exit } = judgeRun(inputs, views.analysis, imported);
  return {
    path,
    views,
    sections,
    exit,
    model: toReportModel(views.analysis, {
      runDirectory: shownPath(path, cwd),
      ...(imported === undefined ? {} : { imported }),
    }),
  };
}

/** With several runs each has a folder of its own under the one page. */
function written(reports: readonly OpenReport[], page: string, out: string | undefined): readonly string[] {
  const html = { name: "report.html", text: page };
  const [only, ...others] = reports;
  if (only !== undefined && others.length === 0)
    return writeReportDocuments(out ?? only.path, [...documentsOf(only), html]);
  const folder = out ?? ".";
  const parts = reports.map((report, index) => ({ report, name: folderOf(report.path, index, reports) }));
  return [
    ...writeReportDocuments(folder, [html]),
    ...parts.flatMap(({ report, name }) => writeReportDocuments(resolve(folder, name), documentsOf(report))),
  ];
}

/** Runs of equal name lie in different places; the second gets a number. */
function folderOf(path: string, index: number, reports: readonly OpenReport[]): string {
  const name = basename(path);
  const before = reports.slice(0, index).filter((report) => basename(report.path) === name).length;
  return before === 0 ? name : `${name}-${before + 1}`;
}

function documentsOf({ model, views, sections }: OpenReport): readonly ReportDocument[] {
  return runDocuments(model, views, sections);
}

function announce(
  reports: readonly OpenReport[],
  files: readonly string[],
  flags: RunReportFlags,
  io: CliIo,
): void {
  if (flags.json === true) {
    const runs = reports.map(({ path, model, sections }) => ({
      runId: model.runId,
      path,
      simulated: model.simulated,
      answer: model.answer,
      warnings: model.warnings,
      nextStep: model.nextStep,
      ...(sections === undefined || sections.length === 0 ? {} : { judgements: sections }),
    }));
    io.out(`${JSON.stringify({ runs, files }, undefined, 2)}\n`);
    return;
  }
  for (const { model, sections = [] } of reports) {
    io.out(`${model.simulated ? "SIMULATED " : ""}${model.runId}: ${model.answer[0] ?? ""}\n`);
    for (const section of sections) io.out(`\n${renderSectionText(section, io.outColumns)}\n`);
  }
  for (const file of files) io.out(`wrote ${file}\n`);
  for (const { views } of reports) for (const notice of views.notices) io.err(`note: ${notice.message}\n`);
}
