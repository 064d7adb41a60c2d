import { describe, expect, it } from "vitest";
import { block, reportOf } from "../../../test/fakes/viewed-run.ts";
import { html } from "./markup.ts";
import { runSections } from "./run-sections.ts";

/** The section on configurations, of cells of so many agents each. */
function configurations(counts: readonly number[]): string {
  const { model, views } = reportOf(
    counts.flatMap((count, index) =>
      [0, 1].flatMap((repeat) =>
        block({
          repeat,
          cell: `cell ${index}`,
          names: ["a", "b", "c", "d"].slice(0, count),
          togetherTokS: 50 + index,
        }),
      ),
    ),
  );
  const frame = { draw: () => html``, prefix: "run", level: 2, simulated: false } as const;
  const section = runSections({ model, views, asked: [] }, frame).find(({ id }) => id === "configurations");
  return (section?.body ?? []).map(({ text }) => text).join("\n");
}

describe("the section on configurations", () => {
  it("says what its averages are of", () => {
    const section = configurations([2, 2]);
    expect(section).toContain("Over all 4 together trials: 2 cells of 2 agents each");
    expect(section.match(/<table/g)).toHaveLength(2);
  });

  it("has no table of averages where cells may not be averaged, and says why", () => {
    const section = configurations([2, 4]);
    expect(section).toContain("<p>No averages over all cells: their agent counts differ.</p>");
    expect(section.match(/<table/g)).toHaveLength(1);
  });
});
