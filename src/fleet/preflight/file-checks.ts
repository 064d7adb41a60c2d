/** Whether the files that a preset names are there, can be read, and are models. */
import { isAbsolute, join } from "node:path";
import { printable } from "../../core/errors.ts";
import { formatBytes } from "../../core/units.ts";
import type { Preset } from "../../preset/preset.ts";
import type { Check } from "../check.ts";
import type { FileLook, PreflightProbes } from "./probes.ts";
import { passed, refused } from "./verdict.ts";

type Look = PreflightProbes["file"];

interface NamedFile {
  readonly id: "model-file" | "mmproj-file" | "draft-file";
  readonly path: string;
}

/** GGUF files that the preset's server reads; other engines' models are tags, or folders. */
function ggufFilesOf(preset: Preset): readonly NamedFile[] {
  if (preset.engine !== "llama-server") return [];
  const { model, mmproj, draftModel } = preset;
  return [
    { id: "model-file", path: model },
    ...(mmproj === undefined ? [] : [{ id: "mmproj-file" as const, path: mmproj }]),
    ...(draftModel === undefined ? [] : [{ id: "draft-file" as const, path: draftModel }]),
  ];
}

/** Paths of all parts, given the first: llama.cpp's gguf-split numbers them from 1. One path for a whole file. */
export function splitParts(path: string): readonly string[] {
  const match = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/.exec(path);
  if (match === null) return [path];
  const [, stem, , count] = match;
  return Array.from(
    { length: Number(count) },
    (_, index) => `${stem}-${String(index + 1).padStart(5, "0")}-of-${count}.gguf`,
  );
}

export function fileChecks(preset: Preset, look: Look): readonly Check[] {
  return [...ggufFilesOf(preset).map((file) => ggufCheck(preset, file, look)), ...folderCheck(preset, look)];
}

/** All GGUF bytes that the server reads at its start; missing files count nothing, their check fails. */
export function modelFileBytes(preset: Preset, look: Look): number {
  return ggufFilesOf(preset)
    .flatMap(({ path }) => splitParts(path))
    .reduce((sum, path) => sum + sizeOf(look(path)), 0);
}

function sizeOf(file: FileLook): number {
  return file.kind === "file" ? file.bytes : 0;
}

function ggufCheck(preset: Preset, { id, path }: NamedFile, look: Look): Check {
  const subject = { id, preset: preset.name };
  const parts = splitParts(path);
  if (parts[0] !== path && parts.length > 0)
    return refused(subject, `${path} is not the first part of its model`, `name ${parts[0]}`);
  for (const part of parts) {
    const trouble = troubleOf(part, look(part));
    if (trouble !== undefined) return refused(subject, ...trouble);
  }
  const bytes = parts.reduce((sum, part) => sum + sizeOf(look(part)), 0);
  const ofParts = parts.length > 1 ? ` in ${parts.length} parts` : "";
  return passed(subject, `${path}: ${formatBytes(bytes)}${ofParts}`);
}

const GGUF_MAGIC = "GGUF";

/** Message and remedy; undefined for a GGUF file. */
function troubleOf(path: string, file: FileLook): readonly [message: string, remedy: string] | undefined {
  switch (file.kind) {
    case "absent":
      return [`${path} does not exist`, "correct the path in the preset, or fetch the file"];
    case "folder":
    case "other":
      return [
        `${path} is ${file.kind === "folder" ? "a folder" : "no regular file"}`,
        "name the file itself",
      ];
    case "closed":
      return [
        `${path} cannot be read: ${file.reason}`,
        "give the user that runs the supervisor the right to read it",
      ];
    case "file": {
      if (file.head.startsWith(GGUF_MAGIC)) return undefined;
      const found = file.bytes === 0 ? "is empty" : `begins with "${printable(file.head)}", not with GGUF`;
      return [
        `${path} ${found}`,
        "fetch it again; a page of the download site or a Git LFS pointer may have been saved in its place",
      ];
    }
  }
}

/** A vLLM model that is a path must be a folder with a configuration; a name is looked for by vLLM itself. */
function folderCheck(preset: Preset, look: Look): readonly Check[] {
  if (preset.engine !== "vllm" || !isAbsolute(preset.model)) return [];
  const subject = { id: "model-file", preset: preset.name };
  const configuration = join(preset.model, "config.json");
  if (look(configuration).kind === "file") return [passed(subject, `${preset.model} has a configuration`)];
  return [
    refused(
      subject,
      `${configuration} cannot be read`,
      "name the folder that holds the model's config.json and weights",
    ),
  ];
}
