/** `slipway preset`: what servers could be started, how, and whether they could be here and now. */
import { Command } from "commander";
import type { PresetCatalogue, PresetEntry } from "../../preset/catalogue.ts";
import type { StateFlags } from "../fleet/places.ts";
import { STATE_DIR_OPTION, stateFolder } from "../fleet/places.ts";
import type { CliIo, ExitCode } from "../io.ts";

interface CommonOptions {
  readonly presetsDir?: string;
  readonly json?: true;
}

type CheckOptions = CommonOptions & StateFlags;

export function presetCommand(io: CliIo, exit: (code: ExitCode) => void): Command {
  const preset = new Command("preset")
    .description("List presets and modes, show what one would run, or check whether it could.")
    .addHelpText("after", "\nExample:\n  slipway preset list");
  withCommonOptions(preset.command("list"))
    .description("Every preset and mode, and where it comes from.")
    .addHelpText("after", "\nExample:\n  slipway preset list --presets-dir ~/presets")
    .action(async (options: CommonOptions) => exit(await list(options, io)));
  withCommonOptions(preset.command("show"))
    .argument("<name>", "a preset, or a mode for all of its presets")
    .description("All settings, the environment and the exact command line.")
    .addHelpText("after", "\nExample:\n  slipway preset show own-gguf")
    .action(async (name: string, options: CommonOptions) => exit(await show(name, options, io)));
  withCommonOptions(preset.command("check"))
    .argument("<name>", "a preset, or a mode for all of its presets")
    .description("Whether programs, files, ports and memory are as the preset needs them. Starts nothing.")
    .option(...STATE_DIR_OPTION)
    .addHelpText("after", "\nExample:\n  slipway preset check own-gguf\n\nExits 3 when something is missing.")
    .action(async (name: string, options: CheckOptions) => exit(await check(name, options, io)));
  return preset;
}

function withCommonOptions(command: Command): Command {
  return command
    .option("--presets-dir <folder>", "your own presets (default: presetsDir of slipway.yaml, else presets)")
    .option("--json", "one JSON document on stdout");
}

async function list(options: CommonOptions, io: CliIo): Promise<ExitCode> {
  const { loadPresets } = await import("../fleet/preset-folders.ts");
  const { PRESET_HEAD, MODE_HEAD, presetRow, modeRow } = await import("../fleet/preset-list.ts");
  const { shownPreset } = await import("../fleet/preset-show.ts");
  const catalogue = loadPresets(io, options.presetsDir);
  const presets = [...catalogue.presets.values()];
  const modes = [...catalogue.modes.values()];
  if (options.json === true) {
    writeJson(io, { presets: presets.map((entry) => shownPreset(entry, catalogue)), modes });
    return 0;
  }
  io.out(
    await table(
      PRESET_HEAD,
      presets.map((entry) => presetRow(entry, io.cwd)),
    ),
  );
  io.out(
    await table(
      MODE_HEAD,
      modes.map((entry) => modeRow(entry, catalogue, io.cwd)),
    ),
  );
  return 0;
}

async function show(name: string, options: CommonOptions, io: CliIo): Promise<ExitCode> {
  const { loadPresets } = await import("../fleet/preset-folders.ts");
  const { shownPreset, showText } = await import("../fleet/preset-show.ts");
  const catalogue = loadPresets(io, options.presetsDir);
  const entries = await entriesOf(catalogue, name);
  const shown = entries.map((entry) => shownPreset(entry, catalogue));
  if (options.json === true) writeJson(io, catalogue.modes.has(name) ? shown : shown[0]);
  else io.out(shown.map((one) => showText(one, io.cwd)).join("\n"));
  return 0;
}

async function check(name: string, options: CheckOptions, io: CliIo): Promise<ExitCode> {
  const { loadPresets } = await import("../fleet/preset-folders.ts");
  const { checkPresets } = await import("../fleet/preset-checks.ts");
  const { checkText } = await import("../fleet/preset-check-text.ts");
  const { machineMemorySources } = await import("../../fleet/memory-reader.ts");
  const { machineProbes } = await import("../../fleet/preflight/machine-probes.ts");
  const entries = await entriesOf(loadPresets(io, options.presetsDir), name);
  const checks = await checkPresets(
    entries.map((entry) => entry.preset),
    {
      memory: machineMemorySources({ clock: io.clock }),
      probes: machineProbes,
      stateDirectory: stateFolder(options, io),
    },
  );
  if (options.json === true) writeJson(io, checks);
  else io.out(checkText(checks));
  return checks.some(({ passed, severity }) => !passed && severity === "error") ? 3 : 0;
}

async function entriesOf(catalogue: PresetCatalogue, name: string): Promise<readonly PresetEntry[]> {
  const { presetNamed, presetsOfMode } = await import("../../preset/catalogue.ts");
  return catalogue.modes.has(name) ? presetsOfMode(catalogue, name) : [presetNamed(catalogue, name)];
}

function writeJson(io: CliIo, document: unknown): void {
  io.out(`${JSON.stringify(document, undefined, 2)}\n`);
}

async function table(head: readonly string[], rows: readonly (readonly string[])[]): Promise<string> {
  const { default: Table } = await import("cli-table3");
  const built = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  built.push(...rows.map((row) => [...row]));
  return `${built.toString()}\n`;
}
