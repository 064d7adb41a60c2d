/** Reads folders of presets: `*.yaml`, and modes in `modes/*.yaml`. Later folders replace by name. */
import { readdirSync, realpathSync, statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import type { z } from "zod";
import { OperatorError, messageOf, systemCodeOf } from "../core/errors.ts";
import { fileError } from "../core/file.ts";
import { parseWith, readYamlFile } from "../core/yaml.ts";
import type { ModeEntry, PresetCatalogue, PresetEntry } from "./catalogue.ts";
import { broken, checkCatalogue } from "./catalogue.ts";
import type { Environment } from "./expand.ts";
import { expandPreset } from "./expand.ts";
import { presetHash } from "./preset-hash.ts";
import { modeSchema, presetSchema } from "./preset.ts";

/** Where the fields are explained; errors name it. */
const PAGE = "docs/presets.md";

/** One person's presets are tens; a folder with more is not a folder of presets, and each is read whole. */
const MAX_FILES = 1_000;

/**
 * Everything in the folders, in their order: the shipped one first, the operator's after it. A
 * folder that is named must be there; its `modes` folder need not. Texts are filled in from
 * `environment`. Throws CONFIG_INVALID, YAML_SYNTAX and FILE_NOT_FOUND for the first file that
 * cannot be used, also when nobody asked for that one: half a catalogue could start half a mode.
 */
export function readPresets(folders: readonly string[], environment: Environment): PresetCatalogue {
  const presets = new Map<string, PresetEntry>();
  const modes = new Map<string, ModeEntry>();
  for (const folder of onceEach(folders)) {
    for (const [name, { value, path }] of readFolder(presetSchema, filesIn(folder), "preset")) {
      // Checked once more: what a variable brings in is held to the same rules.
      const preset = parseWith(presetSchema, expandPreset(value, path, environment), path, PAGE);
      presets.set(name, { preset, path, hash: presetHash(preset), ...replaced(presets.get(name)) });
    }
    for (const [name, { value, path }] of readFolder(modeSchema, modeFilesIn(folder), "mode"))
      modes.set(name, { mode: value, path, ...replaced(modes.get(name)) });
  }
  const catalogue = { presets: sortedByName(presets), modes: sortedByName(modes) };
  checkCatalogue(catalogue);
  return catalogue;
}

/**
 * Changes whenever a file of the folders is written, added or taken away; for whoever would read
 * them again and again. Never throws: what cannot be looked at is part of the stamp.
 */
export function presetsStamp(folders: readonly string[]): string {
  return folders
    .flatMap((folder) => [folder, join(folder, "modes")])
    .flatMap((folder) => {
      try {
        return filesIn(folder).map((path) => {
          const { ino, size, mtimeMs, ctimeMs } = statSync(path);
          return `${path} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
        });
      } catch (thrown) {
        return [`${folder} ${messageOf(thrown)}`];
      }
    })
    .join("\n");
}

function replaced(before: { readonly path: string } | undefined): { readonly replaces?: string } {
  return before === undefined ? {} : { replaces: before.path };
}

/** The same folder by two names must not replace its own files. */
function onceEach(folders: readonly string[]): readonly string[] {
  const real = folders.map((folder) => {
    try {
      return realpathSync(folder);
    } catch (thrown) {
      throw fileError(thrown, folder);
    }
  });
  return folders.filter((_, index) => real.indexOf(real[index] as string) === index);
}

function modeFilesIn(folder: string): readonly string[] {
  try {
    return filesIn(join(folder, "modes"));
  } catch (thrown) {
    if (thrown instanceof OperatorError && systemCodeOf(thrown.cause) === "ENOENT") return [];
    throw thrown;
  }
}

/** Hidden files are editors' own. */
function filesIn(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter((name) => /^[^.].*\.ya?ml$/.test(name));
    if (names.length > MAX_FILES)
      throw broken(
        folder,
        "(folder)",
        names.length,
        `holds more than ${MAX_FILES} files`,
        "give a folder of presets",
      );
    return names.sort().map((name) => join(folder, name));
  } catch (thrown) {
    if (thrown instanceof OperatorError) throw thrown;
    throw fileError(thrown, folder);
  }
}

/** A file is called after what it holds, so that a name leads to its file and two files cannot claim one name. */
function readFolder<S extends z.ZodType<{ readonly name: string }>>(
  schema: S,
  paths: readonly string[],
  what: string,
): ReadonlyMap<string, { readonly value: z.output<S>; readonly path: string }> {
  const read = new Map<string, { readonly value: z.output<S>; readonly path: string }>();
  for (const path of paths) {
    const value = readYamlFile(schema, path, PAGE);
    const named = basename(path, extname(path));
    if (value.name !== named)
      throw broken(
        path,
        "name",
        value.name,
        "is not what the file is called",
        `write name: ${named}, or call the file ${value.name}.yaml`,
      );
    const other = read.get(named);
    if (other !== undefined)
      throw broken(path, "name", named, `is a ${what} in ${basename(other.path)} too`, "keep one of the two");
    read.set(named, { value, path });
  }
  return read;
}

function sortedByName<T>(entries: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}
