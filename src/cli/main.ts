/**
 * The only place that wires. Command modules stay light, since `--help` loads all of them: what a
 * command needs to run it imports inside its action.
 */
import { setMaxListeners } from "node:events";
import { Command, CommanderError } from "commander";
import { realClock } from "../core/clock.ts";
import { OperatorError, renderOperatorError, systemCodeOf } from "../core/errors.ts";
import { COMMANDS } from "./commands.ts";
import type { CliIo, ExitCode } from "./io.ts";
import { slipwayVersion } from "./version.ts";

export async function main(args: readonly string[], io: CliIo = processIo()): Promise<number> {
  let exitCode: ExitCode = 0;
  const program = new Command("slipway")
    .description("How many LLM agents fit on your GPUs, how fast each will be, and why.")
    .version(slipwayVersion())
    .addHelpText(
      "after",
      "\nExamples:\n  slipway doctor     what works on this machine\n  slipway bench      four agents on whatever engine is found, else SIMULATED\n",
    )
    .showHelpAfterError("(add --help for the options and an example)")
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) })
    .exitOverride();
  for (const define of COMMANDS) {
    const command = define(io, (code) => {
      exitCode = code;
    });
    program.addCommand(inheriting(command, program));
  }
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (thrown) {
    return failureExit(thrown, io, args.includes("--json"));
  }
  return exitCode;
}

/** Subcommands are built before their parent has its settings, so these are handed down afterwards. */
function inheriting(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inheriting(child, command);
  return command;
}

function failureExit(thrown: unknown, io: CliIo, json: boolean): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  if (thrown instanceof OperatorError) {
    io.err(`${renderOperatorError(thrown)}\n`);
    if (json)
      io.out(
        `${JSON.stringify({ error: { code: thrown.code, message: thrown.message, nextStep: thrown.nextStep } })}\n`,
      );
    return io.interrupted.aborted ? 130 : thrown.exitCode;
  }
  if (io.interrupted.aborted) return 130;
  throw thrown;
}

/**
 * A reader that closes early (`slipway runs list | head`) has seen what it wanted, and a supervisor
 * whose terminal is gone (EIO) goes on without one. A full disk behind `>` loses results: the exit
 * code says so, since with a gate's own code half an answer would look like one.
 */
function onOutputError(thrown: unknown): void {
  const code = systemCodeOf(thrown);
  if (code === "EPIPE" || code === "EIO") return;
  if (code !== "ENOSPC" && code !== "EDQUOT") throw thrown;
  const error = new OperatorError("DISK_FULL", {
    message: "no space left where the output goes: it is not complete",
    received: code,
    nextStep: "free some space, or send the output elsewhere, and give the command again",
  });
  process.stderr.write(`${renderOperatorError(error)}\n`, () => process.exit(error.exitCode));
}

function processIo(): CliIo {
  const abort = new AbortController();
  // Every request in flight listens to it, and Node takes more than ten for a leak.
  setMaxListeners(0, abort.signal);
  const onSignal = (): void => {
    if (abort.signal.aborted) process.exit(130);
    abort.abort(new Error("interrupted"));
  };
  for (const stream of [process.stdout, process.stderr]) stream.on("error", onOutputError);
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    errIsTerminal: process.stderr.isTTY === true,
    outIsTerminal: process.stdout.isTTY === true,
    get outColumns() {
      return process.stdout.columns ?? 100;
    },
    get outRows() {
      return process.stdout.rows;
    },
    color: process.stdout.isTTY === true && (process.env["NO_COLOR"] ?? "") === "",
    env: process.env,
    cwd: process.cwd(),
    clock: realClock,
    interrupted: abort.signal,
  };
}
