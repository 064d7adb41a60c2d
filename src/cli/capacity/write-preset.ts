/** The knee as files that are ready to use: a preset, and a mode with what stood beside it. */
import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { readTextFile, writeFileWhole } from "../../core/file.ts";
import { parseYaml, yamlText } from "../../core/yaml.ts";
import { configured } from "../../experiment/server-round.ts";
import type { StartRecord } from "../../experiment/start-record.ts";
import type { SweepCell } from "../../experiment/sweep-cells.ts";
import type { LlamaServerPreset } from "../../preset/preset.ts";
import { presetSchema } from "../../preset/preset.ts";
import { declaredMib } from "./outcome.ts";

/** A file that begins so may be replaced by a later sweep; any other is somebody's. */
const MARK = "# Written by slipway capacity";

/** Of a name of 60 characters, what is left for the base's. */
const MAX_STEM = 55;

export interface PresetFiles {
  readonly name: string;
  /** Of a base there is one knee, so that a mode has the same name after every sweep. */
  readonly modeName: string;
  readonly presetText: string;
  readonly modeText: string;
}

export interface ChosenCell {
  readonly base: LlamaServerPreset;
  /** The file of the base, whose references to variables are kept; absent without one. */
  readonly basePath?: string;
  readonly beside: readonly string[];
  readonly cell: SweepCell;
  readonly start: StartRecord | undefined;
  /** Of the knee, one sentence. */
  readonly reason: string;
  readonly runId: string;
}

export function presetFiles(chosen: ChosenCell): PresetFiles {
  const { base, basePath, beside, cell, start, reason, runId } = chosen;
  const preset = configured(base, cell);
  const usedMib = start?.usedBytes === undefined ? undefined : declaredMib(start.usedBytes);
  const memory =
    usedMib === undefined ? base.memory : start?.pool === "gpu" ? { vramMib: usedMib } : { hostMib: usedMib };
  const fields = {
    name: preset.name,
    description: `${reason} Measured in ${runId}.`,
    ...asWritten(base, basePath),
    ...(cell.vision === "off" ? { mmproj: undefined } : {}),
    ...cell.configuration,
    memory: { ...memory },
  };
  const modeName = `${base.name.slice(0, MAX_STEM)}-knee`;
  const head = `${MARK} in ${runId}; a later sweep replaces it.\n`;
  return {
    name: preset.name,
    modeName,
    presetText: head + yamlText(withoutUndefined(fields)),
    modeText: head + yamlText({ name: modeName, presets: [...beside, preset.name] }),
  };
}

/** The base's own fields, without what stands at its default. Texts with references stay as they were written. */
function asWritten(base: LlamaServerPreset, basePath: string | undefined): Record<string, unknown> {
  // It may have gone since the sweep began.
  const source =
    basePath === undefined || !existsSync(basePath)
      ? {}
      : (parseYaml(readTextFile(basePath), basePath) as object);
  const written = new Map(Object.entries(source));
  const plain = presetSchema.parse({ name: "plain", engine: "llama-server", model: "plain.gguf" });
  const defaults = new Map(Object.entries(plain));
  const { engine, program, model, ...others } = base;
  const entries = Object.entries({ engine, program, model, ...others }).flatMap(([field, value]) => {
    if (["name", "description", "memory", "slots", "contextTokensPerSlot"].includes(field)) return [];
    if (field !== "engine" && JSON.stringify(value) === JSON.stringify(defaults.get(field))) return [];
    const before = written.get(field);
    return [[field, isPortable(before) ? before : value] as const];
  });
  return Object.fromEntries(entries);
}

/** Means the same from whatever folder: no path relative to the file. */
function isPortable(text: unknown): boolean {
  return typeof text === "string" && (isAbsolute(text) || /^[$~]/.test(text));
}

function withoutUndefined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

export type Written =
  | { readonly kind: "written"; readonly presetPath: string; readonly modePath: string }
  | { readonly kind: "in-the-way"; readonly path: string };

/** Into a folder of presets. Throws DIRECTORY_UNWRITABLE, DISK_FULL. */
export function writePresetFiles(
  folder: string,
  { name, modeName, presetText, modeText }: PresetFiles,
): Written {
  const presetPath = join(folder, `${name}.yaml`);
  const modePath = join(folder, "modes", `${modeName}.yaml`);
  const foreign = [presetPath, modePath].find(
    (path) => existsSync(path) && !readTextFile(path).startsWith(MARK),
  );
  if (foreign !== undefined) return { kind: "in-the-way", path: foreign };
  writeFileWhole(presetPath, presetText);
  writeFileWhole(modePath, modeText);
  return { kind: "written", presetPath, modePath };
}
