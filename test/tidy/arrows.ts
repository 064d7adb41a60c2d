/**
 * Who may import whom. The table stands once, in `docs/architecture.md`; this file reads it there
 * and holds the imports to it.
 */
import { posix } from "node:path";
import type { Complaint, ProjectFile } from "./source-tree.ts";
import { isProduct, isTest, isTypeScript } from "./source-tree.ts";
import { moduleReferences, parse } from "./syntax.ts";

export interface Room {
  /** Folder under src; `engines/simulated` for a room inside a room. */
  readonly name: string;
  readonly mayImport: "everything" | ReadonlySet<string>;
  readonly built: boolean;
}

/** Rows of the one table whose first heading is "room": | room | may import | state | … | */
export function readArrowTable(markdown: string): Map<string, Room> {
  const rows = new Map<string, Room>();
  const lines = markdown.split("\n");
  const top = lines.findIndex((line) => /^\| *room *\|/.test(line));
  for (const line of top < 0 ? [] : lines.slice(top + 2)) {
    if (!line.startsWith("|")) break;
    const [room, imports, state] = line.split("|").slice(1);
    const name = codeSpans(room ?? "")[0];
    if (name === undefined) continue;
    const mayImport = imports?.trim() === "everything" ? "everything" : new Set(codeSpans(imports ?? ""));
    rows.set(name, { name, mayImport, built: state?.trim() === "built" });
  }
  return rows;
}

function codeSpans(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string);
}

/** The table itself: every folder of src has a row and the reverse, and no two rooms need each other. */
export function tableComplaints(
  rooms: ReadonlyMap<string, Room>,
  files: readonly ProjectFile[],
): Complaint[] {
  const path = "docs/architecture.md";
  const rule = "arrow-table";
  const folders = new Set(files.filter((file) => isProduct(file.path)).map((file) => topRoom(file.path)));
  const complaints: Complaint[] = [];
  for (const folder of folders)
    if (rooms.get(folder)?.built !== true)
      complaints.push({ path, line: 1, rule, advice: `src/${folder} has no row marked "built"; add one` });
  for (const room of rooms.values())
    if (room.built && !files.some((file) => file.path.startsWith(`src/${room.name}/`)))
      complaints.push({ path, line: 1, rule, advice: `${room.name} has no file; mark its row "planned"` });
  const cycle = findCycle([...rooms.keys()], (name) => allowedRooms(rooms, name));
  if (cycle !== undefined)
    complaints.push({
      path,
      line: 1,
      rule,
      advice: `rooms in a circle: ${cycle.join(" → ")}; cut one arrow`,
    });
  return complaints;
}

function allowedRooms(rooms: ReadonlyMap<string, Room>, name: string): string[] {
  const mayImport = rooms.get(name)?.mayImport ?? new Set<string>();
  return mayImport === "everything" ? [...rooms.keys()].filter((other) => other !== name) : [...mayImport];
}

/** The rooms a test may use: whatever its own room rests on, at any depth. */
function roomsBelow(rooms: ReadonlyMap<string, Room>, name: string): Set<string> {
  const below = new Set<string>();
  const queue = [name];
  for (let next = queue.pop(); next !== undefined; next = queue.pop())
    for (const room of allowedRooms(rooms, next))
      if (!below.has(room)) {
        below.add(room);
        queue.push(room);
      }
  return below;
}

export function arrowComplaints(
  rooms: ReadonlyMap<string, Room>,
  files: readonly ProjectFile[],
): Complaint[] {
  return files
    .filter((file) => file.path.startsWith("src/") && isTypeScript(file.path))
    .flatMap((file) =>
      importsOf(file).flatMap((edge) => {
        const advice = arrowAdvice(rooms, file.path, edge.to);
        return advice === undefined ? [] : [{ path: file.path, line: edge.line, rule: "arrow", advice }];
      }),
    );
}

function arrowAdvice(rooms: ReadonlyMap<string, Room>, from: string, to: string): string | undefined {
  if (!to.startsWith("src/")) {
    if (isTest(from)) return undefined;
    return `${to} is no part of the product; move what is needed into src`;
  }
  if (isTest(to)) return `${to} is a test; move what is shared into test/fakes`;
  const target = topRoom(to);
  if (target === topRoom(from)) return undefined;
  const room = roomOf(rooms, from);
  if (room === undefined) return `${from} lies in no room of the table in docs/architecture.md`;
  if (isTest(from))
    return roomsBelow(rooms, room.name).has(target)
      ? undefined
      : `a test in ${room.name} may use what ${room.name} rests on, and ${target} is not; move the test to test/e2e`;
  if (room.mayImport === "everything" || room.mayImport.has(target)) return undefined;
  const allowed = [...room.mayImport].join(", ") || "no other room";
  return `${room.name} may import ${allowed}, not ${target}; take the piece as a parameter, or change the table by a decision record`;
}

/** The most particular row: `engines/simulated` before `engines`. */
function roomOf(rooms: ReadonlyMap<string, Room>, path: string): Room | undefined {
  for (let folder = posix.dirname(path); folder !== "src" && folder !== "."; folder = posix.dirname(folder)) {
    const room = rooms.get(folder.slice("src/".length));
    if (room !== undefined) return room;
  }
  return undefined;
}

function topRoom(path: string): string {
  return path.split("/")[1] ?? "";
}

// ---- files -----------------------------------------------------------------------------------

interface ImportEdge {
  readonly to: string;
  readonly kind: "import" | "entry";
  readonly line: number;
}

function isImport(edge: ImportEdge): boolean {
  return edge.kind === "import";
}

/** References to the project's own files. `dist/x.js` counts as `src/x.ts`, from which it is built. */
export function importsOf(file: ProjectFile): ImportEdge[] {
  return moduleReferences(parse(file))
    .filter((reference) => /^\.\.?\//.test(reference.specifier))
    .map(({ specifier, kind, line }) => ({
      to: sourceOf(posix.join(posix.dirname(file.path), specifier)),
      kind,
      line,
    }));
}

function sourceOf(path: string): string {
  const built = path.replace(/^dist\//, "src/");
  return built.startsWith("src/") ? built.replace(/\.js$/, ".ts") : built;
}

/** Files that import each other in a circle, type-only imports included. Starting a worker is no import. */
export function cycleComplaints(files: readonly ProjectFile[]): Complaint[] {
  const edges = new Map(
    files
      .filter((file) => isTypeScript(file.path))
      .map((file) => [
        file.path,
        importsOf(file)
          .filter(isImport)
          .map((edge) => edge.to),
      ]),
  );
  const cycle = findCycle([...edges.keys()], (path) => edges.get(path) ?? []);
  if (cycle === undefined) return [];
  const advice = `${cycle.join(" → ")}; move what both need into a third file`;
  return [{ path: cycle[0] as string, line: 1, rule: "import-cycle", advice }];
}

/** The first circle found, its first member repeated at the end. */
function findCycle(
  names: readonly string[],
  next: (name: string) => readonly string[],
): string[] | undefined {
  const finished = new Set<string>();
  const trail: string[] = [];
  const visit = (name: string): string[] | undefined => {
    if (finished.has(name)) return undefined;
    if (trail.includes(name)) return [...trail.slice(trail.indexOf(name)), name];
    trail.push(name);
    for (const other of next(name)) {
      const cycle = visit(other);
      if (cycle !== undefined) return cycle;
    }
    trail.pop();
    finished.add(name);
    return undefined;
  };
  for (const name of names) {
    const cycle = visit(name);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/**
 * Files that nothing needs. Product code must be reached from the program, a bench or a script
 * (worker entries are reached through the URL that names them): its own test alone keeps no file
 * alive. A test helper must be reached from a test or a configuration.
 */
export function deadFileComplaints(files: readonly ProjectFile[]): Complaint[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const programs = files.filter((file) => /^(bin|bench|scripts)\/.*\.m?js$/.test(file.path));
  const tests = files.filter((file) => isTest(file.path) || /^[^/]+\.config\.ts$/.test(file.path));
  const inProduct = reachable(byPath, programs);
  const inTests = reachable(byPath, tests);
  return files.flatMap(({ path }) => {
    if (isProduct(path) && !inProduct.has(path))
      return [
        { path, line: 1, rule: "dead-file", advice: "nothing in the program reaches it; wire or delete it" },
      ];
    if (path.startsWith("test/") && isTypeScript(path) && !inTests.has(path))
      return [{ path, line: 1, rule: "dead-file", advice: "no test reaches it; use or delete it" }];
    return [];
  });
}

function reachable(byPath: ReadonlyMap<string, ProjectFile>, entries: readonly ProjectFile[]): Set<string> {
  const seen = new Set<string>();
  const queue = [...entries];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file.path)) continue;
    seen.add(file.path);
    for (const { to } of importsOf(file)) {
      const target = byPath.get(to);
      if (target !== undefined && /\.m?[jt]s$/.test(to)) queue.push(target);
    }
  }
  return seen;
}
