/** `slipway logs`: reads the files that servers write themselves, so no server is ever held up by a reader. */
import { existsSync } from "node:fs";
import { OperatorError } from "../../core/errors.ts";
import { followLog } from "../../fleet/follow-log.ts";
import { logPath, tailLog } from "../../fleet/server-log.ts";
import { logFolder } from "../../fleet/state-directory.ts";
import { presetNameSchema } from "../../preset/preset.ts";
import type { CliIo } from "../io.ts";
import { type StateFlags, stateFolder } from "./places.ts";

interface LogFlags extends StateFlags {
  readonly follow?: true;
  readonly lines: number;
}

/** Throws LOG_ABSENT, and FLAG_INVALID for what is no name: it must not lead out of the folder. */
export async function showLog(preset: string, flags: LogFlags, io: CliIo): Promise<void> {
  if (!presetNameSchema.safeParse(preset).success)
    throw new OperatorError("FLAG_INVALID", {
      message: "this is not the name of a preset",
      received: preset,
      nextStep: "slipway status and slipway preset list show the names",
    });
  const path = logPath(logFolder(stateFolder(flags, io)), preset);
  if (flags.follow !== true && !existsSync(path))
    throw new OperatorError("LOG_ABSENT", {
      message: `there is no log of ${preset}: it was never started on this state directory`,
      received: path,
      nextStep: "slipway status shows what runs; give --state-dir if the supervisor has another",
    });
  const showTail = (): void => {
    for (const line of tailLog(path, { lines: flags.lines, from: "anywhere" })) io.out(`${line}\n`);
  };
  if (flags.follow !== true) {
    showTail();
    return;
  }
  const coming = followLog(path, io.clock, io.interrupted);
  // Its first look, which finds the end, is taken within this call: what is written after it comes, what was before is the tail.
  let next = coming.next();
  showTail();
  for (let line = await next; line.done !== true; line = await next) {
    io.out(`${line.value}\n`);
    next = coming.next();
  }
}
