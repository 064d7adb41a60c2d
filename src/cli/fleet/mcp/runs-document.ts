/** Runs for an agent: a list, or one run's figures. */
import type { SummaryRecord } from "../../../record/summary-record.ts";
import { findRun, listRuns, runStatus } from "../../../store/list-runs.ts";
import type { RunListing } from "../../../store/list-runs.ts";
import { readManifest, readSummary } from "../../../store/read-run.ts";

/** What an agent can take in at once; the ids of older runs begin with their time, so they can be asked for. */
const MOST_RUNS = 50;

/** The latest first. */
export function runsDocument(runsDir: string): object {
  const all = listRuns(runsDir);
  const shown = all.slice(-MOST_RUNS).toReversed();
  return {
    runs: shown.map(listed),
    ...(all.length > shown.length ? { older: all.length - shown.length } : {}),
  };
}

function listed(one: RunListing): object {
  if (one.kind === "unreadable") return { runId: one.runId, status: "unreadable", reason: one.reason };
  const { runId, status, manifest, completeTrials } = one;
  const { scenario, startedIso, simulated, plannedTrials } = manifest;
  return { runId, status, scenario, startedIso, simulated, completeTrials, plannedTrials };
}

/** Throws RUN_NOT_FOUND, and RUN_DAMAGED for one that cannot be read. */
export function oneRunDocument(runsDir: string, name: string, cwd: string): object {
  const path = findRun(runsDir, name, cwd);
  const manifest = readManifest(path);
  const { runId, scenario, startedIso, endedIso, simulated, endpoints } = manifest;
  const summary = readSummary(path);
  return {
    runId,
    status: runStatus(path, manifest),
    scenario,
    startedIso,
    ...(endedIso === undefined ? {} : { endedIso }),
    simulated,
    endpoints: endpoints.map(({ name: endpoint, engine, model }) => ({
      endpoint,
      engine,
      ...(model === undefined ? {} : { model }),
    })),
    ...(summary === undefined ? {} : { configurations: summary.configurations.map(withoutRuns) }),
  };
}

/** Averages of a configuration; its single runs are counted, since there may be thousands. */
function withoutRuns({ runs, ...averages }: SummaryRecord["configurations"][number]): object {
  return { ...averages, runs: runs.length };
}
