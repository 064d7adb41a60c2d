/** A section for the terminal: tables of text whose longest column gives way, sentences that wrap. */
import stringWidth from "string-width";
import { printable } from "../../core/errors.ts";
import { SIMULATED_NOTICE } from "../tables.ts";
import type { OutlineItem, Section, SectionBlock } from "./section.ts";

const GAP = "  ";
/** A column of words is not made narrower than this; the table is then read row by row. */
const NARROWEST_WORDS = 14;
/** Rows of so many lines run into each other without an empty line between them. */
const TALL_ROW_LINES = 3;
/** Below this a table cannot hold its numbers; a narrower terminal wraps. */
const NARROWEST_COLUMNS = 60;

export function renderSectionText(section: Section, columns: number): string {
  const width = Math.max(columns, NARROWEST_COLUMNS);
  const blocks = [
    printable(section.title).toUpperCase(),
    ...(section.simulated ? [wrapped(SIMULATED_NOTICE, width).join("\n")] : []),
    ...section.blocks.map((block) => blockText(block, width)),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function blockText(block: SectionBlock, width: number): string {
  switch (block.kind) {
    case "sentence":
      return wrapped(block.text, width).join("\n");
    case "heading":
      return wrapped(block.text, width).join("\n");
    case "command":
      return `  ${printable(block.text)}`;
    case "list":
      return block.items.map((item) => hanging(item, "- ", width)).join("\n");
    case "outline":
      return outlineLines(block.items, "", width).join("\n");
    case "table":
      return tableText(block, width);
  }
}

function hanging(text: string, mark: string, width: number): string {
  const [first = "", ...rest] = wrapped(text, width - mark.length);
  return [`${mark}${first}`, ...rest.map((line) => " ".repeat(mark.length) + line)].join("\n");
}

function outlineLines(items: readonly OutlineItem[], indent: string, width: number): readonly string[] {
  const inner = width - indent.length;
  return items.flatMap(({ text, under }) => [
    ...hanging(text, "- ", inner)
      .split("\n")
      .map((line) => indent + line),
    ...outlineLines(under, `${indent}  `, width),
  ]);
}

function tableText(
  { caption, columns, rows }: Extract<SectionBlock, { kind: "table" }>,
  width: number,
): string {
  const headings = columns.map((column) => printable(column.heading));
  const shownRows = rows.map((row) => row.map(printable));
  const widths = fittedWidths([headings, ...shownRows], columns.length, width);
  if (lineWidth(widths) > width) return rowsAsLists({ caption, columns, rows }, width);
  const line = (cells: readonly string[]): string => {
    const parts = columns.map((_, index) => wrapped(cells[index] ?? "", widths[index] ?? 0));
    const height = Math.max(...parts.map((part) => part.length));
    return Array.from({ length: height }, (_, row) =>
      columns
        .map(({ align }, index) => padded(parts[index]?.[row] ?? "", widths[index] ?? 0, align))
        .join(GAP)
        .trimEnd(),
    ).join("\n");
  };
  const tall = shownRows.some((row) =>
    row.some((cell, index) => wrapped(cell, widths[index] ?? 0).length >= TALL_ROW_LINES),
  );
  return [
    ...(caption === "" ? [] : [wrapped(caption, width).join("\n")]),
    line(headings),
    shownRows.map(line).join(tall ? "\n\n" : "\n"),
  ].join("\n");
}

/** A table that no line can hold is read row by row: the first column as a title, the others as a list. */
function rowsAsLists(
  { caption, columns, rows }: Pick<Extract<SectionBlock, { kind: "table" }>, "caption" | "columns" | "rows">,
  width: number,
): string {
  const blocks = rows.map(([title = "", ...cells]) =>
    [
      ...wrapped(title, width),
      ...cells.flatMap((cell, index) =>
        cell === "" ? [] : [hanging(`${columns[index + 1]?.heading ?? ""}: ${cell}`, "  ", width)],
      ),
    ].join("\n"),
  );
  return [...(caption === "" ? [] : [wrapped(caption, width).join("\n")]), blocks.join("\n\n")].join("\n");
}

function lineWidth(widths: readonly number[]): number {
  return widths.reduce((sum, one) => sum + one, GAP.length * (widths.length - 1));
}

/** The widest column gives way first, so that short numbers stay on one line. */
function fittedWidths(lines: readonly (readonly string[])[], count: number, width: number): number[] {
  const widths = Array.from({ length: count }, (_, index) =>
    Math.max(...lines.map((line) => stringWidth(line[index] ?? ""))),
  );
  const room = width - GAP.length * (count - 1);
  let over = widths.reduce((sum, one) => sum + one, 0) - room;
  while (over > 0) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= NARROWEST_WORDS) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    over--;
  }
  return widths;
}

function padded(text: string, width: number, align: "left" | "right"): string {
  const room = " ".repeat(Math.max(0, width - stringWidth(text)));
  return align === "left" ? text + room : room + text;
}

/**
 * Names in it may come from a server or a file, and a terminal must not obey them. Breaks at spaces,
 * except between a number and its unit. A name longer than a line breaks after a slash or an
 * underscore; without one it stays whole.
 */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  const add = (piece: string, gap: string): void => {
    const longer = line === "" ? piece : `${line}${gap}${piece}`;
    if (line !== "" && stringWidth(longer) > width) {
      lines.push(line);
      line = piece;
    } else line = longer;
  };
  for (const word of printable(text).split(/ (?!(?:%|×|ms|points|tok\/s)(?:\W|$))/))
    if (stringWidth(word) <= width) add(word, " ");
    else for (const [place, piece] of word.split(/(?<=[/_])/).entries()) add(piece, place === 0 ? " " : "");
  return [...lines, line];
}
