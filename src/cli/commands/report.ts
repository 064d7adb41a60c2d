/** `slipway report`: figures worked out again, from a run directory or from what a study published. */
import { Command } from "commander";
import { OperatorError } from "../../core/errors.ts";
import type { DefineCommand } from "../define-command.ts";
import type { RunReportFlags } from "../report/run.ts";

interface ReportFlags extends RunReportFlags {
  readonly study?: string;
}

const EXAMPLES = `
Studies: concurrent-agents, dual-instance, kernel-profiling, capacity-spike, swarm-router

Examples:
  slipway report 20261120T105312Z                          analysis.json, report.md and report.html of a run
  slipway report runs/<run> runs/<other> --out both        two runs in one page
  slipway report <run> --service-levels dual-instance-study   pass or fail by a study's targets
  slipway report --study kernel-profiling                  its tables again, with our corrections beside
  slipway report --study dual-instance --out study.md      the same as Markdown, both figures side by side
  slipway report --study swarm-router --json               every figure with its check, as one JSON document
`;

export const reportCommand: DefineCommand = (io, exit) =>
  new Command("report")
    .summary("work figures out again and say what they mean")
    .description(
      "Reports runs as one page that opens from disk, or holds a published study against its inputs.",
    )
    .addHelpText("after", EXAMPLES)
    .argument("[run...]", "path, id, or a beginning of the id that only one run has")
    .option("--study <name>", "a study that ships with Slipway")
    .option("--out <path>", "the folder for the files of runs; the Markdown file for a study")
    .option("--runs-dir <dir>", "where runs are kept", "runs")
    .option("--skip-damaged", "leave damaged lines out instead of stopping at the first")
    .option("--hypotheses <file>", "hypotheses to judge the run by: the name of a shipped file, or a path")
    .option(
      "--service-levels <file>",
      "targets to hold the run to: exit 1 where one is missed, 4 where n cannot tell",
    )
    .option("--costs <file>", "prices, for costs and break-even")
    .option("--json", "print one JSON document on stdout")
    .action(async (runs: string[], flags: ReportFlags) => {
      if ((flags.study === undefined) === (runs.length === 0))
        throw new OperatorError("FLAG_INVALID", {
          message:
            runs.length === 0
              ? "there is nothing to report on"
              : "a study and a run are two different reports",
          nextStep: "name a run, or a study: slipway report --study kernel-profiling",
        });
      const asked = [flags.hypotheses, flags.serviceLevels, flags.costs].filter((one) => one !== undefined);
      if (flags.study !== undefined && asked.length > 0)
        throw new OperatorError("FLAG_INVALID", {
          message: "a study brings its own hypotheses and prices, and has no run to hold service levels to",
          received: asked.join(", "),
          nextStep: "leave --hypotheses, --service-levels and --costs away, or name a run",
        });
      if (flags.study === undefined) {
        const { reportRuns } = await import("../report/run.ts");
        exit(await reportRuns(runs, flags, io));
        return;
      }
      const { reportStudy } = await import("../report/study.ts");
      exit(reportStudy(flags.study, flags, io));
    });
