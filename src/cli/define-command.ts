import type { Command } from "commander";
import type { CliIo, ExitCode } from "./io.ts";

/** Builds one commander command; its action reports the exit code through `exit`. */
export type DefineCommand = (io: CliIo, exit: (code: ExitCode) => void) => Command;
