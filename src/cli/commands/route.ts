/** `slipway route`: which model does which task of a job, and what is loaded when. */
import { Command } from "commander";
import type { DefineCommand } from "../define-command.ts";
import type { RawPlanFlags } from "../route/flags.ts";

const EXAMPLES = `
Examples:
  slipway route plan job.yaml --models models.yaml --vram-gb 8
  slipway route plan job.yaml --models models.yaml --minimise makespan --least-quality 0.6
  slipway route plan job.yaml --models models.yaml --planner lp --horizon-depth 1
  slipway route plan jobs.yaml --models models.yaml --compare exact,lp,greedy,fixed:gemma2:2b

Nothing is loaded and no model is asked. Fields of both files: docs/route.md.
`;

export const routeCommand: DefineCommand = (io, exit) => {
  const route = new Command("route")
    .summary("plan which model does which task, when they do not all fit")
    .description("Task graphs on models that share one memory: assignments, loads and unloads, step by step.")
    .addHelpText("after", "\nExample:\n  slipway route plan job.yaml --models models.yaml --vram-gb 8");
  route
    .command("plan")
    .argument("<job>", "a YAML file of one job, or of several under jobs")
    .description("Prints the plan of each job and why it is this one, or compares planners.")
    .requiredOption("--models <file>", "YAML file of the models to choose from")
    .option("--vram-gb <n>", "what all loaded models may take, in GiB (default: vramMib of the models file)")
    .option("--planner <name>", "exact, lp, greedy, random or fixed:<model> (default: exact)")
    .option("--compare <names>", "one row for each of these planners, separated by commas")
    .option("--horizon-depth <layers>", "1: only what is ready; 3: a chain of three; flat: all", "flat")
    .option("--minimise <what>", "makespan: seconds; or utility, which means what is lost of it", "utility")
    .option("--lambda-token <n>", "what the dearest task's tokens count as, in right answers (default: 0.5)")
    .option("--lambda-switch <n>", "what a load of switchCost 1 counts as, likewise (default: 0.2)")
    .option("--least-quality <share>", "with --minimise makespan: use no model below it")
    .option("--seed <n>", "seed of the planner random", "1")
    .option("--json", "print one JSON document on stdout")
    .addHelpText("after", EXAMPLES)
    .action(async (job: string, flags: RawPlanFlags) => {
      const { runPlan } = await import("../route/run-plan.ts");
      exit(await runPlan(job, flags, io));
    });
  return route;
};
