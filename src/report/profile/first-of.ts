import { countText } from "./measure-text.ts";

/** What a caption adds where a table is cut. */
export function firstOf(top: number, rows: number): string {
  return rows > top ? `, first ${top} of ${countText(rows)}` : "";
}
