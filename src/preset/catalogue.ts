/** All presets and modes there are, and the rules that hold between them. */
import { OperatorError } from "../core/errors.ts";
import type { Mode, Preset } from "./preset.ts";
import { fixedPort, listensItself } from "./preset.ts";

/** Something that was read from a file. */
interface Sourced {
  readonly path: string;
  /** The file of the same name that this one took the place of. */
  readonly replaces?: string;
}

export interface PresetEntry extends Sourced {
  readonly preset: Preset;
  /** Changes when a running server would have to be restarted to be what the file says. */
  readonly hash: string;
}

export interface ModeEntry extends Sourced {
  readonly mode: Mode;
}

export interface PresetCatalogue {
  readonly presets: ReadonlyMap<string, PresetEntry>;
  readonly modes: ReadonlyMap<string, ModeEntry>;
}

/** Throws PRESET_UNKNOWN. */
export function presetNamed(catalogue: PresetCatalogue, name: string): PresetEntry {
  const entry = catalogue.presets.get(name);
  if (entry !== undefined) return entry;
  const isMode = catalogue.modes.has(name) ? `; ${name} is a mode` : "";
  throw new OperatorError("PRESET_UNKNOWN", {
    message: `no preset has this name${isMode}`,
    received: name,
    nextStep: `choose one of ${namesOf(catalogue.presets)}, or write ${name}.yaml`,
  });
}

/** The mode's presets, as the mode lists them. Throws MODE_UNKNOWN. */
export function presetsOfMode(catalogue: PresetCatalogue, name: string): readonly PresetEntry[] {
  const entry = catalogue.modes.get(name);
  if (entry !== undefined) return entry.mode.presets.map((preset) => presetNamed(catalogue, preset));
  const isPreset = catalogue.presets.has(name) ? `; ${name} is a preset` : "";
  throw new OperatorError("MODE_UNKNOWN", {
    message: `no mode has this name${isPreset}`,
    received: name,
    nextStep: `choose one of ${namesOf(catalogue.modes)}, or write modes/${name}.yaml`,
  });
}

function namesOf(entries: ReadonlyMap<string, unknown>): string {
  return entries.size === 0 ? "(there are none)" : [...entries.keys()].join(", ");
}

/** Throws CONFIG_INVALID for the first rule that is broken; the error names the file that has to change. */
export function checkCatalogue(catalogue: PresetCatalogue): void {
  for (const [name, { path }] of catalogue.modes)
    if (catalogue.presets.has(name))
      throw broken(path, "name", name, "is a preset's name too", "rename the one or the other");
  for (const entry of catalogue.presets.values()) checkDependencies(entry, catalogue);
  const harmless = new Set<string>();
  for (const entry of catalogue.presets.values()) refuseCycle([entry], harmless, catalogue);
  for (const entry of catalogue.modes.values()) checkMode(entry, catalogue);
}

function checkDependencies({ preset, path }: PresetEntry, { presets }: PresetCatalogue): void {
  for (const name of preset.dependsOn)
    if (!presets.has(name))
      throw broken(path, "dependsOn", name, "names no preset", `choose among ${namesOf(presets)}`);
}

/** Goes down every way of dependence; what was found to lead nowhere back is not gone down again. */
function refuseCycle(way: readonly PresetEntry[], harmless: Set<string>, catalogue: PresetCatalogue): void {
  const { preset, path } = way.at(-1) as PresetEntry;
  if (harmless.has(preset.name)) return;
  const names = way.map((entry) => entry.preset.name);
  for (const name of preset.dependsOn) {
    if (names.includes(name))
      throw broken(
        path,
        "dependsOn",
        name,
        `closes a circle: ${[...names.slice(names.indexOf(name)), name].join(" → ")}`,
        "take one dependency out, so that one of them can start first",
      );
    refuseCycle([...way, presetNamed(catalogue, name)], harmless, catalogue);
  }
  harmless.add(preset.name);
}

function checkMode({ mode, path }: ModeEntry, catalogue: PresetCatalogue): void {
  const inMode = new Set<string>();
  const byPort = new Map<number, Preset>();
  for (const name of mode.presets) {
    const entry = catalogue.presets.get(name);
    if (entry === undefined)
      throw broken(path, "presets", name, "names no preset", `choose among ${namesOf(catalogue.presets)}`);
    if (inMode.has(name)) throw broken(path, "presets", name, "stands here twice", "name it once");
    inMode.add(name);
    const port = fixedPort(entry.preset);
    if (port === undefined) continue;
    const other = byPort.get(port);
    if (other !== undefined && (listensItself(other) || listensItself(entry.preset)))
      throw broken(
        path,
        "presets",
        name,
        `wants port ${port}, as ${other.name} does`,
        `give one of them another port, or write port: free (${entry.path})`,
      );
    byPort.set(port, entry.preset);
  }
  for (const name of mode.presets)
    for (const needed of presetNamed(catalogue, name).preset.dependsOn)
      if (!inMode.has(needed))
        throw broken(
          path,
          "presets",
          mode.presets,
          `${name} depends on ${needed}, which is not in this mode`,
          `add ${needed} to the mode, or take it out of ${name}'s dependsOn`,
        );
}

/** Names the file, the field, the value, the rule and the next step. */
export function broken(
  path: string,
  field: string,
  value: unknown,
  rule: string,
  nextStep: string,
): OperatorError {
  return new OperatorError("CONFIG_INVALID", {
    message: `${path}: field ${field}: ${typeof value === "string" ? `${value} ${rule}` : rule}`,
    received: `${field} = ${JSON.stringify(value)}`,
    nextStep,
  });
}
