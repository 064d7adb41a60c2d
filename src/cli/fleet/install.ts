/** `slipway up --install`: writes the unit and says what to do with it. It runs nothing itself. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { OperatorError } from "../../core/errors.ts";
import { readTextFile, writeFileWhole } from "../../core/file.ts";
import { presetsOfMode } from "../../preset/catalogue.ts";
import type { CliIo, ExitCode } from "../io.ts";
import { configDirectory } from "./places.ts";
import { loadPresets } from "./preset-folders.ts";
import { UNIT_MARK, UNIT_NAME, systemdUnit } from "./systemd-unit.ts";
import type { UpFlags } from "./up-session.ts";

/**
 * Variables of the installing shell that a server's start depends on: where programs and libraries
 * lie, and what shipped presets name. The unit can be read by others, so a token is never among them.
 */
const PASSED_ON = /^(?:PATH|LD_LIBRARY_PATH|CUDA_VISIBLE_DEVICES|XDG_STATE_HOME|SLIPWAY_MODELS?)$/;

/** Throws what `slipway up` itself would throw at a mode or presets it cannot read: the unit would fail at every start. */
export function install(mode: string | undefined, flags: UpFlags, io: CliIo): ExitCode {
  const catalogue = loadPresets(io, flags.presetsDir);
  if (mode !== undefined) presetsOfMode(catalogue, mode);
  const unit = systemdUnit({
    nodePath: process.execPath,
    scriptPath: resolve(process.argv[1] ?? ""),
    args: ["up", ...(mode === undefined ? [] : [mode]), ...flagsOf(flags, io)],
    env: Object.fromEntries(
      Object.entries(io.env).flatMap(([name, value]) =>
        value === undefined || value === "" || !PASSED_ON.test(name) ? [] : [[name, value]],
      ),
    ),
    workingDirectory: io.cwd,
  });
  if (flags.print === true) {
    io.out(unit);
    return 0;
  }
  const path = join(configDirectory(io), "systemd", "user", UNIT_NAME);
  const replaced = refuseForeign(path);
  writeFileWhole(path, unit);
  io.out(`${replaced ? "replaced" : "wrote"} ${path}\n\n${unit}\n${nextCommands(replaced)}`);
  return 0;
}

/** Relative paths would mean something else once the working directory is another. */
function flagsOf(flags: UpFlags, io: CliIo): readonly string[] {
  return [
    ...(flags.stateDir === undefined ? [] : ["--state-dir", resolve(io.cwd, flags.stateDir)]),
    ...(flags.presetsDir === undefined ? [] : ["--presets-dir", resolve(io.cwd, flags.presetsDir)]),
    ...(flags.memoryBudgetMib === undefined ? [] : ["--memory-budget-mib", String(flags.memoryBudgetMib)]),
    ...(flags.safetyProfile === undefined ? [] : ["--safety-profile", flags.safetyProfile]),
    ...(flags.keep === true ? ["--keep"] : []),
  ];
}

function refuseForeign(path: string): boolean {
  if (!existsSync(path)) return false;
  if (readTextFile(path).startsWith(UNIT_MARK)) return true;
  throw new OperatorError("UNIT_FOREIGN", {
    message: "a unit of this name stands there already, and slipway did not write it",
    received: path,
    nextStep: "move it away, or write ours elsewhere with: slipway up --install --print > <file>",
  });
}

function nextCommands(replaced: boolean): string {
  return `next:
  systemctl --user daemon-reload
  systemctl --user ${replaced ? "restart slipway         # its servers stop and start" : "enable --now slipway"}
  loginctl enable-linger         # so that it starts with the machine and outlives your login
  slipway status --watch
`;
}
