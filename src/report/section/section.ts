/**
 * A part of a report as data: sentences, tables and commands in reading order. Whoever builds one
 * has words and numbers ready; whoever renders it only lays them out.
 */

export interface Section {
  readonly id: string;
  readonly title: string;
  /** Some figure in it comes from the simulated engine. */
  readonly simulated: boolean;
  readonly blocks: readonly SectionBlock[];
}

export type SectionBlock =
  | { readonly kind: "sentence"; readonly text: string; readonly weight: "lead" | "plain" | "note" }
  | { readonly kind: "heading"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  /** A list within lists: what hangs under each item. */
  | { readonly kind: "outline"; readonly items: readonly OutlineItem[] }
  /** To be copied: never wrapped. */
  | { readonly kind: "command"; readonly text: string }
  | {
      readonly kind: "table";
      readonly caption: string;
      readonly columns: readonly SectionColumn[];
      readonly rows: readonly (readonly string[])[];
    };

export interface OutlineItem {
  readonly text: string;
  readonly under: readonly OutlineItem[];
}

export interface SectionColumn {
  readonly heading: string;
  readonly align: "left" | "right";
}

export const left = (heading: string): SectionColumn => ({ heading, align: "left" });
export const right = (heading: string): SectionColumn => ({ heading, align: "right" });

export const lead = (text: string): SectionBlock => ({ kind: "sentence", text, weight: "lead" });
export const plain = (text: string): SectionBlock => ({ kind: "sentence", text, weight: "plain" });
export const note = (text: string): SectionBlock => ({ kind: "sentence", text, weight: "note" });
export const heading = (text: string): SectionBlock => ({ kind: "heading", text });
export const command = (text: string): SectionBlock => ({ kind: "command", text });

/** No list where there is nothing to list. */
export function list(items: readonly string[]): readonly SectionBlock[] {
  return items.length === 0 ? [] : [{ kind: "list", items }];
}

export const outline = (items: readonly OutlineItem[]): SectionBlock => ({ kind: "outline", items });

/** No table without rows. */
export function table(
  caption: string,
  columns: readonly SectionColumn[],
  rows: readonly (readonly string[])[],
): readonly SectionBlock[] {
  return rows.length === 0 ? [] : [{ kind: "table", caption, columns, rows }];
}
