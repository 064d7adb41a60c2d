import { describe, expect, it } from "vitest";
import type { MadeCell } from "../../../test/fakes/two-agent-run.ts";
import { twoAgentRun } from "../../../test/fakes/two-agent-run.ts";
import { defined } from "../../core/assert.ts";
import { analyseRun } from "../analyse-run.ts";
import type { CellAnalysis } from "../cell.ts";
import { NEEDS } from "./need.ts";
import { rank } from "./rank.ts";
import { thriftiest } from "./resources.ts";

const [MOST_WORK] = NEEDS;
const need = defined(MOST_WORK, "a need");

function cellsOf(...cells: readonly MadeCell[]): readonly CellAnalysis[] {
  return analyseRun(twoAgentRun(cells)).cells;
}

const slow: MadeCell = { cell: "slow", togetherTokS: [50, 51, 52, 50.5, 51.5] };
const fast: MadeCell = { cell: "fast", togetherTokS: [70, 71, 72, 70.5, 71.5] };
const sameHash = (cell: MadeCell): MadeCell => ({ ...cell, record: () => ({ effectiveHash: "same" }) });

describe("ranking cells", () => {
  it("finds the best where it is ahead of every other by more than chance", () => {
    const ranking = rank(cellsOf(slow, fast), need, undefined);
    expect(ranking).toMatchObject({ kind: "best", leader: { label: "fast" } });
    expect(ranking.kind === "best" && ranking.beaten.map((one) => one.contender.label)).toEqual(["slow"]);
  });

  it("calls a difference within the noise floor none, however small its p", () => {
    expect(rank(cellsOf(slow, fast), need, 1_000)).toMatchObject({
      kind: "tie",
      tied: [{ reason: "noise-floor", adjustedP: expect.closeTo(0, 4) }],
      neededTrials: undefined,
    });
  });

  it("calls cells with the same effective settings repeats, however far apart they came out", () => {
    expect(rank(cellsOf(sameHash(slow), sameHash(fast)), need, undefined)).toMatchObject({
      kind: "tie",
      tied: [{ reason: "same-settings" }],
    });
  });

  it("says how many trials would show a difference that chance may explain", () => {
    const noisy = rank(
      cellsOf({ cell: "a", togetherTokS: [50, 60, 55] }, { cell: "b", togetherTokS: [52, 63, 57] }),
      need,
      undefined,
    );
    expect(noisy).toMatchObject({ kind: "tie", tied: [{ reason: "not-significant" }] });
    expect(noisy.kind === "tie" && noisy.neededTrials).toBeGreaterThan(10);
  });

  it("asks for more trials than there are, and for more still against several rivals", () => {
    const ahead: MadeCell = { cell: "ahead", togetherTokS: [60, 62, 64] };
    const rivals = (count: number): readonly MadeCell[] =>
      Array.from({ length: count }, (_, place) => ({ cell: `rival ${place}`, togetherTokS: [57, 59, 61] }));
    const needed = (count: number): number => {
      const ranking = rank(cellsOf(ahead, ...rivals(count)), need, undefined);
      return defined(ranking.kind === "tie" ? ranking.neededTrials : undefined, "a number of trials");
    };
    expect(needed(1)).toBeGreaterThan(3);
    expect(needed(4)).toBeGreaterThan(needed(1));
  });

  it("asks for one more at least where only the correction for several rivals stands in the way", () => {
    // Against one rival d = 5.5 decides with three trials each; against forty its p does not.
    const rivals = Array.from({ length: 40 }, (_, place) => ({
      cell: `rival ${place}`,
      togetherTokS: [49, 51, 53],
    }));
    const cells = cellsOf({ cell: "ahead", togetherTokS: [60, 62, 64] }, ...rivals);
    const ranking = rank(cells, need, undefined);
    expect(ranking).toMatchObject({ kind: "tie" });
    expect(ranking.kind === "tie" && ranking.neededTrials).toBeGreaterThan(3);
  });

  it("ranks nothing on two trials a cell, and nothing alone", () => {
    const two = cellsOf({ cell: "a", togetherTokS: [50, 51] }, { cell: "b", togetherTokS: [80, 81] });
    expect(rank(two, need, undefined)).toMatchObject({ kind: "too-few", trials: 2, needed: 3 });
    expect(rank(cellsOf(slow), need, undefined).kind).toBe("only-one");
    expect(rank([], need, undefined)).toEqual({ kind: "no-data" });
  });
});

describe("the cells that take least", () => {
  const [first, second] = cellsOf(slow, fast);
  const priced = (endpoints: number, contextTokens?: number) => ({ endpoints, contextTokens });
  const of = (a: ReturnType<typeof priced>, b: ReturnType<typeof priced>) =>
    thriftiest([
      { cell: defined(first, "a cell"), resources: a },
      { cell: defined(second, "a cell"), resources: b },
    ])?.cells.map((cell) => cell.label);

  it("have the fewest endpoints, and of those the least context", () => {
    expect(of(priced(2, 512), priced(1, 4096))).toEqual(["fast"]);
    expect(of(priced(2, 512), priced(2, 4096))).toEqual(["slow"]);
  });

  it("are none in particular where all take the same, or a context is not recorded", () => {
    expect(of(priced(2, 512), priced(2, 512))).toBeUndefined();
    expect(of(priced(2, 512), priced(2))).toBeUndefined();
  });
});
