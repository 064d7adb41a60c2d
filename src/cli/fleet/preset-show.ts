/** What `slipway preset show` shows of one preset: its settings, and what would be run. */
import { printable } from "../../core/errors.ts";
import { describeLaunch } from "../../engines/launch.ts";
import type { PresetCatalogue, PresetEntry } from "../../preset/catalogue.ts";
import type { LaunchDescription, ProcessLaunch } from "../../preset/launch.ts";
import type { Preset } from "../../preset/preset.ts";
import { fixedPort } from "../../preset/preset.ts";
import { sourceText } from "./preset-folders.ts";

/** Port 0 is what asks a system for any free one, so the line that is shown can be run as it stands. */
const PORT_CHOSEN_AT_START = 0;

export interface ShownPreset {
  readonly preset: Preset;
  readonly path: string;
  readonly replaces?: string;
  readonly hash: string;
  readonly modes: readonly string[];
  readonly launch: LaunchDescription;
}

export function shownPreset(entry: PresetEntry, catalogue: PresetCatalogue): ShownPreset {
  const { preset, path, hash, replaces } = entry;
  const launch = describeLaunch(preset, fixedPort(preset) ?? PORT_CHOSEN_AT_START);
  return {
    preset: { ...preset, env: withoutSecrets(preset.env) },
    path,
    ...(replaces !== undefined && { replaces }),
    hash,
    modes: [...catalogue.modes.values()]
      .filter(({ mode }) => mode.presets.includes(preset.name))
      .map(({ mode }) => mode.name),
    launch: launchWithoutSecrets(launch),
  };
}

/** A part of the name says it, wherever it stands: `HF_PAT`, `AUTH_HEADER`, `DB_PASSWORD_2`, `APIKEY`. */
const SECRET_NAME =
  /(^|_)(PAT|PW|PWD|PASS|AUTH|BEARER|COOKIE|DSN)(_|$)|KEYS?(_|\d|$)|TOKEN(_|\d|$)|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|AUTHORI[SZ]ATION|PRIVATE/i;

/** What is shown gets copied into issues and chats. */
function withoutSecrets(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, SECRET_NAME.test(name) ? "(hidden)" : value]),
  );
}

function launchWithoutSecrets(launch: LaunchDescription): LaunchDescription {
  const hide = (process: ProcessLaunch): ProcessLaunch => ({ ...process, env: withoutSecrets(process.env) });
  if (launch.kind === "process") return hide(launch);
  return { ...launch, ...(launch.server !== undefined && { server: hide(launch.server) }) };
}

export function showText(shown: ShownPreset, cwd: string): string {
  const { preset, launch, modes, hash } = shown;
  const { name, description, ...settings } = preset;
  const facts: (readonly [string, string])[] = [
    ["source", sourceText(shown, cwd)],
    ["in modes", modes.length === 0 ? "none" : modes.join(", ")],
    ["hash", hash],
  ];
  const rows = Object.entries(settings)
    .filter(([, value]) => !isEmpty(value))
    .map(([field, value]) => [field, typeof value === "string" ? value : JSON.stringify(value)] as const);
  const title = description === undefined ? name : `${name}: ${description}`;
  return [title, ...aligned(facts), "", "Settings", ...aligned(rows), "", ...launchLines(launch), ""]
    .map(printable)
    .join("\n");
}

/** A list or table without entries says nothing. */
function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function launchLines(launch: LaunchDescription): readonly string[] {
  switch (launch.kind) {
    case "process":
      return ["Would run", ...processLines(launch)];
    case "resident":
      return [
        "Would load",
        `  ${launch.model} into the Ollama at ${launch.url}`,
        ...(launch.server === undefined ? [] : ["", "Would run", ...processLines(launch.server)]),
      ];
  }
}

function processLines(launch: ProcessLaunch): readonly string[] {
  const env = Object.entries(launch.env).map(([name, value]) => `${name}=${shellQuoted(value)}`);
  return [
    `  ${[...env, ...[launch.command, ...launch.args].map(shellQuoted)].join(" ")}`,
    `  and wait for 200 at ${launch.url}${launch.healthPath}`,
  ];
}

/** For copying into a POSIX shell; Slipway itself hands the arguments over as an array. */
function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function aligned(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`);
}
