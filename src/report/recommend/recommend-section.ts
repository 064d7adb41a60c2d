/** Recommendations as a section: sentences that carry their numbers and end in a command to run. */
import type { AntiPattern } from "../../analysis/recommend/anti-patterns.ts";
import type { DecisionNode, Recommendation, Recommendations } from "../../analysis/recommend/recommend.ts";
import type { Ranking, TieReason } from "../../analysis/recommend/rank.ts";
import { figureText, pText, withUnit } from "../section/figure-text.ts";
import type { OutlineItem, Section, SectionBlock } from "../section/section.ts";
import { command, heading, lead, list, note, outline, plain } from "../section/section.ts";

export function recommendSection(all: Recommendations): Section {
  return {
    id: "recommendations",
    title: "Recommendations",
    simulated: all.simulated,
    blocks: [
      ...tierBlocks(all),
      ...list(all.cautions),
      ...habitBlocks(all),
      ...(all.tree === undefined ? [] : [heading("Decision tree"), outline([treeItem(all.tree, all)])]),
    ],
  };
}

/**
 * A habit that only recommended cells have is no advice against them, but how they could do better;
 * one that others have too is to be stopped, and says which of its cells are recommended all the same.
 */
function habitBlocks(all: Recommendations): readonly SectionBlock[] {
  const chosen = recommendedLabels(all);
  const own = all.antiPatterns.filter(
    ({ cells }) => cells.length > 0 && cells.every((label) => chosen.includes(label)),
  );
  const others = all.antiPatterns.filter((pattern) => !own.includes(pattern));
  return [
    heading("Stop doing"),
    ...list(others.map((pattern) => `${habitText(pattern)}${despite(pattern, chosen)}`)),
    ...(others.length > 0
      ? []
      : [
          plain(
            own.length === 0
              ? "None of the known anti-patterns shows in these data."
              : "None of the known anti-patterns shows in the other cells.",
          ),
        ]),
    ...(own.length === 0 ? [] : [heading("Better than the best of these cells")]),
    ...list(
      own.map((pattern) => `recommended all the same, ${pattern.cells.join(", ")}: ${habitText(pattern)}`),
    ),
  ];
}

function habitText({ title, evidence, instead }: AntiPattern): string {
  return `${title}: ${evidence}. Instead: ${instead}.`;
}

function despite({ cells }: AntiPattern, chosen: readonly string[]): string {
  const both = cells.filter((label) => chosen.includes(label));
  return both.length === 0 ? "" : ` Recommended all the same: ${both.join(", ")}.`;
}

/** Cells that some need is told to use. */
function recommendedLabels({ needs, constrained }: Recommendations): readonly string[] {
  const all = constrained === undefined ? needs : [...needs, constrained];
  return all.flatMap(({ ranking }) =>
    ranking.kind === "best" || ranking.kind === "tie" ? [ranking.leader.label] : [],
  );
}

/** What keeps every need from an answer is said once. */
function tierBlocks({ needs, constrained }: Recommendations): readonly SectionBlock[] {
  const [overall, ...others] = needs;
  if (overall === undefined) return [];
  const first = recommendationBlocks(overall, lead);
  if (overall.ranking.kind === "only-one" || overall.ranking.kind === "too-few") return first;
  const tiers = constrained === undefined ? others : [...others, constrained];
  return [
    ...first,
    ...tiers.flatMap((one) => recommendationBlocks(one, plain)),
    ...(constrained === undefined ? [] : [note(resourcesSentence(constrained.resources))]),
  ];
}

function recommendationBlocks(
  one: Recommendation,
  weight: (text: string) => SectionBlock,
): readonly SectionBlock[] {
  const blocks = [weight(`${capital(one.title)}: ${sentence(one)}`)];
  return one.command === undefined ? blocks : [...blocks, command(one.command)];
}

function sentence({ need, ranking, title }: Recommendation): string {
  switch (ranking.kind) {
    case "no-data":
      return `unknown, no trial has its ${need.figure}.`;
    case "only-one":
      if (title === "constrained")
        return `${ranking.leader.label} takes least, with ${need.figure} ${shown(ranking.leader.mean, need)} over ${ranking.leader.values.length} trials.`;
      return `${ranking.leader.label} is the only cell, ${need.figure} ${shown(ranking.leader.mean, need)}: there is nothing to choose between.`;
    case "too-few":
      return `nothing can be recommended from ${ranking.trials} trial${ranking.trials === 1 ? "" : "s"} a cell; ${ranking.needed} are needed and 5 make a useful interval. So far ${ranking.leader.label} leads in ${need.figure} (${shown(ranking.leader.mean, need)}).`;
    case "best":
      return bestSentence(ranking, need);
    case "tie":
      return tieSentence(ranking, need);
  }
}

function bestSentence(ranking: Extract<Ranking, { kind: "best" }>, need: Recommendation["need"]): string {
  const { leader, beaten } = ranking;
  const [next] = beaten;
  const over =
    next === undefined
      ? ""
      : `, ${withUnit(next.difference, need.unit === "%" ? "points" : need.unit)} ${need.shown === "negated" ? "less" : "more"} than ${next.contender.label}${next.adjustedP === undefined ? "" : ` (Welch, Holm p = ${pText(next.adjustedP)})`}`;
  return `use ${leader.label}: ${need.figure} ${shown(leader.mean, need)} over ${leader.values.length} trials${over}.`;
}

function tieSentence(ranking: Extract<Ranking, { kind: "tie" }>, need: Recommendation["need"]): string {
  const { leader, tied, beaten, neededTrials } = ranking;
  const same = tied.every(({ reason }) => reason === "same-settings");
  const others = tied
    .slice(0, MOST_NAMED)
    .map(
      ({ contender, reason }) => `${contender.label} (${shown(contender.mean, need)}; ${TIE_WORDS[reason]})`,
    );
  const rest = tied.length > MOST_NAMED ? ` and ${tied.length - MOST_NAMED} more` : "";
  const among = `${leader.label} has ${need.figure} ${shown(leader.mean, need)} over ${leader.values.length} trials and cannot be told from ${others.join(", ")}${rest}`;
  const beat =
    beaten.length === 0
      ? ""
      : ` They are ahead of the other ${beaten.length === 1 ? "cell" : `${beaten.length} cells`}.`;
  const more =
    neededTrials === undefined
      ? ""
      : ` About ${neededTrials} trials of each would show the largest of these distances, if it is real.`;
  return `${same ? "any of these" : "no single best"}: ${among}.${beat}${more}`;
}

/** A sentence with more cells than this is a list that nobody reads. */
const MOST_NAMED = 3;

const TIE_WORDS: Readonly<Record<TieReason, string>> = {
  "same-settings": "the same effective settings",
  "noise-floor": "within the noise floor",
  "not-significant": "may be chance",
  "no-variance": "no variance to judge by",
};

function shown(value: number, need: Recommendation["need"]): string {
  return withUnit(need.shown === "negated" ? -value : value, need.unit);
}

function resourcesSentence(resources: NonNullable<Recommendations["constrained"]>["resources"]): string {
  const context =
    resources.contextTokens === undefined
      ? ""
      : ` and ${figureText(resources.contextTokens)} tokens of context in all`;
  return `Constrained: only cells with ${resources.endpoints} endpoint${resources.endpoints === 1 ? "" : "s"}${context}.`;
}

/** A question with its answers under it; an answer that leads to another question has that under it. */
function treeItem(node: DecisionNode, all: Recommendations): OutlineItem {
  if (node.kind !== "question") return { text: leafText(node, all), under: [] };
  return {
    text: node.question,
    under: node.answers.map(({ answer, next }) =>
      next.kind === "question"
        ? { text: `${answer}:`, under: [treeItem(next, all)] }
        : { text: `${answer}: ${leafText(next, all)}`, under: [] },
    ),
  };
}

function leafText(node: Exclude<DecisionNode, { kind: "question" }>, all: Recommendations): string {
  if (node.kind === "in-turn")
    return `run them one after the other; together even the best cell has a true speedup of ${figureText(node.trueSpeedup)}`;
  const one =
    node.need === "constrained" ? all.constrained : all.needs.find(({ need }) => need.id === node.need);
  if (one === undefined || one.ranking.kind === "no-data") return "unknown";
  const { ranking, need } = one;
  const words = {
    best: "",
    tie: ", or one of those it cannot be told from",
    "too-few": ", not yet sure",
    "only-one": "",
  } as const;
  return `${ranking.leader.label} (${need.figure} ${shown(ranking.leader.mean, need)}${words[ranking.kind]})`;
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
