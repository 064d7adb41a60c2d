/** Rules that one source file can break on its own. */
import { posix } from "node:path";
import type { Complaint, ProjectFile } from "./source-tree.ts";
import { isData, isProduct, isTest, isTypeScript, lineAt } from "./source-tree.ts";
import type { ParsedFile, SyntaxNode } from "./syntax.ts";
import { dottedName, lineOf, moduleReferences, parse, walk } from "./syntax.ts";

// ---- budgets ---------------------------------------------------------------------------------

/** The 90th percentile of the code bases this style was taken from lies between 319 and 525 lines. */
const FILE_LINES_SOFT = 300;
const FILE_LINES_HARD = 500;
/** One screen and a half: what a reader can hold. */
const FUNCTION_LINES = 70;

/** Product files that were allowed to grow past the soft budget, with the lines they may have. It only shrinks. */
export type LongFiles = Readonly<Record<string, number>>;

export function fileBudgetComplaints(file: ProjectFile, longFiles: LongFiles): Complaint[] {
  if (!isTypeScript(file.path) || isData(file.path)) return [];
  const lines = file.text.split("\n").length - 1;
  const complaint = (advice: string): Complaint[] => [
    { path: file.path, line: lines, rule: "file-budget", advice },
  ];
  if (lines > FILE_LINES_HARD)
    return complaint(`${lines} lines, at most ${FILE_LINES_HARD}; split it by subject`);
  if (!isProduct(file.path)) return [];
  const granted = longFiles[file.path];
  if (lines <= FILE_LINES_SOFT)
    return granted === undefined
      ? []
      : complaint("within the budget again; strike it from the list of long files");
  if (granted === undefined)
    return complaint(`${lines} lines, at most ${FILE_LINES_SOFT}; split it by subject`);
  if (lines > granted)
    return complaint(`${lines} lines, ${granted} were granted; a long file may only shrink`);
  return [];
}

const FUNCTIONS: ReadonlySet<string> = new Set([
  "FunctionDeclaration",
  "FunctionExpression",
  "ArrowFunctionExpression",
]);

/** Tests are free of it: the callback of a `describe` is no function that anybody calls. */
export function functionBudgetComplaints(file: ProjectFile): Complaint[] {
  if (!isTypeScript(file.path) || isTest(file.path)) return [];
  const parsed = parse(file);
  const complaints: Complaint[] = [];
  walk(parsed.program, (node) => {
    if (!FUNCTIONS.has(node.type)) return;
    const line = lineOf(parsed, node);
    const lines = lineAt(file.text, node.end) - line + 1;
    const advice = `${lines} lines, at most ${FUNCTION_LINES}; give a part of it a name`;
    if (lines > FUNCTION_LINES) complaints.push({ path: file.path, line, rule: "function-budget", advice });
  });
  return complaints;
}

// ---- banned calls ----------------------------------------------------------------------------

interface Ban {
  /** The only file that may. */
  readonly home?: string;
  readonly names: ReadonlySet<string>;
  readonly instead: string;
}

const CLOCK = "src/core/clock.ts";
const RANDOM = "src/core/random.ts";
const PROCESS = "src/core/process.ts";

const BANNED_NAMES: readonly Ban[] = [
  {
    home: CLOCK,
    names: new Set(["Date.now", "Date", "performance.now", "performance.timeOrigin", "process.hrtime"]),
    instead: "take a Clock (core/clock): nowNs() for durations, wallIso() for labels",
  },
  {
    home: CLOCK,
    names: new Set(["setTimeout", "setInterval", "setImmediate", "AbortSignal.timeout"]),
    instead: "take a Clock (core/clock) and use timerAt() or sleepUntil()",
  },
  {
    home: RANDOM,
    names: new Set([
      "Math.random",
      "crypto.randomUUID",
      "crypto.getRandomValues",
      "crypto.randomBytes",
      "crypto.randomInt",
    ]),
    instead: "take a RandomStream (core/random), one per purpose and entity",
  },
  { names: new Set(["console"]), instead: "write through CliIo, or put an event into the RecordSink" },
];

interface ModuleBan {
  readonly home: string;
  readonly modules: ReadonlySet<string>;
  /** Absent: any import of the module. */
  readonly names?: ReadonlySet<string>;
  readonly instead: string;
}

const BANNED_IMPORTS: readonly ModuleBan[] = [
  {
    home: PROCESS,
    modules: new Set(["node:child_process", "child_process"]),
    instead: "start children through core/process",
  },
  {
    home: CLOCK,
    modules: new Set(["node:timers", "node:timers/promises", "timers", "timers/promises"]),
    instead: "take a Clock (core/clock) and use timerAt() or sleepUntil()",
  },
  {
    home: RANDOM,
    modules: new Set(["node:crypto", "crypto"]),
    names: new Set([
      "*",
      "default",
      "randomBytes",
      "randomInt",
      "randomUUID",
      "randomFill",
      "randomFillSync",
      "webcrypto",
      "getRandomValues",
    ]),
    instead: "take a RandomStream (core/random); import createHash by name",
  },
];

export function bannedCallComplaints(file: ProjectFile): Complaint[] {
  if (!isProduct(file.path)) return [];
  const parsed = parse(file);
  const complaints = bannedImportComplaints(parsed);
  walk(parsed.program, (node, parent) => {
    const name = usedName(node, parent);
    const ban = BANNED_NAMES.find((candidate) => name !== undefined && candidate.names.has(name));
    if (ban !== undefined && ban.home !== file.path)
      complaints.push({
        path: file.path,
        line: lineOf(parsed, node),
        rule: "banned-call",
        advice: `${name}; ${ban.instead}`,
      });
  });
  return complaints;
}

function bannedImportComplaints(parsed: ParsedFile): Complaint[] {
  const { path } = parsed.file;
  return moduleReferences(parsed).flatMap(({ specifier, names, line }) => {
    const ban = BANNED_IMPORTS.find(
      (candidate) =>
        candidate.home !== path &&
        candidate.modules.has(specifier) &&
        (candidate.names === undefined || names.some((name) => candidate.names?.has(name))),
    );
    return ban === undefined
      ? []
      : [
          {
            path,
            line,
            rule: "banned-import",
            advice: `${names.join(", ")} from ${specifier}; ${ban.instead}`,
          },
        ];
  });
}

/**
 * What an expression refers to: the longest dotted name for a member expression, a bare name
 * elsewhere. `Date` counts only where it is constructed: as a type or in `Date.parse` it reads no clock.
 */
function usedName(node: SyntaxNode, parent: SyntaxNode | undefined): string | undefined {
  if (node.type === "MemberExpression") return dottedName(node);
  if (node.type === "NewExpression") return dottedName(node["callee"] as SyntaxNode);
  if (node.type !== "Identifier" || isOnlyALabel(node, parent)) return undefined;
  const name = node["name"] as string;
  return name === "Date" ? undefined : name;
}

/** `x.setTimeout`, `{ setTimeout: … }` and declarations of a method of that name mean something else. */
function isOnlyALabel(node: SyntaxNode, parent: SyntaxNode | undefined): boolean {
  if (parent === undefined) return false;
  if (parent.type === "ImportSpecifier") return true;
  if (parent.type === "MemberExpression") return parent["property"] === node && parent["computed"] !== true;
  return parent["key"] === node && parent["shorthand"] !== true;
}

// ---- words and names -------------------------------------------------------------------------

/** Written in halves, since this file is searched too. */
const LEFTOVER = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"].join("|")})\\b`);

export function leftoverComplaints(file: ProjectFile): Complaint[] {
  if (isData(file.path) || !/\.([jt]s|mjs|md|sh)$|^\.ci\//.test(file.path)) return [];
  const places = isTypeScript(file.path)
    ? parse(file).comments.map((comment) => ({ text: comment.value, line: lineAt(file.text, comment.start) }))
    : [{ text: file.text, line: 1 }];
  return places.flatMap(({ text, line }) =>
    text.split("\n").flatMap((row, index) => {
      const marker = LEFTOVER.exec(row)?.[1];
      const advice = `${marker}; do it, or open an issue and delete the marker`;
      return marker === undefined ? [] : [{ path: file.path, line: line + index, rule: "leftover", advice }];
    }),
  );
}

/** Tools that load a configuration file want its default export. */
const CONFIGURATION = /^[^/]+\.config\.ts$/;

export function exportComplaints(file: ProjectFile): Complaint[] {
  if (!isTypeScript(file.path) || isData(file.path) || CONFIGURATION.test(file.path)) return [];
  const parsed = parse(file);
  return (parsed.program["body"] as SyntaxNode[]).flatMap((statement) => {
    const line = lineOf(parsed, statement);
    if (statement.type === "ExportDefaultDeclaration")
      return [{ path: file.path, line, rule: "default-export", advice: "export it by its name" }];
    const passesOn = statement.type === "ExportAllDeclaration" || statement["source"] instanceof Object;
    if (passesOn && statement.type.startsWith("Export"))
      return [
        { path: file.path, line, rule: "re-export", advice: "let users import the file that defines it" },
      ];
    return [];
  });
}

/** These leave a test out without a word of why, or leave out all others. */
const SILENT_SKIPS: ReadonlySet<string> = new Set(["skipIf", "runIf", "todo", "only", "fails"]);

/** A test that does not run prints its reason: `context.skip("…")` is the only way. */
export function skipComplaints(file: ProjectFile): Complaint[] {
  if (!isTest(file.path)) return [];
  const parsed = parse(file);
  const complaints: Complaint[] = [];
  walk(parsed.program, (node, parent) => {
    if (node.type !== "MemberExpression") return;
    const word = (node["property"] as SyntaxNode)["name"] as string;
    const object = dottedName(node["object"] as SyntaxNode) ?? "";
    const silent = SILENT_SKIPS.has(word) && /^(it|test|describe)\b/.test(object);
    const called = parent?.type === "CallExpression" && parent["callee"] === node;
    const unreasoned = word === "skip" && called && (parent["arguments"] as unknown[]).length !== 1;
    if (silent || unreasoned)
      complaints.push({
        path: file.path,
        line: lineOf(parsed, node),
        rule: "silent-skip",
        advice: `${object}.${word}; call context.skip(reason) inside the test`,
      });
  });
  return complaints;
}

const KEBAB_CASE = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/;
/** By custom these are written in capitals. */
const CAPITAL_DOCUMENTS: ReadonlySet<string> = new Set([
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "LICENSE",
]);
const EMPTY_WORDS: ReadonlySet<string> = new Set([
  "util",
  "utils",
  "helper",
  "helpers",
  "common",
  "types",
  "misc",
  "index",
]);

/** Where vitest puts snapshots. */
const SNAPSHOT_FOLDER = "__snapshots__";

export function nameComplaints(file: ProjectFile): Complaint[] {
  if (isData(file.path)) return [];
  const ours = file.path.split("/").filter((part) => part !== SNAPSHOT_FOLDER);
  return ours.flatMap((part) => {
    const complaint = (rule: string, advice: string): Complaint => ({
      path: file.path,
      line: 1,
      rule,
      advice,
    });
    if (!KEBAB_CASE.test(part) && !CAPITAL_DOCUMENTS.has(posix.basename(file.path)))
      return [complaint("file-name", `"${part}" is not kebab-case`)];
    if (EMPTY_WORDS.has(part.split(".")[0] as string) && part !== "index.html")
      return [complaint("file-name", `"${part}" says nothing; name it after what is in it`)];
    return [];
  });
}
