/** Where the fleet's things lie. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { OperatorError } from "../../core/errors.ts";
import { controlSocketPath } from "../../fleet/control/state-directory.ts";
import type { CliIo } from "../io.ts";

export interface StateFlags {
  readonly stateDir?: string;
}

export const STATE_DIR_OPTION = [
  "--state-dir <dir>",
  "the supervisor's folder (default: slipway below $XDG_STATE_HOME or ~/.local/state)",
] as const;

/** By the XDG base directory rules: an empty or relative variable counts as not set. */
export function stateDirectory(flags: StateFlags, io: Pick<CliIo, "cwd" | "env">): string {
  if (flags.stateDir !== undefined) return resolve(io.cwd, flags.stateDir);
  return join(baseDirectory(io.env, "XDG_STATE_HOME", [".local", "state"]), "slipway");
}

export function configDirectory(io: Pick<CliIo, "env">): string {
  return baseDirectory(io.env, "XDG_CONFIG_HOME", [".config"]);
}

export function socketOf(flags: StateFlags, io: Pick<CliIo, "cwd" | "env">): string {
  return controlSocketPath(stateDirectory(flags, io));
}

/** The name is a preset's and no path: it must not lead out of the folder. Throws FLAG_INVALID. */
export function logPathOf(preset: string, flags: StateFlags, io: Pick<CliIo, "cwd" | "env">): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(preset))
    return join(stateDirectory(flags, io), "logs", `${preset}.log`);
  throw new OperatorError("FLAG_INVALID", {
    message: "this is not the name of a preset",
    received: preset,
    nextStep: "slipway status and slipway preset list show the names",
  });
}

function baseDirectory(env: CliIo["env"], name: string, below: readonly string[]): string {
  const set = env[name];
  const home = env["HOME"] ?? homedir();
  return set?.startsWith("/") === true ? set : join(home, ...below);
}
