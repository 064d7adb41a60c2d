/** `slipway runs`: the runs on disk, one of them in detail, and results that others measured. */
import { basename, resolve } from "node:path";
import { Command } from "commander";
import { printable } from "../../core/errors.ts";
import { UNKNOWN, formatNumber } from "../../core/units.ts";
import type { RunNotice, RunSource } from "../../record/run-source.ts";
import type { SummaryRecord } from "../../record/summary-record.ts";
import type { RunListing } from "../../store/list-runs.ts";
import type { CliIo, ExitCode } from "../io.ts";

interface CommonOptions {
  readonly runsDir: string;
  readonly json?: true;
}

export function runsCommand(io: CliIo, exit: (code: ExitCode) => void): Command {
  const runs = new Command("runs")
    .description("List runs, show one, or import results measured elsewhere.")
    .addHelpText("after", "\nExample:\n  slipway runs list");
  withCommonOptions(runs.command("list"))
    .description("Every run in the runs directory and what became of it.")
    .addHelpText("after", "\nExample:\n  slipway runs list --runs-dir runs")
    .action(async (options: CommonOptions) => exit(await list(options, io)));
  withCommonOptions(runs.command("show"))
    .argument("<run>", "path, id, or a beginning of the id that only one run has")
    .option("--skip-damaged", "leave damaged lines out instead of stopping at the first")
    .description("What one run recorded, checked line by line.")
    .addHelpText("after", "\nExample:\n  slipway runs show 20261120T105312Z")
    .action(async (run: string, options: CommonOptions & { readonly skipDamaged?: true }) =>
      exit(await show(run, options, io)),
    );
  withCommonOptions(runs.command("import"))
    .argument("<file...>", "JSON in the form of summary.json: a configuration, a list, or configurations")
    .option("--scenario <name>", "the scenario of files that name none", "imported")
    .description("Make a run directory from results that another program measured.")
    .addHelpText("after", "\nExample:\n  slipway runs import test001/summary.json test002/summary.json")
    .action(async (files: string[], options: CommonOptions & { readonly scenario: string }) =>
      exit(await importFiles(files, options, io)),
    );
  return runs;
}

function withCommonOptions(command: Command): Command {
  return command
    .option("--runs-dir <dir>", "where runs are kept", "runs")
    .option("--json", "one JSON document on stdout");
}

async function list(options: CommonOptions, io: CliIo): Promise<ExitCode> {
  const { listRuns } = await import("../../store/list-runs.ts");
  const runsDir = resolve(io.cwd, options.runsDir);
  const listings = listRuns(runsDir);
  if (options.json === true) {
    writeJson(io, { runsDir, runs: listings });
    return 0;
  }
  if (listings.length === 0) {
    io.out(`no runs in ${runsDir}\n`);
    return 0;
  }
  io.out(await table(["run", "status", "scenario", "trials", "measured on"], listings.map(listRow)));
  for (const one of listings)
    if (one.kind === "unreadable") io.err(`${one.runId}: ${one.code}: ${printable(one.reason)}\n`);
  return 0;
}

function listRow(one: RunListing): readonly string[] {
  if (one.kind === "unreadable") return [one.runId, "unreadable", UNKNOWN, UNKNOWN, UNKNOWN];
  const { manifest } = one;
  const trials =
    manifest.imported === undefined ? `${one.completeTrials}/${manifest.plannedTrials}` : UNKNOWN;
  return [one.runId, one.status, manifest.scenario, trials, measuredOn(manifest)];
}

function measuredOn(manifest: RunSource["manifest"]): string {
  if (manifest.imported !== undefined) return "imported";
  if (manifest.simulated) return "SIMULATED";
  const engines = new Set(manifest.endpoints.map((endpoint) => endpoint.engine));
  return engines.size === 0 ? UNKNOWN : [...engines].join(", ");
}

interface RequestCounts {
  readonly finished: number;
  readonly unfinished: number;
  readonly ok: number;
  readonly failed: number;
  readonly cancelled: number;
}

interface RunDetail {
  readonly path: string;
  readonly status: string;
  readonly manifest: RunSource["manifest"];
  readonly completeTrials: number;
  /** A planned cell with its complete trials. */
  readonly cells: readonly { readonly label: string; readonly together: number; readonly solo: number }[];
  readonly requests: RequestCounts;
  readonly summary?: SummaryRecord;
  readonly notices: readonly RunNotice[];
}

async function show(
  name: string,
  options: CommonOptions & { readonly skipDamaged?: true },
  io: CliIo,
): Promise<ExitCode> {
  const { findRun, runStatus } = await import("../../store/list-runs.ts");
  const { readRun, readSummary } = await import("../../store/read-run.ts");
  const path = findRun(resolve(io.cwd, options.runsDir), name, io.cwd);
  const run = readRun(path, { skipDamaged: options.skipDamaged === true });
  const requests = countRequests(run);
  const summary = readSummary(path);
  const complete = run.trials.filter((trial) => trial.status === "complete");
  const detail: RunDetail = {
    path,
    status: runStatus(path, run.manifest),
    manifest: run.manifest,
    completeTrials: complete.length,
    cells: run.manifest.cells.map((cell) => {
      const ofCell = complete.filter((trial) => trial.cellHash === cell.hash);
      const together = ofCell.filter((trial) => trial.kind === "together").length;
      return { label: cell.label, together, solo: ofCell.length - together };
    }),
    requests,
    ...(summary === undefined ? {} : { summary }),
    notices: run.notices,
  };
  if (options.json === true) writeJson(io, detail);
  else io.out(await detailText(detail));
  for (const notice of run.notices) io.err(`note: ${printable(notice.message)}\n`);
  return 0;
}

function countRequests(run: RunSource): RequestCounts {
  const counts = { finished: 0, unfinished: 0, ok: 0, failed: 0, cancelled: 0 };
  run.eachRequest((request, membership) => {
    counts[membership]++;
    counts[request.outcome.kind]++;
  });
  return counts;
}

async function detailText(detail: RunDetail): Promise<string> {
  const { manifest, requests } = detail;
  const facts: (readonly string[])[] = [
    ["run", manifest.runId],
    ["status", detail.status],
    ["scenario", manifest.scenario],
    ["measured on", measuredOn(manifest)],
    ...(manifest.imported === undefined
      ? [
          ["started", manifest.startedIso],
          ["ended", manifest.endedIso ?? UNKNOWN],
        ]
      : [["imported", manifest.startedIso]]),
    ["directory", detail.path],
  ];
  if (manifest.imported === undefined) {
    facts.push(["trials", `${detail.completeTrials} of ${manifest.plannedTrials} complete`]);
    facts.push(["requests", `${requests.ok} ok, ${requests.failed} failed, ${requests.cancelled} cancelled`]);
    for (const endpoint of manifest.endpoints)
      facts.push([`endpoint ${endpoint.name}`, `${endpoint.url} (${endpoint.engine})`]);
    const cells = detail.cells.map((cell) => [cell.label, String(cell.together), String(cell.solo)]);
    return (await table([], facts)) + (await table(["cell", "together", "solo"], cells));
  }
  facts.push(["files", manifest.imported.files.map((file) => file.name).join(", ")]);
  return (await table([], facts)) + (await configurationTable(detail.summary));
}

async function configurationTable(summary: SummaryRecord | undefined): Promise<string> {
  const rows = (summary?.configurations ?? []).map((one) => [
    one.test,
    one.scenario,
    String(one.runs.length),
    formatNumber(one.average_concurrency_speedup, 3),
    formatNumber(one.average_efficiency, 1),
    one.contention_runs === undefined ? UNKNOWN : String(one.contention_runs),
  ]);
  return table(["test", "scenario", "runs", "balance index", "efficiency %", "contention runs"], rows);
}

async function importFiles(
  files: readonly string[],
  options: CommonOptions & { readonly scenario: string },
  io: CliIo,
): Promise<ExitCode> {
  const { importResults } = await import("../../store/import.ts");
  const { entropySeed } = await import("../../core/random.ts");
  const { slipwayVersion } = await import("../version.ts");
  const imported = importResults({
    files: files.map((file) => resolve(io.cwd, file)),
    runsDir: resolve(io.cwd, options.runsDir),
    scenario: options.scenario,
    seed: entropySeed(),
    slipwayVersion: slipwayVersion(),
    command: ["runs", "import", ...files],
    clock: io.clock,
  });
  const { path, summary, notes } = imported;
  if (options.json === true) writeJson(io, { runId: summary.run_id, path, summary, notes });
  else {
    io.out(await configurationTable(summary));
    io.out(`imported as ${basename(path)}; see it again with: slipway runs show ${basename(path)}\n`);
  }
  for (const note of notes) io.err(`note: ${printable(note)}\n`);
  return 0;
}

function writeJson(io: CliIo, document: unknown): void {
  io.out(`${JSON.stringify(document, undefined, 2)}\n`);
}

/** Labels, models and file names were written by others: a terminal must not obey them. */
async function table(head: readonly string[], rows: readonly (readonly string[])[]): Promise<string> {
  if (rows.length === 0) return "";
  const { default: Table } = await import("cli-table3");
  const built = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  built.push(...rows.map((row) => row.map(printable)));
  return `${built.toString()}\n`;
}
