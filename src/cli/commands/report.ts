/** `slipway report`: figures worked out again, from a run directory or from what a study published. */
import { Command } from "commander";
import { OperatorError } from "../../core/errors.ts";
import type { DefineCommand } from "../define-command.ts";
import type { StudyReportFlags } from "../report/study.ts";

interface ReportFlags extends StudyReportFlags {
  readonly study?: string;
}

const EXAMPLES = `
Studies: concurrent-agents, dual-instance, kernel-profiling, capacity-spike, swarm-router

Examples:
  slipway report --study kernel-profiling                  its tables again, with our corrections beside
  slipway report --study dual-instance --out study.md      the same as Markdown, both figures side by side
  slipway report --study swarm-router --json               every figure with its check, as one JSON document
`;

export const reportCommand: DefineCommand = (io, exit) =>
  new Command("report")
    .summary("work figures out again and say what they mean")
    .description("Holds a published study against its own inputs.")
    .addHelpText("after", EXAMPLES)
    .option("--study <name>", "a study that ships with Slipway")
    .option("--out <file>", "write Markdown to this file instead of printing")
    .option("--json", "print one JSON document on stdout")
    .action(async (flags: ReportFlags) => {
      if (flags.study === undefined)
        throw new OperatorError("FLAG_INVALID", {
          message: "there is nothing to report on",
          nextStep: "name a study: slipway report --study kernel-profiling",
        });
      const { reportStudy } = await import("../report/study.ts");
      exit(reportStudy(flags.study, flags, io));
    });
