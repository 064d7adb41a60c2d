/** The project's own files as the tidy rules see them: path and text, nothing read twice. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

export interface ProjectFile {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** One broken rule at one place, and what to do instead. */
export interface Complaint {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  readonly advice: string;
}

export function renderComplaint(complaint: Complaint): string {
  return `${complaint.path}:${complaint.line} ${complaint.rule}: ${complaint.advice}`;
}

/** What tools put beside the sources, at the root. */
const NOT_OURS: ReadonlySet<string> = new Set(["node_modules", "dist", "coverage", "runs", ".git", ".cache"]);
/** Recorded bytes and texts that agents read: data, to which no rule of style applies. */
const DATA_FOLDERS = ["test/fixtures/", "examples/", "studies/", "presets/"];

export function readProject(root: string): ProjectFile[] {
  return listPaths(root, "").map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

export function isData(path: string): boolean {
  return DATA_FOLDERS.some((folder) => path.startsWith(folder));
}

function listPaths(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => folder !== "" || !NOT_OURS.has(entry.name))
    .flatMap((entry) => {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return listPaths(root, path);
      return entry.isFile() ? [path] : [];
    })
    .sort();
}

export function isTypeScript(path: string): boolean {
  return path.endsWith(".ts");
}

export function isTest(path: string): boolean {
  return path.endsWith(".test.ts");
}

/** Code that ships: what lies in src and is no test. */
export function isProduct(path: string): boolean {
  return path.startsWith("src/") && isTypeScript(path) && !isTest(path);
}

export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let index = text.indexOf("\n"); index >= 0 && index < offset; index = text.indexOf("\n", index + 1))
    line++;
  return line;
}
