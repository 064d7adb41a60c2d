/**
 * The supervisor as a systemd user service. What stands in the unit beyond the usual keeps one
 * promise: servers outlive their supervisor, whether it is restarted, crashes, or is killed.
 */
import { OperatorError } from "../../core/errors.ts";

/** The first line, by which a unit of ours is known from one that somebody wrote. */
export const UNIT_MARK = "# Written by slipway up --install; change it by running that again.";

export const UNIT_NAME = "slipway.service";

export interface UnitFacts {
  /** Absolute: a user service has another PATH than a shell. */
  readonly nodePath: string;
  readonly scriptPath: string;
  readonly args: readonly string[];
  /** What servers need of the shell that installed the unit: PATH, and the library path and device choice where set. */
  readonly env: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
}

export function systemdUnit(facts: UnitFacts): string {
  const { nodePath, scriptPath, args, env, workingDirectory } = facts;
  const command = [nodePath, scriptPath, ...args].map(quoted).join(" ");
  return `${UNIT_MARK}
[Unit]
Description=Slipway: supervisor of inference servers
# Five failures within ten minutes are no accident; "systemctl --user reset-failed slipway" allows more.
StartLimitIntervalSec=600
StartLimitBurst=5

[Service]
Type=simple
# The colon keeps systemd from replacing $VARIABLES in the arguments.
ExecStart=:${command}
WorkingDirectory=${plainPath(workingDirectory)}
${Object.entries(env)
  .map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`)
  .join("\n")}
# Only the supervisor is signalled: it stops its servers itself when it is asked to end, and when it
# crashes they run on and are taken over by its successor. The usual control-group would kill them.
KillMode=process
# A server that the kernel ends for want of memory must not end the supervisor, which then restarts it.
OOMPolicy=continue
# Time to let running requests end: the longest drainLimitMs of what runs (60 s by default), then 10 s of grace.
# Raise it with a longer one: when it has passed, the supervisor is killed and its servers run on.
TimeoutStopSec=600
Restart=on-failure
RestartSec=5
# Exit code 2 is a wrong flag or file: starting again does not mend it. 130 is an end by signal while starting.
RestartPreventExitStatus=2
SuccessExitStatus=130

[Install]
WantedBy=default.target
`;
}

/**
 * One argument as systemd.syntax(7) and systemd.service(5) read it: in double quotes, with C
 * escapes, and with the percent sign doubled, which would begin a specifier.
 */
function quoted(argument: string): string {
  return `"${escaped(argument).replace(/"/g, '\\"')}"`;
}

/** This value is not unquoted, so what would end or continue its line cannot be written at all. */
function plainPath(path: string): string {
  if (/\p{Cc}|\\$/u.test(path))
    throw new OperatorError("FLAG_INVALID", {
      message:
        "a systemd unit cannot name a working directory with control characters or a backslash at its end",
      received: path,
      nextStep: "install from another directory",
    });
  return path.replace(/%/g, "%%");
}

function escaped(text: string): string {
  return text
    .replace(/\\/g, "\\\\")
    .replace(/%/g, "%%")
    .replace(/\p{Cc}/gu, (character) => {
      const code = character.charCodeAt(0);
      return code < 0x80 ? `\\x${code.toString(16).padStart(2, "0")}` : character;
    });
}
