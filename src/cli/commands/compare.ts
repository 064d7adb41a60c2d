/** `slipway compare`: what changed between two runs, and whether a gate allows it. */
import { Command } from "commander";
import type { RawCompareFlags } from "../compare/session.ts";
import type { DefineCommand } from "../define-command.ts";

const EXAMPLES = `
A run is a path, an id, or a beginning of an id that only one run has. run:cell takes one cell of it:
its label, a beginning of its hash (4 digits or more), or words that only one label contains.

Examples:
  slipway compare 20261120T10 20261120T14           before and after, all cells that both have
  slipway compare 20261120T10:N=4 20261120T10:N=8   two cells of one run
  slipway compare main branch --gate 'ttftMsP95<+5%,decodeTps>-3%' --junit gate.xml
  slipway compare ollama-run vllm-run tgi-run       three or more: one table of stacks

With --gate: exit 0 when it is shown to hold, 1 when it is shown to be broken, 4 when the trials
cannot decide, with the repeats that would. Cells of A that B lacks are undecided too, and requests
that fail in B more often than in A break it: failurePct<+1 allows one point more.
`;

export const compareCommand: DefineCommand = (io, exit) =>
  new Command("compare")
    .summary("hold two runs or cells against each other, trial by trial, and gate on the change")
    .description(
      "Compares B with A per metric: change, interval, tests adjusted over all that is shown, and a plain sentence. The trial is the unit.",
    )
    .argument("<run...>", "two runs or cells, A then B; more than two give a table of stacks")
    .option("--metrics <names>", "which figures, separated by commas; together they are the family of tests")
    .option("--margin <percent>", "changes below it count as none where that can be shown", "5%")
    .option("--gate <clauses>", "fail on a change: metric<+5% or metric>-3%, separated by commas")
    .option("--allow-missing-cells", "let a gate pass though B lacks cells of A")
    .option("--junit <file>", "write the checks as JUnit XML")
    .option("--markdown <file>", "write the comparison as Markdown, with the figures behind it")
    .option("--runs-dir <dir>", "where runs are kept", "runs")
    .option("--json", "one JSON document on stdout")
    .addHelpText("after", EXAMPLES)
    .action(async (runs: readonly string[], flags: RawCompareFlags) => {
      const { runCompare } = await import("../compare/session.ts");
      exit(await runCompare(runs, flags, io));
    });
