/**
 * The machine for a sweep: borrowed from the supervisor that runs, or, without one, from one inside
 * this process on the same state directory, so that whatever becomes of this process is set right by
 * the next supervisor.
 */
import { OperatorError, printable } from "../../core/errors.ts";
import type { SweepMachine } from "../../experiment/sweep-machine.ts";
import { askSupervisor } from "../../fleet/control/client.ts";
import { controlHandler } from "../../fleet/control/handler.ts";
import { borrowMachine } from "../../fleet/control/loan-client.ts";
import type { ControlProgress, SwitchReport } from "../../fleet/control/protocol.ts";
import { startControlServer } from "../../fleet/control/server.ts";
import { controlSocketPath, lockStateDirectory } from "../../fleet/control/supervisor-lock.ts";
import type { Loan, LoanTrouble, OnLoanTrouble } from "../../fleet/loan.ts";
import { logPath, tailLog } from "../../fleet/server-log.ts";
import { logFolder } from "../../fleet/state-directory.ts";
import type { CliIo } from "../io.ts";
import { stateFolder } from "../fleet/places.ts";
import type { BuildSupervisor } from "../fleet/up-session.ts";
import type { RawCapacityFlags } from "./flags.ts";

export interface BorrowedMachine {
  readonly machine: SweepMachine;
  readonly stateDirectory: string;
  /** What ran before runs again. To be called once. */
  giveBack(): Promise<SwitchReport>;
}

/** The start of a server fills a log's beginning; a sweep reads it right then. */
const LOG_LINES = 20_000;

/** Throws FLEET_LENT, SWITCH_UNDER_WAY, and what a supervisor's start throws. */
export async function borrowForSweep(
  label: string,
  flags: RawCapacityFlags,
  io: CliIo,
  build: BuildSupervisor,
): Promise<BorrowedMachine> {
  const directory = stateFolder(flags, io);
  const troubles = new Troubles();
  try {
    return await fromSupervisor(directory, label, flags, io, troubles);
  } catch (thrown) {
    if (!(thrown instanceof OperatorError) || thrown.code !== "SUPERVISOR_ABSENT") throw thrown;
  }
  return fromWithin(directory, label, flags, io, build, troubles);
}

async function fromSupervisor(
  directory: string,
  label: string,
  flags: RawCapacityFlags,
  io: CliIo,
  troubles: Troubles,
): Promise<BorrowedMachine> {
  const asked = { socketPath: controlSocketPath(directory), clock: io.clock };
  const loan = await borrowMachine({ ...asked, label, onTrouble: troubles.tell });
  if (flags.memoryBudgetMib !== undefined || flags.safetyProfile !== undefined)
    io.err(
      "a supervisor runs: its own memory budget and safety profile hold, and those of this command do not\n",
    );
  return {
    machine: machineOf(loan, () => askSupervisor({ do: "status" }, asked), directory, troubles),
    stateDirectory: directory,
    giveBack: () => loan.giveBack(teller(io)),
  };
}

async function fromWithin(
  directory: string,
  label: string,
  flags: RawCapacityFlags,
  io: CliIo,
  build: BuildSupervisor,
  troubles: Troubles,
): Promise<BorrowedMachine> {
  const tell = teller(io);
  const closers: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  const lock = lockStateDirectory(directory);
  closers.push(() => lock.release());
  try {
    const built = await build(directory, flags, io);
    const { supervisor } = built;
    closers.push(() => built.close());
    const server = await startControlServer({
      socketPath: controlSocketPath(directory),
      handle: controlHandler(supervisor, () => undefined),
      // Whoever asks is told what is wrong; the sweep itself does not hang on other people's questions.
      onDefect: (thrown) => io.err(`a question to the supervisor met a defect: ${String(thrown)}\n`),
      clock: io.clock,
    });
    closers.push(() => server.close());
    for (const sentence of await supervisor.begin(tell)) io.err(`${printable(sentence)}\n`);
    const loan = await supervisor.borrow(label, troubles.tell);
    return {
      machine: machineOf(loan, () => supervisor.status(), directory, troubles),
      stateDirectory: directory,
      giveBack: async () => {
        try {
          const report = await loan.giveBack(tell);
          await supervisor.shutdown("keep", tell);
          return report;
        } finally {
          await close();
        }
      },
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

function machineOf(
  loan: Loan,
  status: SweepMachine["status"],
  directory: string,
  troubles: Troubles,
): SweepMachine {
  return {
    use: (presets, signal) => loan.use(presets, undefined, signal),
    status,
    log: (preset) => tailLog(logPath(logFolder(directory), preset), { lines: LOG_LINES, from: "last-start" }),
    onTrouble: (listener) => troubles.listen(listener),
    over: loan.over,
  };
}

function teller(io: CliIo): (progress: ControlProgress) => void {
  return ({ message }) => io.err(`${printable(message)}\n`);
}

class Troubles {
  readonly #listeners = new Set<OnLoanTrouble>();

  readonly tell = (trouble: LoanTrouble): void => {
    for (const listener of this.#listeners) listener(trouble);
  };

  listen(listener: OnLoanTrouble): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
