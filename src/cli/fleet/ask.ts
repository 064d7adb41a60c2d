/** One question to the supervisor, with its steps told on stderr as they happen. */
import { printable } from "../../core/errors.ts";
import { type ControlQuestion, askSupervisor } from "../../fleet/control/client.ts";
import type { ControlResults } from "../../fleet/control/protocol.ts";
import type { CliIo } from "../io.ts";
import { type StateFlags, socketOf } from "./places.ts";

/** Throws what {@link askSupervisor} throws. After Ctrl-C it says that the supervisor goes on. */
export async function ask<Question extends ControlQuestion>(
  question: Question,
  flags: StateFlags,
  io: CliIo,
): Promise<ControlResults[Question["do"]]> {
  try {
    return await askSupervisor(question, {
      socketPath: socketOf(flags, io),
      clock: io.clock,
      signal: io.interrupted,
      onProgress: ({ message }) => io.err(`${printable(message)}\n`),
    });
  } catch (thrown) {
    if (io.interrupted.aborted && CHANGES.has(question.do))
      io.err("the supervisor goes on with it; slipway status shows how far it is\n");
    throw thrown;
  }
}

const CHANGES: ReadonlySet<ControlQuestion["do"]> = new Set(["switch", "start", "stop", "shutdown"]);
