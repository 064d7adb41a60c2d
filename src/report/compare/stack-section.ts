/** Several servers under the same work, as one table and the sentences that a table does not say. */
import type { StackComparison, StackRow } from "../../analysis/stacks.ts";
import { UNKNOWN } from "../../core/units.ts";
import type { Description } from "../../stats/describe.ts";
import { figureText, withUnit } from "../section/figure-text.ts";
import type { Section, SectionBlock } from "../section/section.ts";
import { lead, left, list, note, right, table } from "../section/section.ts";

export function stackSection({ rows, simulated, unlikeWork, caveats }: StackComparison): Section {
  return {
    id: "stacks",
    title: unlikeWork ? "Stacks under unlike work" : "Stacks under the same work",
    simulated,
    blocks: [
      ...(unlikeWork
        ? [lead("The stacks did not do the same work, so none of them is named best.")]
        : answer(rows)),
      ...list(
        rows.map(
          (row, index) =>
            `${letter(index)}: ${row.stack}, ${row.cell}, ${row.models.join(" and ") || "model unknown"}${row.simulated ? ", SIMULATED" : ""}`,
        ),
      ),
      ...list(caveats.map(({ code, message, remedy }) => `${code}: ${message}. → ${remedy}`)),
      ...table(
        "",
        [
          left(""),
          left("engine"),
          right("N"),
          right("tok/s"),
          right("gain"),
          right("kept"),
          right("TTFT alone"),
          right("together"),
          right("queueing"),
        ],
        rows.map((row, index) => [
          letter(index),
          row.engines.join(" ") || UNKNOWN,
          String(row.agents),
          figureText(row.aggregateTokS?.mean),
          withUnit(row.aggregateGain?.mean, "×"),
          percent(row.retention),
          withUnit(row.ttftMsAlone, "ms"),
          withUnit(row.ttftMsTogether?.mean, "ms"),
          withUnit(row.queueing?.msPerToken.mean, "ms/tok"),
        ]),
      ),
      ...table(
        "What sharing adds to each output token",
        [
          left(""),
          right("trials"),
          right("ms per token"),
          right("95 % CI"),
          right("before the first"),
          right("between tokens"),
        ],
        rows.map((row, index) => [
          letter(index),
          String(row.trials),
          figureText(row.queueing?.msPerToken.mean),
          interval(row.queueing?.msPerToken),
          figureText(row.queueing?.beforeFirstMsPerToken),
          figureText(row.queueing?.decodingMsPerToken),
        ]),
      ),
      note(
        "kept: an agent's throughput together ÷ alone. gain: all together ÷ one after the other. Queueing: how much longer a token takes than it takes alone; before the first token it is waiting and prefill, between tokens it is steps that serve others too.",
      ),
    ],
  };
}

/** Stacks rank among those with as many agents that answered what they were asked; whose interval reaches the best one's is not told from it. */
function answer(rows: readonly StackRow[]): readonly SectionBlock[] {
  const most = Math.max(...rows.map((row) => row.agents));
  const fullest = rows.filter((row) => row.agents === most && !row.losesRequests);
  const leaders = (figure: Figure, better: "higher" | "lower"): string | undefined => {
    const found = leading(fullest, figure, better).map((row) => letter(rows.indexOf(row)));
    return found.length === 0 ? undefined : found.join(" and ");
  };
  const parts = [
    ["most tokens together", leaders((row) => row.aggregateTokS, "higher")],
    ["most kept by each agent", leaders((row) => row.retention, "higher")],
    ["least queueing per token", leaders((row) => row.queueing?.msPerToken, "lower")],
  ].flatMap(([what, who]) => (who === undefined ? [] : [`${what}: ${who}`]));
  if (parts.length === 0) return [lead(`With ${most} agents no stack is told from the others.`)];
  return [lead(`With ${most} agents, ${parts.join("; ")}.`)];
}

type Figure = (row: StackRow) => Description | undefined;

/** The best and all whose interval overlaps its own; none where that is everybody. */
function leading(rows: readonly StackRow[], figure: Figure, better: "higher" | "lower"): readonly StackRow[] {
  const known = rows.flatMap((row) => {
    const description = figure(row);
    return description === undefined ? [] : [{ row, description }];
  });
  const sign = better === "higher" ? 1 : -1;
  const [best] = [...known].sort((one, other) => sign * (other.description.mean - one.description.mean));
  if (best === undefined) return [];
  const level = known.filter(
    ({ row, description }) => row === best.row || overlap(description, best.description),
  );
  return level.length === known.length ? [] : level.map(({ row }) => row);
}

/** A, B, … Z; runs beyond the alphabet are numbered. */
function letter(index: number): string {
  return index < LETTERS.length ? (LETTERS[index] as string) : String(index + 1);
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

function overlap(one: Description, other: Description): boolean {
  if (one.spread.kind !== "known" || other.spread.kind !== "known") return true;
  const [a, b] = [one.spread.ci95, other.spread.ci95];
  return a.low <= b.high && b.low <= a.high;
}

function percent(description: Description | undefined): string {
  return description === undefined ? UNKNOWN : `${(description.mean * 100).toFixed(0)} %`;
}

function interval(description: Description | undefined): string {
  if (description === undefined) return UNKNOWN;
  const { spread } = description;
  if (spread.kind !== "known") return spread.kind === "too-few" ? "one trial" : "no variance";
  return `${figureText(spread.ci95.low)} … ${figureText(spread.ci95.high)}`;
}
