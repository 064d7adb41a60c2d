/** Amounts as bars and aligned columns. */

const FULL = "█";
const EMPTY = "░";

/** A share of 0 to 1 as a bar of this many characters. What is more than nothing shows at least one full one. */
export function bar(share: number, width: number): string {
  const within = Math.min(Math.max(share, 0), 1);
  const full = within === 0 ? 0 : Math.max(1, Math.round(within * width));
  return FULL.repeat(full) + EMPTY.repeat(width - full);
}

/** At most this many characters, the last one an ellipsis where something was cut. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(width - 1, 0))}…`;
}

export interface Column {
  readonly heading: string;
  readonly align: "left" | "right";
}

/** Two spaces between columns, no rules: at 80 characters every one is needed. */
export function alignColumns(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const lines = [columns.map((column) => column.heading), ...rows];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => (line[index] ?? "").length)));
  return lines.map((line) =>
    columns
      .map(({ align }, index) => {
        const cell = line[index] ?? "";
        const width = widths[index] ?? 0;
        return align === "left" ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

/** Breaks at spaces; `lead` stands before the first line, `indent` before the others. A word that is too long has a line of its own. */
export function wrapText(text: string, columns: number, indent = "", lead = ""): string {
  const lines: string[] = [];
  let line = lead;
  let empty = true;
  for (const word of text.split(" ")) {
    if (!empty && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = indent;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line].join("\n");
}
