/** Where the supervisor keeps what must outlive it. Who may enter is looked after where its lock is taken. */
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

/**
 * What was given, or the place of the XDG base directory specification for state, which says that a
 * relative XDG_STATE_HOME is to be ignored.
 */
export function stateDirectory(
  given: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  if (given !== undefined) return resolve(given);
  const named = environment["XDG_STATE_HOME"];
  const home = environment["HOME"] ?? homedir();
  return join(named !== undefined && isAbsolute(named) ? named : join(home, ".local", "state"), "slipway");
}

export function logFolder(stateDirectoryPath: string): string {
  return join(stateDirectoryPath, "logs");
}
