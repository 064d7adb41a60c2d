import { describe, expect, it } from "vitest";
import { renderSectionMarkdown } from "./section-markdown.ts";
import { renderSectionText } from "./section-text.ts";
import type { Section } from "./section.ts";
import { command, heading, lead, left, list, outline, right, table } from "./section.ts";

/** A colour, a bell, a C1 introducer, a mark that draws the rest backwards, and a line that poses as a heading. */
const HOSTILE = "\u001b[31mred\u0007\u009b2J\u202egnp.exe\n## injected";

const EVERYWHERE: Section = {
  id: "hostile",
  title: HOSTILE,
  simulated: false,
  blocks: [
    lead(HOSTILE),
    heading(HOSTILE),
    command(HOSTILE),
    ...list([HOSTILE]),
    outline([{ text: HOSTILE, under: [{ text: HOSTILE, under: [] }] }]),
    ...table(HOSTILE, [left(HOSTILE), right("n")], [[HOSTILE, "1"]]),
  ],
};

/** A line feed is the renderer's own. */
const OBEYED = /[\p{Bidi_Control}\u2028\u2029]|(?!\n)\p{Cc}/u;

describe("names that others chose", () => {
  it.each([200, 60])("cannot steer a terminal of %d columns", (columns) => {
    const text = renderSectionText(EVERYWHERE, columns);
    expect(text).toContain("gnp.exe");
    expect(text).not.toMatch(OBEYED);
    expect(text).not.toMatch(/^## injected/m);
  });

  it("cannot begin a heading or break a table in Markdown", () => {
    const text = renderSectionMarkdown(EVERYWHERE);
    expect(text).not.toMatch(OBEYED);
    expect(text).not.toMatch(/^## injected/m);
    // The title is the only heading of its rank, and the table has a head, a rule and one row.
    expect(text.match(/^## /gm)).toHaveLength(1);
    expect(text.match(/^\|/gm)).toHaveLength(3);
  });
});
