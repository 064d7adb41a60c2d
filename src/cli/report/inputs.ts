/** The files that a report is asked to judge a run by: hypotheses, service levels, prices. */
import { existsSync, readdirSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { z } from "zod";
import type { RunAnalysis } from "../../analysis/analyse-run.ts";
import { costOf } from "../../analysis/cost/cost.ts";
import type { CostFile } from "../../analysis/cost/cost-file.ts";
import { costFileSchema } from "../../analysis/cost/cost-file.ts";
import { judgeImportedLevels } from "../../analysis/service-level/imported-levels.ts";
import { judgeServiceLevels, SERVICE_LEVEL_EXIT } from "../../analysis/service-level/service-level.ts";
import type { ServiceLevelFile } from "../../analysis/service-level/service-level-file.ts";
import { serviceLevelFileSchema } from "../../analysis/service-level/service-level-file.ts";
import type { HypothesisFile } from "../../analysis/verdict/hypothesis-file.ts";
import { hypothesisFileSchema } from "../../analysis/verdict/hypothesis-file.ts";
import { judge } from "../../analysis/verdict/judge.ts";
import { runFigures } from "../../analysis/verdict/run-figures.ts";
import { studyFigures } from "../../analysis/verdict/study-figures.ts";
import { OperatorError } from "../../core/errors.ts";
import { readYamlFile } from "../../core/yaml.ts";
import type { SummaryRecord } from "../../record/summary-record.ts";
import { costSection } from "../../report/cost/cost-section.ts";
import { importedSection } from "../../report/imported/imported-section.ts";
import type { Section } from "../../report/section/section.ts";
import { serviceLevelSection } from "../../report/service-level/service-level-section.ts";
import { verdictSection } from "../../report/verdict/verdict-section.ts";
import type { ExitCode } from "../io.ts";

const EXAMPLES = fileURLToPath(new URL("../../../examples/", import.meta.url));

/** As commander hands them over: the name of a shipped file, or a path. */
export interface InputFlags {
  readonly hypotheses?: string;
  readonly serviceLevels?: string;
  readonly costs?: string;
}

export interface ReportInputs {
  readonly hypotheses: HypothesisFile | undefined;
  readonly serviceLevels: ServiceLevelFile | undefined;
  readonly costs: CostFile | undefined;
}

/** Throws FILE_NOT_FOUND, YAML_SYNTAX, CONFIG_INVALID; FLAG_INVALID for hypotheses about a study. */
export function readReportInputs(flags: InputFlags, cwd: string): ReportInputs {
  const hypotheses = read(hypothesisFileSchema, "hypotheses", flags.hypotheses, cwd);
  if (hypotheses?.study !== undefined)
    throw new OperatorError("FLAG_INVALID", {
      message: "--hypotheses names a file about a published study, and a run has other figures",
      received: flags.hypotheses,
      nextStep: `see its verdicts with slipway report --study ${hypotheses.study}`,
    });
  return {
    hypotheses,
    serviceLevels: read(serviceLevelFileSchema, "service-levels", flags.serviceLevels, cwd),
    costs: read(costFileSchema, "costs", flags.costs, cwd),
  };
}

function read<S extends z.ZodType>(
  schema: S,
  folder: string,
  given: string | undefined,
  cwd: string,
): z.output<S> | undefined {
  if (given === undefined) return undefined;
  const shipped = `${EXAMPLES}${folder}/${given}.yaml`;
  const path = resolve(cwd, given);
  if (existsSync(path)) return readYamlFile(schema, path);
  if (existsSync(shipped)) return readYamlFile(schema, shipped);
  throw new OperatorError("FILE_NOT_FOUND", {
    message: `--${folder} names neither a file nor a shipped one`,
    received: given,
    nextStep: `give the path of a YAML file, or one of: ${shippedNames(folder).join(", ")}`,
  });
}

export interface JudgedRun {
  /** In the order of the report: imported results, verdicts, service levels, costs. */
  readonly sections: readonly Section[];
  /** 1 for a missed service level, 4 where one cannot be told, else 0. Verdicts and costs are no gates. */
  readonly exit: ExitCode;
}

/** Throws FIGURE_UNKNOWN where a file names a figure that the run does not have. */
export function judgeRun(inputs: ReportInputs, analysis: RunAnalysis, imported?: SummaryRecord): JudgedRun {
  const figures = runFigures(analysis);
  const costs = inputs.costs === undefined ? undefined : costOf(inputs.costs, figures);
  const levels =
    inputs.serviceLevels === undefined
      ? undefined
      : imported === undefined
        ? judgeServiceLevels(inputs.serviceLevels, analysis, costs)
        : judgeImportedLevels(
            inputs.serviceLevels,
            { manifest: analysis.manifest, summary: imported },
            costs,
          );
  return {
    sections: [
      ...(imported === undefined ? [] : [importedSection(imported)]),
      ...(inputs.hypotheses === undefined ? [] : [verdictSection(judge(inputs.hypotheses, figures))]),
      ...(levels === undefined ? [] : [serviceLevelSection(levels)]),
      ...(costs === undefined ? [] : [costSection(costs)]),
    ],
    exit: levels === undefined ? 0 : SERVICE_LEVEL_EXIT[levels.state],
  };
}

/** The verdicts and costs that ship for a study, on its own inputs; none for a study without such files. */
export function studyJudgements(study: string, inputs: unknown): readonly Section[] {
  const figures = studyFigures(study, inputs);
  const verdicts = shippedFor("hypotheses", hypothesisFileSchema).filter((file) => file.study === study);
  const costs = shippedFor("costs", costFileSchema).filter((file) => file.study === study);
  return [
    ...verdicts.map((file) => verdictSection(judge(file, figures))),
    ...costs.map((file) => costSection(costOf(file, figures))),
  ];
}

function shippedNames(folder: string): readonly string[] {
  return readdirSync(`${EXAMPLES}${folder}`)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => basename(file, ".yaml"))
    .sort();
}

function shippedFor<S extends z.ZodType>(folder: string, schema: S): readonly z.output<S>[] {
  return shippedNames(folder).map((name) => readYamlFile(schema, `${EXAMPLES}${folder}/${name}.yaml`));
}
