/** Documents must not promise what is not there. */
import { posix } from "node:path";
import type { Room } from "./arrows.ts";
import type { Complaint, ProjectFile } from "./source-tree.ts";
import { isData } from "./source-tree.ts";

/** What documents may refer to. */
export interface Known {
  readonly paths: ReadonlySet<string>;
  readonly folders: ReadonlySet<string>;
  readonly rooms: ReadonlyMap<string, Room>;
  /** Every word of the project's code and data. */
  readonly words: ReadonlySet<string>;
}

export function knownOf(files: readonly ProjectFile[], rooms: ReadonlyMap<string, Room>): Known {
  const paths = new Set(files.map((file) => file.path));
  const folders = new Set(files.flatMap((file) => parentFolders(file.path)));
  const code = files.filter((file) => !file.path.endsWith(".md") && !file.path.startsWith("test/tidy"));
  const words = new Set(code.flatMap((file) => file.text.match(/[A-Za-z_$][\w$]*/g) ?? []));
  return { paths, folders, rooms, words };
}

function parentFolders(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

export function isDocument(path: string): boolean {
  return path.endsWith(".md") && !isData(path);
}

/** A line of Markdown, and whether it stands inside a fenced block. */
interface Row {
  readonly text: string;
  readonly line: number;
  readonly fenced: boolean;
}

function rowsOf(text: string): Row[] {
  let fenced = false;
  return text.split("\n").map((row, index) => {
    const fence = /^\s*(```|~~~)/.test(row);
    if (fence) fenced = !fenced;
    return { text: row, line: index + 1, fenced: fenced || fence };
  });
}

export function titleComplaints(file: ProjectFile): Complaint[] {
  const titles = rowsOf(file.text).filter((row) => !row.fenced && /^# \S/.test(row.text));
  if (titles.length === 1) return [];
  const advice = `${titles.length} titles ("# …"), exactly one is wanted`;
  return [{ path: file.path, line: titles[1]?.line ?? 1, rule: "one-title", advice }];
}

const MACHINE_PATH = /(?:^|[\s"'`(=:])(\/(?:root|home|Users|work|workspace|tmp|mnt)\/[^\s"'`)]*|[A-Z]:\\\S*)/;

export function machinePathComplaints(file: ProjectFile): Complaint[] {
  return rowsOf(file.text).flatMap(({ text, line }) => {
    const found = MACHINE_PATH.exec(text)?.[1];
    const advice = `${found} exists on one machine only; write it relative to the project or to $HOME`;
    return found === undefined ? [] : [{ path: file.path, line, rule: "machine-path", advice }];
  });
}

/** Relative links lead to a file or folder, and to a heading where they name one. */
export function linkComplaints(
  file: ProjectFile,
  known: Known,
  textOf: (path: string) => string,
): Complaint[] {
  return rowsOf(file.text).flatMap(({ text, line, fenced }) => {
    if (fenced) return [];
    return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
      const target = match[1] as string;
      if (/^[a-z]+:/.test(target)) return [];
      const [relative = "", heading] = target.split("#");
      const path =
        relative === "" ? file.path : posix.join(posix.dirname(file.path), relative).replace(/\/$/, "");
      const complaint = (advice: string): Complaint[] => [{ path: file.path, line, rule: "link", advice }];
      if (!known.paths.has(path) && !known.folders.has(path)) return complaint(`${target} leads nowhere`);
      if (heading === undefined || headingsOf(textOf(path)).has(heading)) return [];
      return complaint(`${path} has no heading #${heading}`);
    });
  });
}

/** Anchors as hosting sites make them: lower case, punctuation dropped, spaces to hyphens. */
function headingsOf(text: string): Set<string> {
  const headings = rowsOf(text).flatMap((row) => (row.fenced ? [] : (/^#+ (.*)$/.exec(row.text)?.[1] ?? [])));
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .replace(/ /g, "-"),
    ),
  );
}

/** Code spans outside fenced blocks that name a path or an identifier of this project. */
export function referenceComplaints(
  file: ProjectFile,
  known: Known,
  foreign: ReadonlySet<string>,
): Complaint[] {
  return rowsOf(file.text).flatMap(({ text, line, fenced }) => {
    if (fenced) return [];
    return [...text.matchAll(/`([^`]+)`/g)].flatMap((match) => {
      const span = match[1] as string;
      if (foreign.has(span)) return [];
      const advice = pathAdvice(span, known) ?? wordAdvice(span, known);
      return advice === undefined ? [] : [{ path: file.path, line, rule: "reference", advice }];
    });
  });
}

const SOURCE_NAME = /^[\w.-]+\.(ts|mjs|sh)$/;
const PATH = /^\.?[\w.-]+(\/[\w.-]+)+\/?$/;

function pathAdvice(span: string, known: Known): string | undefined {
  const path = span.replace(/\/$/, "");
  if (SOURCE_NAME.test(path))
    return [...known.paths].some((other) => posix.basename(other) === path)
      ? undefined
      : `no file is called ${span}`;
  if (!PATH.test(span)) return undefined;
  const first = path.split("/")[0] as string;
  const room = known.rooms.get(first);
  if (room?.built === false) return undefined;
  const written = room === undefined ? path : `src/${path}`;
  // A first part that is no folder of ours makes it something else: a package, a URL path, a model.
  if (room === undefined && !known.folders.has(first)) return undefined;
  const exists = [written, `${written}.ts`].some((name) => known.paths.has(name) || known.folders.has(name));
  return exists ? undefined : `${span} does not exist`;
}

/** camelCase, PascalCase with two humps, snake_case and SCREAMING_CASE: words that only code has. */
const CODE_WORD = /^(?=.*([a-z][A-Z]|\w_\w))[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*(\(\))?$/;

function wordAdvice(span: string, known: Known): string | undefined {
  if (!CODE_WORD.test(span)) return undefined;
  const missing = span
    .replace("()", "")
    .split(".")
    .find((word) => !known.words.has(word));
  return missing === undefined ? undefined : `${missing} occurs nowhere in the code`;
}

/** Each `--flag` that follows `slipway` in a document is one that the command line knows. */
export function flagComplaints(file: ProjectFile, flags: ReadonlySet<string>): Complaint[] {
  return rowsOf(file.text).flatMap(({ text, line }) => {
    const command = /(?:^|[`\s])slipway( [^`]*)/.exec(text)?.[1] ?? "";
    return [...command.matchAll(/(?<=\s)--[a-z][a-z-]*/g)].flatMap(([flag]) =>
      flags.has(flag) ? [] : [{ path: file.path, line, rule: "flag", advice: `no command defines ${flag}` }],
    );
  });
}

/** The error page has one heading per code of the catalogue, and no other. */
export function errorPageComplaints(page: ProjectFile, codes: readonly string[]): Complaint[] {
  const headings = rowsOf(page.text).flatMap((row) => {
    const code = row.fenced ? undefined : /^#{2,4} `?([A-Z][A-Z_]+)`?$/.exec(row.text)?.[1];
    return code === undefined ? [] : [{ code, line: row.line }];
  });
  const described = headings.map(({ code }) => code);
  const complaint = (line: number, advice: string): Complaint => ({
    path: page.path,
    line,
    rule: "error-page",
    advice,
  });
  return [
    ...codes
      .filter((code) => !described.includes(code))
      .map((code) => complaint(1, `${code} has no heading; give its cause and remedy`)),
    ...headings
      .filter(({ code }, index) => !codes.includes(code) || described.indexOf(code) !== index)
      .map(({ code, line }) => complaint(line, `${code} is not in the catalogue, or described twice`)),
  ];
}
