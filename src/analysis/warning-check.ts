/** What every check for warnings is given, and what it gives. */
import type { RunManifest } from "../record/run-manifest.ts";
import type { RunNotice } from "../record/run-source.ts";
import type { AgentPlan } from "./agent-plan.ts";
import type { BlockAgent, BlockAnalysis } from "./block.ts";
import type { CellAnalysis } from "./cell.ts";
import type { FoldedRun } from "./run-fold.ts";

export interface RunWarning {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export interface WarningInput {
  readonly manifest: Pick<RunManifest, "endpoints" | "plannedTrials">;
  readonly run: FoldedRun;
  readonly cells: readonly CellAnalysis[];
  readonly plan: AgentPlan;
  /** Of the files, once they have been visited. */
  readonly notices: readonly RunNotice[];
}

export type WarningCheck = (input: WarningInput) => readonly RunWarning[];

export function blockAgents(
  cells: readonly CellAnalysis[],
): readonly { readonly block: BlockAnalysis; readonly agent: BlockAgent }[] {
  return cells.flatMap((cell) =>
    cell.blocks.flatMap((block) => block.agents.map((agent) => ({ block, agent }))),
  );
}

export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}

/** `+29 %` for a ratio of 1.29. */
export function changeText(ratio: number): string {
  const change = ((ratio - 1) * 100).toFixed(0);
  return `${change.startsWith("-") ? "−" : "+"}${change.replace("-", "")} %`;
}

/** The entry that is furthest from its counterpart, whichever way. */
export function furthestOff<T extends { readonly ratio: number }>(entries: readonly T[]): T | undefined {
  const distance = ({ ratio }: T): number => Math.abs(Math.log(ratio));
  return entries.reduce<T | undefined>(
    (most, one) => (most === undefined || distance(one) > distance(most) ? one : most),
    undefined,
  );
}
