/** `slipway mode`: which modes there are, what a switch would do, and the switch itself. */
import { Command } from "commander";
import type { CliIo, ExitCode } from "../io.ts";
import { mebibytes } from "../fleet/mebibytes.ts";
import { STATE_DIR_OPTION, type StateFlags } from "../fleet/places.ts";

interface ModeFlags extends StateFlags {
  readonly presetsDir?: string;
  readonly memoryBudgetMib?: number;
  readonly json?: true;
}

const EXIT_CODES = `
Exits 0 when the mode is up, 3 when the switch was refused or put back; what ran before then runs on.
`;

export function modeCommand(io: CliIo, exit: (code: ExitCode) => void): Command {
  const mode = new Command("mode")
    .summary("list modes, plan a switch, switch")
    .description(
      "Modes are presets that run together. A switch reaches the new one or puts the old one back.",
    )
    .addHelpText("after", "\nExample:\n  slipway mode switch research");
  withCommonOptions(mode.command("list"))
    .option("--presets-dir <dir>", "your own presets and modes, beside the shipped ones (default: presets)")
    .description("Every mode with its presets; the one that is up is marked.")
    .addHelpText("after", "\nExample:\n  slipway mode list")
    .action(async (flags: ModeFlags) => {
      const { listModes } = await import("../fleet/mode-session.ts");
      exit(await listModes(flags, io));
    });
  withCommonOptions(mode.command("plan"))
    .argument("<mode>")
    .option("--presets-dir <dir>", "without a supervisor: your own presets and modes (default: presets)")
    .option("--memory-budget-mib <n>", "without a supervisor: as if slipway up had this budget", mebibytes)
    .description(
      "What a switch would stop, start and need, and what would fit if it does not. Changes nothing.\nA supervisor plans with the presets and the budget that its slipway up was given.",
    )
    .addHelpText(
      "after",
      "\nExample:\n  slipway mode plan research\n\nExits 0 when it fits, 3 when it would be refused.\n",
    )
    .action(async (name: string, flags: ModeFlags) => {
      const { planMode } = await import("../fleet/mode-session.ts");
      exit(await planMode(name, flags, io));
    });
  withCommonOptions(mode.command("switch"))
    .argument("<mode>")
    .description(
      "Changes what runs in one safe step, or puts everything back.\nPresets and modes are those that the supervisor's slipway up was given, as their files are now.",
    )
    .addHelpText("after", `\nExample:\n  slipway mode switch research\n${EXIT_CODES}`)
    .action(async (name: string, flags: ModeFlags) => {
      const { switchMode } = await import("../fleet/mode-session.ts");
      exit(await switchMode(name, flags, io));
    });
  return mode;
}

function withCommonOptions(command: Command): Command {
  return command.option(...STATE_DIR_OPTION).option("--json", "one JSON document on stdout");
}
