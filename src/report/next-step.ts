/** The one command that would teach most next, ready to be copied. */
import type { RunAnalysis } from "../analysis/analyse-run.ts";

/** With five repeats a 95 % interval is 1.2 standard deviations wide each side; with three, 2.5. */
const FEWEST_RUNS_FOR_A_SPREAD = 5;

export function nextStep(analysis: RunAnalysis, runDirectory: string | undefined): string {
  const { manifest, simulated, cells, totals } = analysis;
  if (manifest.imported !== undefined)
    return `slipway compare ${manifest.runId} <another run>   (whether two results differ)`;
  const blocks = cells.flatMap((cell) => cell.blocks);
  if (blocks.length < manifest.cells.length || manifest.status === "interrupted")
    return `slipway bench --resume ${quoted(runDirectory ?? manifest.runId)}`;
  if (totals.answered === 0) return "slipway doctor   (what answers, and what is wrong with the rest)";
  if (simulated) return "slipway doctor   (which engines and models this machine has, to measure a real one)";
  const again = withRuns(manifest.command, FEWEST_RUNS_FOR_A_SPREAD);
  if (again !== undefined && cells.every((cell) => cell.blocks.length < FEWEST_RUNS_FOR_A_SPREAD))
    return `${again}   (intervals need repeats)`;
  return `slipway runs show ${manifest.runId}`;
}

/** The command that made the run, with another number of repeats; `undefined` where it was no benchmark. */
function withRuns(command: readonly string[], runs: number): string | undefined {
  const [program, subcommand, ...given] = command;
  if (program === undefined || subcommand !== "bench") return undefined;
  const kept = given.filter(
    (argument, index) => !/^--runs(?:=|$)/.test(argument) && given[index - 1] !== "--runs",
  );
  return [program, subcommand, ...kept, "--runs", String(runs)].map(quoted).join(" ");
}

/** As a POSIX shell reads it: whatever it could take for its own stands in single quotes. */
function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", String.raw`'\''`)}'`;
}
