/** One or several files of one profile to one kernel table and one set of figures. */
import { OperatorError } from "../core/errors.ts";
import { readChrome } from "./chrome/read-chrome.ts";
import type { FigureSet, NcuLaunch, ProfileFigures, ProfileFormat, ProfileSource, Told } from "./figures.ts";
import { known, valueOf } from "./figures.ts";
import { readNsys } from "./nsys/read-nsys.ts";
import type { FileKind } from "./profile-format.ts";
import { fileKind } from "./profile-format.ts";
import type { ReadFile } from "./read-file.ts";
import { readNcu } from "./tables/read-ncu.ts";
import { readStats } from "./tables/read-stats.ts";

export type OnFileProgress = (path: string, what: string, rows: number) => void;

/** The richest first: where two formats tell the same figure, the earlier one is used. */
const PRECEDENCE: readonly ProfileFormat[] = ["nsys-sqlite", "chrome-json", "nsys-stats-csv", "ncu-csv"];

interface Part extends ReadFile {
  readonly format: ProfileFormat;
  readonly paths: readonly string[];
}

/**
 * Reads files of one profile. They are opened for reading only.
 *
 * @throws OperatorError FILE_NOT_FOUND, PROFILE_FORMAT_UNKNOWN, PROFILE_DAMAGED, PROFILE_TOO_LARGE,
 * or PROFILE_CONFLICT where two files are traces of their own.
 */
export async function readProfile(
  paths: readonly string[],
  onProgress: OnFileProgress = () => undefined,
): Promise<ProfileFigures> {
  const files: { readonly path: string; readonly kind: FileKind }[] = [];
  for (const path of paths) files.push({ path, kind: await fileKind(path) });
  refuseTwoTraces(files);
  const parts: Part[] = [];
  for (const format of PRECEDENCE) {
    const alike = files.filter(({ kind }) => kind.format === format);
    if (alike.length > 0) parts.push(...(await readAlike(format, alike, onProgress)));
  }
  const sources: readonly ProfileSource[] = files.map(({ path, kind }) => ({
    path,
    bytes: kind.bytes,
    format: kind.format,
    detail: parts.find((part) => part.paths.includes(path))?.detail ?? "",
  }));
  return {
    sources,
    ...merged(parts.map((part) => part.figures)),
    notes: [...parts.flatMap((part) => part.notes), ...disagreements(parts)],
  };
}

function refuseTwoTraces(files: readonly { readonly path: string; readonly kind: FileKind }[]): void {
  const traces = files.filter(({ kind }) => kind.format === "nsys-sqlite" || kind.format === "chrome-json");
  if (traces.length > 1)
    throw new OperatorError("PROFILE_CONFLICT", {
      message: `${traces[0]?.path} and ${traces[1]?.path} are traces of their own, not parts of one profile`,
      received: traces.map(({ path }) => path).join(" "),
      nextStep: "read them one at a time; reports of nsys stats and ncu may stand beside one trace",
    });
}

async function readAlike(
  format: ProfileFormat,
  files: readonly { readonly path: string; readonly kind: FileKind }[],
  onProgress: OnFileProgress,
): Promise<readonly Part[]> {
  const paths = files.map(({ path }) => path);
  if (format === "nsys-stats-csv") {
    const read = await readStats(paths, (what, rows) => onProgress(paths[0] ?? "", what, rows));
    return [{ ...read, format, paths }];
  }
  const parts: Part[] = [];
  for (const { path, kind } of files) {
    const onRows = (what: string, rows: number): void => onProgress(path, what, rows);
    const read =
      format === "nsys-sqlite"
        ? readNsys(path, onRows)
        : format === "chrome-json"
          ? await readChrome(path, kind.packed, onRows)
          : await readNcu(path, onRows);
    parts.push({ ...read, format, paths: [path] });
  }
  return parts;
}

/** Parts come with the richest first. */
function merged(sets: readonly FigureSet[]): FigureSet {
  const [first, ...others] = sets;
  if (first === undefined) throw new Error("no file was given");
  const names = Object.keys(first) as (keyof FigureSet)[];
  const chosen = Object.fromEntries(
    names.map((name) => [
      name,
      [first, ...others].map((set) => set[name]).find((told) => told.kind === "known") ?? first[name],
    ]),
  ) as unknown as FigureSet;
  return { ...chosen, ncu: allLaunches(sets.map((set) => set.ncu)) };
}

/** Each file of Nsight Compute adds its launches. */
function allLaunches(told: readonly Told<readonly NcuLaunch[]>[]): Told<readonly NcuLaunch[]> {
  const launches = told.flatMap((one) => valueOf(one) ?? []);
  return launches.length > 0 ? known(launches) : (told[0] as Told<readonly NcuLaunch[]>);
}

/** A report and a trace of one run count the same kernels. */
function disagreements(parts: readonly Part[]): readonly string[] {
  const counts = parts.flatMap(({ paths, figures }) => {
    const count = valueOf(figures.kernelCount);
    return count === undefined ? [] : [{ path: paths[0] ?? "", count }];
  });
  const [first, ...others] = counts;
  return others
    .filter(({ count }) => count !== first?.count)
    .map(
      ({ path, count }) =>
        `${first?.path} has ${first?.count} kernels and ${path} ${count}: they may be of different runs; the first counts`,
    );
}
