import type { CorpusFile } from "../agent-program.ts";

/**
 * The corpus as one text: files in name order, each under its name, cut at `limitCharacters` with
 * every file given an equal share, so that a small context still sees all of them.
 */
export function corpusText(files: readonly CorpusFile[], limitCharacters: number): string {
  const share = Math.floor(limitCharacters / Math.max(files.length, 1));
  return [...files]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((file) => `## ${file.name}\n${file.text.slice(0, share)}`)
    .join("\n\n");
}
