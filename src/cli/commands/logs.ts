/** `slipway logs`: what a server said last. */
import { Command, InvalidArgumentError } from "commander";
import type { DefineCommand } from "../define-command.ts";
import { STATE_DIR_OPTION, type StateFlags } from "../fleet/places.ts";

interface LogFlags extends StateFlags {
  readonly follow?: true;
  readonly lines: number;
}

const EXAMPLES = `
Examples:
  slipway logs gemma4-26b-a4b-q4          the last 50 lines
  slipway logs gemma4-26b-a4b-q4 -f       and what comes, until Ctrl-C
  slipway logs gemma4-26b-a4b-q4 -n 500

It reads the file, so it works without a supervisor too and never holds a server up. Colours and other control
sequences are left out.
`;

/** A screen or so: what one wants to see of a server that just failed. */
const USUAL_LINES = 50;
/** Beyond it one wants the file itself. */
const MOST_LINES = 100_000;

export const logsCommand: DefineCommand = (io, exit) =>
  new Command("logs")
    .argument("<preset>", "whose log")
    .summary("show what a server wrote")
    .description("Shows the last lines that a preset's server wrote, and follows them.")
    .addHelpText("after", EXAMPLES)
    .option("-f, --follow", "go on until Ctrl-C")
    .option("-n, --lines <n>", "how many lines", lineCount, USUAL_LINES)
    .option(...STATE_DIR_OPTION)
    .action(async (preset: string, flags: LogFlags) => {
      const { showLog } = await import("../fleet/show-log.ts");
      await showLog(preset, flags, io);
      exit(0);
    });

function lineCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > MOST_LINES)
    throw new InvalidArgumentError(`a whole number from 0 to ${MOST_LINES} is needed`);
  return value;
}
