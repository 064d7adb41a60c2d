/** A section as Markdown. */
import { printable } from "../../core/errors.ts";
import { SIMULATED_NOTICE } from "../tables.ts";
import type { OutlineItem, Section, SectionBlock } from "./section.ts";

export function renderSectionMarkdown(section: Section): string {
  const blocks = [
    `## ${escaped(section.title)}`,
    ...(section.simulated ? [`> **${SIMULATED_NOTICE}**`] : []),
    ...section.blocks.map(blockMarkdown),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function blockMarkdown(block: SectionBlock): string {
  switch (block.kind) {
    case "sentence":
      return block.weight === "lead" ? `**${escaped(block.text)}**` : escaped(block.text);
    case "heading":
      return `### ${escaped(block.text)}`;
    case "command":
      return `\`\`\`sh\n${printable(block.text)}\n\`\`\``;
    case "list":
      return block.items.map((item) => `- ${escaped(item)}`).join("\n");
    case "outline":
      return outlineLines(block.items, "").join("\n");
    case "table":
      return [
        ...(block.caption === "" ? [] : [`${escaped(block.caption)}\n`]),
        row(block.columns.map((column) => column.heading)),
        `|${block.columns.map(({ align }) => (align === "left" ? "---|" : "--:|")).join("")}`,
        ...block.rows.map(row),
      ].join("\n");
  }
}

function outlineLines(items: readonly OutlineItem[], indent: string): readonly string[] {
  return items.flatMap(({ text, under }) => [
    `${indent}- ${escaped(text)}`,
    ...outlineLines(under, `${indent}  `),
  ]);
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => escaped(cell).replaceAll("|", "\\|")).join(" | ")} |`;
}

/** What Markdown would read as markup in names and labels; a line break in one would begin a block of its own. */
function escaped(text: string): string {
  return printable(text).replaceAll(/[\\`*_<>[\]]/g, "\\$&");
}
