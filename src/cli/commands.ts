/** Every command, in the order `--help` shows them. */
import type { Command } from "commander";
import { benchCommand } from "./commands/bench.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { engineCommand } from "./commands/engine.ts";
import { recordCommand } from "./commands/record.ts";
import { runsCommand } from "./commands/runs.ts";
import type { CliIo, ExitCode } from "./io.ts";

/** Builds one commander command; its action reports the exit code through `exit`. */
export type DefineCommand = (io: CliIo, exit: (code: ExitCode) => void) => Command;

export const COMMANDS: readonly DefineCommand[] = [
  doctorCommand,
  benchCommand,
  recordCommand,
  runsCommand,
  engineCommand,
];
