import { describe, expect, it } from "vitest";
import { block, reportOf } from "../../../test/fakes/viewed-run.ts";
import type { Section } from "../section/section.ts";
import { outline } from "../section/section.ts";
import type { TextTable } from "../tables.ts";
import { tableMarkup } from "./blocks.ts";
import { html } from "./markup.ts";
import { runSections } from "./run-sections.ts";
import { sectionBody } from "./section-body.ts";

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

it("has no heading without words: a row or a column that has no name starts with a plain cell", () => {
  const table: TextTable = {
    columns: [
      { heading: [""], align: "left" },
      { heading: ["value"], align: "right" },
    ],
    rows: [
      ["", "1"],
      ["named", "2"],
    ],
  };
  const { text } = tableMarkup(table, "made");
  expect(text).not.toMatch(/<th[^>]*>\s*<\/th>/);
  expect(text.match(/<th /g)).toHaveLength(2);
});

it("hangs the answers of a decision tree under their question", () => {
  const frame = { draw: () => html``, prefix: "run", level: 2, simulated: false } as const;
  const answers = [
    { text: "one", under: [] },
    { text: "two <b>", under: [{ text: "three", under: [] }] },
  ];
  const section: Section = {
    id: "made",
    title: "Made",
    simulated: false,
    blocks: [outline([{ text: "What?", under: answers }])],
  };
  const text = sectionBody(section, frame)
    .map((part) => part.text)
    .join("");
  expect(text.replaceAll("\n", "").replaceAll(' class="items"', "")).toBe(
    "<ul><li>What?<ul><li>one</li><li>two &lt;b&gt;<ul><li>three</li></ul></li></ul></li></ul>",
  );
});

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
