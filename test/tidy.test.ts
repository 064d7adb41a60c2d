/** House style as a test. The rules lie in `test/tidy`, and `test/tidy/rules.test.ts` shows what each one sees. */
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { ERROR_CATALOGUE } from "../src/core/error-codes.ts";
import {
  arrowComplaints,
  cycleComplaints,
  deadFileComplaints,
  readArrowTable,
  tableComplaints,
} from "./tidy/arrows.ts";
import {
  errorPageComplaints,
  flagComplaints,
  isDocument,
  knownOf,
  linkComplaints,
  machinePathComplaints,
  referenceComplaints,
  titleComplaints,
} from "./tidy/document-rules.ts";
import type { LongFiles } from "./tidy/source-rules.ts";
import {
  bannedCallComplaints,
  exportComplaints,
  fileBudgetComplaints,
  functionBudgetComplaints,
  leftoverComplaints,
  nameComplaints,
  skipComplaints,
} from "./tidy/source-rules.ts";
import type { Complaint } from "./tidy/source-tree.ts";
import { readProject, renderComplaint } from "./tidy/source-tree.ts";

/** Files past the soft budget, and the lines they may have. Entries are only ever lowered or struck. */
const LONG_FILES: LongFiles = {};

/** Words in documents that belong to other programs, or stand for no word of ours. */
const FOREIGN_WORDS: ReadonlySet<string> = new Set([]);

const files = readProject(fileURLToPath(new URL("..", import.meta.url)));
const documents = files.filter((file) => isDocument(file.path));
const textOf = (path: string): string => files.find((file) => file.path === path)?.text ?? "";
const rooms = readArrowTable(textOf("docs/architecture.md"));

function expectNone(complaints: readonly Complaint[]): void {
  expect(complaints.map(renderComplaint)).toEqual([]);
}

it("has one table of rooms that matches the folders and has no circle", () => {
  expect(rooms.size).toBeGreaterThan(0);
  expectNone(tableComplaints(rooms, files));
});

it("imports only along the arrows of the table", () => {
  expectNone(arrowComplaints(rooms, files));
});

it("has no files that import each other in a circle", () => {
  expectNone(cycleComplaints(files));
});

it("has no file that nothing reaches", () => {
  expectNone(deadFileComplaints(files));
});

it("keeps files within their budget", () => {
  expectNone(files.flatMap((file) => fileBudgetComplaints(file, LONG_FILES)));
  const gone = Object.keys(LONG_FILES).filter((path) => textOf(path) === "");
  expect(gone, "granted to files that no longer exist").toEqual([]);
});

it("keeps functions within their budget", () => {
  expectNone(files.flatMap(functionBudgetComplaints));
});

it("reads the clock, draws chance, starts children and prints in one place each", () => {
  expectNone(files.flatMap(bannedCallComplaints));
});

it("has no leftover markers", () => {
  expectNone(files.flatMap(leftoverComplaints));
});

it("exports by name from the file that defines", () => {
  expectNone(files.flatMap(exportComplaints));
});

it("skips no test without a reason", () => {
  expectNone(files.flatMap(skipComplaints));
});

it("names files and folders after what is in them, in kebab-case", () => {
  expectNone(files.flatMap(nameComplaints));
});

it("gives each document one title", () => {
  expectNone(documents.flatMap(titleComplaints));
});

it("names no path of one machine in documents", () => {
  expectNone(documents.flatMap(machinePathComplaints));
});

it("links to files and headings that exist", () => {
  const known = knownOf(files, rooms);
  expectNone(documents.flatMap((file) => linkComplaints(file, known, textOf)));
});

it("names paths and identifiers in documents that exist", () => {
  const known = knownOf(files, rooms);
  expectNone(documents.flatMap((file) => referenceComplaints(file, known, FOREIGN_WORDS)));
});

it("shows only flags that the command line defines", () => {
  const commandLine = files.filter((file) => file.path.startsWith("src/cli/"));
  const flags = new Set(commandLine.flatMap((file) => file.text.match(/--[a-z][a-z-]*/g) ?? []));
  expectNone(documents.flatMap((file) => flagComplaints(file, flags.add("--help").add("--version"))));
});

it("describes every error code on the error page, and no other", () => {
  const page = { path: "docs/errors.md", text: textOf("docs/errors.md") };
  expectNone(errorPageComplaints(page, Object.keys(ERROR_CATALOGUE)));
});

it("has a lock file that names no registry", () => {
  expect(textOf("package-lock.json").match(/"resolved": "https?:/g)).toBeNull();
});
