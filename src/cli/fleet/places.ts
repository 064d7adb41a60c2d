/** Where the fleet's things lie. */
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { controlSocketPath } from "../../fleet/control/supervisor-lock.ts";
import { stateDirectory } from "../../fleet/state-directory.ts";
import type { CliIo } from "../io.ts";

export interface StateFlags {
  readonly stateDir?: string;
}

export const STATE_DIR_OPTION = [
  "--state-dir <dir>",
  "the supervisor's folder (default: slipway below $XDG_STATE_HOME or ~/.local/state)",
] as const;

export function stateFolder({ stateDir }: StateFlags, { cwd, env }: Pick<CliIo, "cwd" | "env">): string {
  return stateDirectory(stateDir === undefined ? undefined : resolve(cwd, stateDir), env);
}

export function socketOf(flags: StateFlags, io: Pick<CliIo, "cwd" | "env">): string {
  return controlSocketPath(stateFolder(flags, io));
}

/** By the XDG base directory rules, in which a relative path counts as not set. */
export function configDirectory({ env }: Pick<CliIo, "env">): string {
  const set = env["XDG_CONFIG_HOME"];
  return set !== undefined && isAbsolute(set) ? set : join(env["HOME"] ?? homedir(), ".config");
}
