/** A section that is data, as HTML. */
import type { OutlineItem, Section, SectionBlock } from "../section/section.ts";
import type { Frame } from "./blocks.ts";
import { commandMarkup, subheading, tableMarkup } from "./blocks.ts";
import type { Markup } from "./markup.ts";
import { html } from "./markup.ts";

/** Without its title, which the page gives. */
export function sectionBody({ title, blocks }: Section, frame: Frame): readonly Markup[] {
  return blocks.map((block) => blockMarkup(block, title, frame));
}

function blockMarkup(block: SectionBlock, title: string, frame: Frame): Markup {
  switch (block.kind) {
    case "sentence":
      return block.weight === "plain"
        ? html`<p>${block.text}</p>`
        : html`<p class="${block.weight === "lead" ? "first" : "quiet"}">${block.text}</p>`;
    case "heading":
      return subheading(block.text, frame);
    case "command":
      return html`<p>${commandMarkup(block.text)}</p>`;
    case "list":
      return html`<ul class="items">${block.items.map((item) => html`<li>${item}</li>\n`)}</ul>`;
    case "outline":
      return outlineMarkup(block.items);
    case "table":
      return tableMarkup(
        {
          columns: block.columns.map(({ heading, align }) => ({ heading: [heading], align })),
          rows: block.rows,
        },
        block.caption === "" ? title : block.caption,
      );
  }
}

function outlineMarkup(items: readonly OutlineItem[]): Markup {
  return html`<ul class="items">${items.map(({ text, under }) => html`<li>${text}${under.length === 0 ? undefined : outlineMarkup(under)}</li>\n`)}</ul>`;
}
