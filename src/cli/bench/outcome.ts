/**
 * What happens when the last trial has ended: the figures are worked out from the directory alone,
 * so that any old run can be worked out again, and written beside the records they come from.
 */
import type { RunAnalysis } from "../../analysis/analyse-run.ts";
import { readRunViews } from "../../analysis/run-views.ts";
import { toSummary } from "../../analysis/summary.ts";
import type { RunStatus } from "../../record/run-manifest.ts";
import type { ReportModel } from "../../report/model.ts";
import { toReportModel } from "../../report/model.ts";
import { renderTerminal } from "../../report/terminal.ts";
import { readRun } from "../../store/read-run.ts";
import type { RunWriter } from "../../store/run-directory.ts";
import type { CliIo, ExitCode } from "../io.ts";
import { runDocuments } from "../report/run-documents.ts";
import type { RawBenchFlags } from "./flags.ts";

export function finishRun(writer: RunWriter, status: RunStatus, flags: RawBenchFlags, io: CliIo): ExitCode {
  const { analysis, model } = closing(writer, status);
  if (flags.json === true)
    io.out(`${JSON.stringify({ run: writer.path, status, summary: toSummary(analysis), report: model })}\n`);
  else io.out(renderTerminal(model, { columns: io.outColumns, color: io.color }));
  if (status === "interrupted") {
    io.err(
      `interrupted; what was measured is kept. Go on with: slipway bench --resume ${writer.manifest.runId}${runsDirFlag(flags)}\n`,
    );
    return 130;
  }
  return answeredRequests(analysis) === 0 ? 3 : 0;
}

/** Nothing was measured when no request was answered: that is the environment's word, not a result. */
function answeredRequests(analysis: RunAnalysis): number {
  return analysis.totals.measured - analysis.totals.failed;
}

export function runsDirFlag(flags: Pick<RawBenchFlags, "runsDir">): string {
  return flags.runsDir === "runs" ? "" : ` --runs-dir ${flags.runsDir}`;
}

/** The run is freed whether or not its documents could be written. */
function closing(writer: RunWriter, status: RunStatus): ReturnType<typeof documents> {
  try {
    return documents(writer, status);
  } finally {
    writer.close(status);
  }
}

function documents(
  writer: RunWriter,
  status: RunStatus,
): { readonly analysis: RunAnalysis; readonly model: ReportModel } {
  writer.updateManifest({ status });
  const views = readRunViews(readRun(writer.path));
  const { analysis } = views;
  const model = toReportModel(analysis, { runDirectory: writer.path });
  writer.writeDocument("summary.json", toSummary(analysis));
  for (const { name, text } of runDocuments(model, views)) writer.writeDocument(name, text);
  return { analysis, model };
}
