/** Reads the runs that were named, compares them and writes what was asked for. */
import { resolve } from "node:path";
import type { RunAnalysis } from "../../analysis/analyse-run.ts";
import { analyseRun } from "../../analysis/analyse-run.ts";
import type { CellAnalysis } from "../../analysis/cell.ts";
import { compareRuns } from "../../analysis/compare/compare-runs.ts";
import type { Comparison } from "../../analysis/compare/compare-runs.ts";
import { importedSide } from "../../analysis/compare/imported-side.ts";
import type { MetricName } from "../../analysis/compare/metric.ts";
import { isMetricName, METRIC_NAMES, USUAL_METRICS } from "../../analysis/compare/metric.ts";
import type { Change } from "../../analysis/compare/samples.ts";
import type { Side } from "../../analysis/compare/side.ts";
import { sideOf } from "../../analysis/compare/side.ts";
import { parseGate } from "../../analysis/gate-grammar.ts";
import type { GateClause } from "../../analysis/gate-grammar.ts";
import type { GateResult } from "../../analysis/gate.ts";
import { judgeGate } from "../../analysis/gate.ts";
import { compareStacks } from "../../analysis/stacks.ts";
import { OperatorError } from "../../core/errors.ts";
import { writeFileWhole } from "../../core/file.ts";
import { comparisonSection } from "../../report/compare/comparison-section.ts";
import { renderJunit } from "../../report/compare/junit.ts";
import { stackSection } from "../../report/compare/stack-section.ts";
import { renderSectionMarkdown } from "../../report/section/section-markdown.ts";
import { renderSectionText } from "../../report/section/section-text.ts";
import type { Section } from "../../report/section/section.ts";
import type { RunManifest } from "../../record/run-manifest.ts";
import { readRun, readSummary } from "../../store/read-run.ts";
import type { CliIo, ExitCode } from "../io.ts";
import type { NamedRun } from "./named-cells.ts";
import { chosenCells, findNamedRun } from "./named-cells.ts";

export interface RawCompareFlags {
  readonly metrics?: string;
  readonly margin: string;
  readonly gate?: string;
  readonly junit?: string;
  readonly markdown?: string;
  readonly allowMissingCells?: true;
  readonly runsDir: string;
  readonly json?: true;
}

interface Chosen {
  readonly side: Side;
  /** None of imported results. */
  readonly cells: readonly CellAnalysis[];
}

/** Everything that was typed is checked before the first run is read. */
export async function runCompare(
  names: readonly string[],
  flags: RawCompareFlags,
  io: CliIo,
): Promise<ExitCode> {
  refuseMisuse(names, flags);
  const clauses = flags.gate === undefined ? undefined : parseGate(flags.gate);
  const metrics = metricsOf(flags.metrics, clauses);
  const margin = marginOf(flags.margin);
  const chosen = chosenRuns(names, metrics, flags, io);
  const [a, b, ...others] = chosen;
  if (a === undefined || b === undefined || others.length > 0) return stacks(chosen, flags, io);
  refuseSameCells(a, b);
  const comparison = compareRuns(a.side, b.side, { metrics, margin });
  refuseNothingInCommon(comparison, names);
  const gate =
    clauses === undefined
      ? undefined
      : judgeGate(comparison, clauses, { allowMissingCells: flags.allowMissingCells === true });
  if (flags.junit !== undefined) writeFileWhole(resolve(io.cwd, flags.junit), renderJunit(comparison, gate));
  const section = (detail: "short" | "full"): Section => comparisonSection({ comparison, gate, detail });
  if (flags.markdown !== undefined)
    writeFileWhole(resolve(io.cwd, flags.markdown), renderSectionMarkdown(section("full")));
  if (flags.json === true)
    io.out(
      `${JSON.stringify({ comparison, ...(gate === undefined ? {} : { gate }), report: section("full") })}\n`,
    );
  else io.out(renderSectionText(section("short"), io.outColumns));
  return exitOf(gate);
}

function exitOf(gate: GateResult | undefined): ExitCode {
  if (gate?.verdict === "failed") return 1;
  return gate?.verdict === "inconclusive" ? 4 : 0;
}

function stacks(chosen: readonly Chosen[], flags: RawCompareFlags, io: CliIo): ExitCode {
  const imported = chosen.find(({ cells }) => cells.length === 0);
  if (imported !== undefined)
    throw new OperatorError("FLAG_INVALID", {
      message: "a table of stacks needs the records of every run, and imported results have none",
      received: imported.side.name,
      nextStep: "compare it with one other run",
    });
  const comparison = compareStacks(chosen);
  const section = stackSection(comparison);
  if (flags.markdown !== undefined)
    writeFileWhole(resolve(io.cwd, flags.markdown), renderSectionMarkdown(section));
  if (flags.json === true) io.out(`${JSON.stringify({ stacks: comparison, report: section })}\n`);
  else io.out(renderSectionText(section, io.outColumns));
  return 0;
}

/** Cells of one run are read once. */
function chosenRuns(
  names: readonly string[],
  metrics: readonly MetricName[],
  flags: RawCompareFlags,
  io: CliIo,
): readonly Chosen[] {
  const analyses = new Map<string, RunAnalysis>();
  return names.map((name) => {
    const named = findNamedRun(name, flags.runsDir, io.cwd);
    const source = readRun(named.path);
    if (source.manifest.imported !== undefined) return importedRun(named, source.manifest);
    // Only the steady window needs the stamps of every event; they are most of a run's bytes.
    const analysis =
      analyses.get(named.path) ?? analyseRun(source, { chunks: metrics.includes("steadyTps") });
    analyses.set(named.path, analysis);
    const cells = chosenCells(analysis.cells, named);
    return { side: sideOf(name, analysis, cells), cells };
  });
}

/** Figures without records: a table of stacks needs more than those. */
function importedRun(named: NamedRun, manifest: RunManifest): Chosen {
  const summary = readSummary(named.path);
  if (summary === undefined)
    throw new OperatorError("RUN_DAMAGED", {
      message: `${named.path} holds imported results and no summary.json`,
      nextStep: "import the files again with slipway runs import",
    });
  const side = importedSide(named.name, manifest, summary);
  return { side: { ...side, cells: chosenCells(side.cells, named) }, cells: [] };
}

function refuseMisuse(names: readonly string[], flags: RawCompareFlags): void {
  if (names.length < 2)
    throw new OperatorError("FLAG_INVALID", {
      message: "a comparison takes two runs or cells at least",
      received: names.join(" "),
      nextStep: "name a second one; slipway runs list shows what there is",
    });
  if (flags.allowMissingCells === true && flags.gate === undefined)
    throw new OperatorError("FLAG_INVALID", {
      message: "--allow-missing-cells says what a gate may overlook, and there is no --gate",
      received: "--allow-missing-cells",
      nextStep: "add --gate, or leave it out",
    });
  const alone = flags.gate !== undefined ? "--gate" : flags.junit !== undefined ? "--junit" : undefined;
  if (names.length > 2 && alone !== undefined)
    throw new OperatorError("FLAG_INVALID", {
      message: `${alone} holds one run against one other`,
      received: `${names.length} runs`,
      nextStep: "name exactly two",
    });
}

/** With a gate, its own metrics are the family: whatever else is looked at costs it power. */
function metricsOf(
  text: string | undefined,
  clauses: readonly GateClause[] | undefined,
): readonly MetricName[] {
  const gated = clauses?.map((clause) => clause.metric) ?? [];
  if (text === undefined) return clauses === undefined ? USUAL_METRICS : [...new Set(gated)];
  const names = text.split(",").map((name) => name.trim());
  const known = names.filter(isMetricName);
  const foreign = names.find((name) => !isMetricName(name));
  if (foreign !== undefined)
    throw new OperatorError("FLAG_INVALID", {
      message: "--metrics names a figure that does not exist",
      received: foreign,
      nextStep: `name some of: ${METRIC_NAMES.join(", ")}`,
    });
  return [...new Set([...known, ...gated])];
}

function marginOf(text: string): Change {
  const [, digits] = /^(\d+(?:\.\d+)?)\s*%?$/.exec(text) ?? [];
  const percent = Number(digits);
  if (digits === undefined || percent <= 0 || percent > 100)
    throw new OperatorError("FLAG_INVALID", {
      message: "--margin is not a share between 0 and 100 %",
      received: text,
      nextStep: "write for example --margin 5%",
    });
  return { kind: "relative", share: percent / 100 };
}

/** A figure does not differ from itself, and an exit code of 0 would look like an answer. */
function refuseSameCells(a: Chosen, b: Chosen): void {
  if (a.side.manifest.runId !== b.side.manifest.runId) return;
  const hashes = new Set(a.side.cells.map((cell) => cell.hash));
  if (b.side.cells.every((cell) => !hashes.has(cell.hash))) return;
  throw new OperatorError("FLAG_INVALID", {
    message: "both sides name the same trials",
    received: `${a.side.name} ${b.side.name}`,
    nextStep: `name two cells, for example: ${a.side.allCells
      .slice(0, 2)
      .map((cell) => `"${a.side.manifest.runId}:${cell.label}"`)
      .join(" ")}`,
  });
}

function refuseNothingInCommon({ pairs, onlyA, onlyB }: Comparison, names: readonly string[]): void {
  if (pairs.length > 0) return;
  throw new OperatorError("FLAG_INVALID", {
    message: "the runs have no cell in common, by specification, name or parameters",
    received: names.join(" "),
    nextStep: `name the two that belong together, for example: "${names[0]}:${onlyA[0]}" "${names[1]}:${onlyB[0]}"`,
  });
}
