/** Which folders presets come from: the shipped one, and the operator's own after it. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { PresetCatalogue } from "../../preset/catalogue.ts";
import { presetsStamp, readPresets } from "../../preset/read-presets.ts";
import { readConfig } from "../config.ts";
import type { CliIo } from "../io.ts";
import { shownPath } from "../shown-path.ts";

const SHIPPED_FOLDER = fileURLToPath(new URL("../../../presets/", import.meta.url));

/** In the working folder; unlike one that was named, it need not be there. */
const USUAL_FOLDER = "presets";

/** `named` is what --presets-dir says; slipway.yaml may say it instead. Throws what `readPresets` throws. */
export function loadPresets(io: Pick<CliIo, "cwd" | "env">, named?: string): PresetCatalogue {
  return readPresets(foldersOf(io.cwd, named), io.env);
}

/** The same for one who asks at every command: files are read again only when one of them has changed. */
export function presetsAsTheyAre(
  io: Pick<CliIo, "cwd" | "env">,
  named: string | undefined,
): () => PresetCatalogue {
  let last: { readonly stamp: string; readonly catalogue: PresetCatalogue } | undefined;
  return () => {
    const folders = foldersOf(io.cwd, named);
    const stamp = presetsStamp(folders);
    if (last?.stamp !== stamp) last = { stamp, catalogue: readPresets(folders, io.env) };
    return last.catalogue;
  };
}

function foldersOf(cwd: string, named: string | undefined): readonly string[] {
  const told = named ?? readConfig(cwd).presetsDir;
  const own = resolve(cwd, told ?? USUAL_FOLDER);
  return told !== undefined || existsSync(own) ? [SHIPPED_FOLDER, own] : [SHIPPED_FOLDER];
}

/** Where a preset or mode comes from, in few words. */
export function sourceText(
  { path, replaces }: { readonly path: string; readonly replaces?: string },
  cwd: string,
): string {
  const where = path.startsWith(SHIPPED_FOLDER) ? "shipped" : shownPath(path, cwd);
  if (replaces === undefined) return where;
  const before = replaces.startsWith(SHIPPED_FOLDER) ? "the shipped one" : shownPath(replaces, cwd);
  return `${where}, in place of ${before}`;
}
