/** Which cell to use, overall and per need; what to stop doing; and the tree of questions that leads there. */
import { defined } from "../../core/assert.ts";
import type { RunAnalysis } from "../analyse-run.ts";
import type { CellAnalysis } from "../cell.ts";
import { lengthsDiffer } from "../comparability.ts";
import { mean } from "../../stats/quantile.ts";
import type { AntiPattern } from "./anti-patterns.ts";
import { antiPatterns } from "./anti-patterns.ts";
import { judgedSpeedup } from "./judged-speedup.ts";
import type { Need } from "./need.ts";
import { NEEDS } from "./need.ts";
import type { Ranking } from "./rank.ts";
import { rank } from "./rank.ts";
import { readyCommand, repeatCommand } from "./ready-command.ts";
import type { CellResources } from "./resources.ts";
import { cellResources, thriftiest } from "./resources.ts";

export interface Recommendation {
  readonly need: Need;
  readonly title: string;
  readonly ranking: Ranking;
  /** Runs the recommended cell, or what would make a recommendation possible. */
  readonly command: string | undefined;
}

export interface Recommendations {
  readonly runId: string;
  readonly simulated: boolean;
  readonly needs: readonly Recommendation[];
  /** Among the cells that take least; absent where all take the same, or it is not recorded. */
  readonly constrained: (Recommendation & { readonly resources: CellResources }) | undefined;
  readonly antiPatterns: readonly AntiPattern[];
  /** Absent where there is nothing to choose between, or too little to choose by. */
  readonly tree: DecisionNode | undefined;
  /** Why cells may not be comparable at all. */
  readonly cautions: readonly string[];
}

export type DecisionNode =
  | {
      readonly kind: "question";
      readonly question: string;
      readonly answers: readonly { readonly answer: string; readonly next: DecisionNode }[];
    }
  /** `need`: what the recommendation of that need says. */
  | { readonly kind: "need"; readonly need: Need["id"] | "constrained" }
  | { readonly kind: "in-turn"; readonly trueSpeedup: number };

/** Makes an interval about 1.2 deviations wide each side. */
const USEFUL_TRIALS = 5;

export function recommend(analysis: RunAnalysis): Recommendations {
  const needs = NEEDS.map((need) => recommendation(need, need.title, analysis.cells, analysis));
  const constrained = constrainedTier(analysis);
  return {
    runId: analysis.manifest.runId,
    simulated: analysis.simulated,
    needs,
    constrained,
    antiPatterns: antiPatterns(analysis),
    tree: decisionTree(analysis, needs, constrained),
    cautions: cautions(analysis.cells),
  };
}

function recommendation(
  need: Need,
  title: string,
  cells: readonly CellAnalysis[],
  { manifest }: RunAnalysis,
): Recommendation {
  const ranking = rank(cells, need, noiseFloorOf(cells, need));
  return { need, title, ranking, command: commandOf(ranking, cells, manifest) };
}

function commandOf(
  ranking: Ranking,
  cells: readonly CellAnalysis[],
  manifest: RunAnalysis["manifest"],
): string | undefined {
  if (ranking.kind === "no-data") return undefined;
  if (ranking.kind === "too-few") return repeatCommand(manifest, USEFUL_TRIALS);
  if (
    ranking.kind === "tie" &&
    ranking.neededTrials !== undefined &&
    ranking.neededTrials <= MOST_TRIALS_WORTH
  )
    return repeatCommand(manifest, ranking.neededTrials);
  const leader = cells.find((cell) => cell.hash === ranking.leader.cellHash);
  return readyCommand(defined(leader, "the leader's cell"), manifest);
}

/** A difference that needs more trials than this is smaller than the drift of a machine over a day. */
const MOST_TRIALS_WORTH = 50;

/** The largest distance between cells whose effective settings are the same, in the need's figure. */
function noiseFloorOf(cells: readonly CellAnalysis[], need: Need): number | undefined {
  const byHash = new Map<string, number[]>();
  for (const cell of cells) {
    const own = mean(cell.blocks.map(need.of).filter((value) => value !== undefined));
    if (cell.effectiveHash === undefined || own === undefined) continue;
    byHash.set(cell.effectiveHash, [...(byHash.get(cell.effectiveHash) ?? []), own]);
  }
  const ranges = [...byHash.values()]
    .filter((means) => means.length > 1)
    .map((means) => Math.max(...means) - Math.min(...means));
  return ranges.length === 0 ? undefined : Math.max(...ranges);
}

/** Fewest endpoints, then least context; among those, most work. */
function constrainedTier(analysis: RunAnalysis): Recommendations["constrained"] {
  const [mostWork] = NEEDS;
  const least = thriftiest(
    analysis.cells.map((cell) => ({ cell, resources: cellResources(cell, analysis.manifest.spec) })),
  );
  if (least === undefined || mostWork === undefined) return undefined;
  return {
    ...recommendation(mostWork, "constrained", least.cells, analysis),
    resources: least.resources,
  };
}

function decisionTree(
  { cells }: RunAnalysis,
  needs: readonly Recommendation[],
  constrained: Recommendation | undefined,
): DecisionNode | undefined {
  const decided = ({ ranking }: Recommendation): boolean => ranking.kind === "best" || ranking.kind === "tie";
  const answers = needs.filter(decided).map(({ need }) => ({
    answer: WISHES[need.id],
    next: { kind: "need", need: need.id } as const,
  }));
  if (answers.length === 0) return undefined;
  const least = { answer: WISHES.constrained, next: { kind: "need", need: "constrained" } as const };
  const wishes: DecisionNode = {
    kind: "question",
    question: "What matters most?",
    answers: constrained === undefined ? answers : [...answers, least],
  };
  const inTurn = fasterInTurn(cells);
  if (inTurn === undefined) return wishes;
  return {
    kind: "question",
    question: "Must the agents run at the same time?",
    answers: [
      { answer: "no", next: { kind: "in-turn", trueSpeedup: inTurn } },
      { answer: "yes", next: wishes },
    ],
  };
}

const WISHES: Readonly<Record<Need["id"] | "constrained", string>> = {
  "most-work": "the most work done",
  "highest-efficiency": "that agents keep the speed they have alone",
  balanced: "a bit of everything",
  "first-token": "a quick first token",
  constrained: "as little memory as possible",
};

/** The best cell's true speedup, where even that lies below 1 by its whole interval. */
function fasterInTurn(cells: readonly CellAnalysis[]): number | undefined {
  const speedups = cells.map(judgedSpeedup).filter((one) => one !== undefined);
  if (speedups.length === 0 || speedups.length < cells.length) return undefined;
  const below = speedups.every(({ spread }) => spread.kind === "known" && spread.ci95.high < 1);
  return below ? Math.max(...speedups.map((one) => one.mean)) : undefined;
}

function cautions(cells: readonly CellAnalysis[]): readonly string[] {
  const counts = new Set(cells.map((cell) => cell.agentNames.length));
  const outputs = cells
    .map((cell) =>
      mean(
        cell.blocks.flatMap((block) =>
          block.agents.map((agent) => agent.together.outputPerRequest).filter((one) => one !== undefined),
        ),
      ),
    )
    .filter((one) => one !== undefined);
  const apart = lengthsDiffer(Math.max(...outputs), Math.min(...outputs));
  return [
    ...(counts.size > 1
      ? ["cells have different numbers of agents: more agents do more work, each more slowly"]
      : []),
    ...(outputs.length > 1 && apart
      ? ["answers of the cells differ in length: they did not do the same work"]
      : []),
  ];
}
