/** A loan from a supervisor in another process: the connection that asked for it is the loan. */
import type { Socket } from "node:net";
import type { Clock } from "../../core/clock.ts";
import { OperatorError } from "../../core/errors.ts";
import type { Loan, LoanTrouble, OnLoanTrouble } from "../loan.ts";
import { askSupervisor, connectSupervisor, lost, readLines } from "./client.ts";
import type { ControlAnswer, ControlProgress, ControlRequest, SwitchReport } from "./protocol.ts";
import { PROTOCOL_VERSION } from "./protocol.ts";
import { errorOf, parseAnswer } from "./wire.ts";

export interface BorrowOptions {
  readonly socketPath: string;
  readonly clock: Clock;
  /** What the borrower is, for whoever is refused meanwhile. */
  readonly label: string;
  readonly onTrouble: OnLoanTrouble;
}

/** Throws FLEET_LENT, SWITCH_UNDER_WAY, and what asking any question throws. */
export async function borrowMachine(options: BorrowOptions): Promise<Loan> {
  const socket = await connectSupervisor(options.socketPath);
  const id = await new Promise<string>((resolve, reject) => {
    readLines(socket, (line) => {
      const answer = parseAnswer(line);
      const loan = loanIdOf(answer);
      if (answer?.kind === "progress") options.onTrouble(troubleOf(answer));
      else if (loan !== undefined) resolve(loan);
      else reject(answer?.kind === "error" ? errorOf(answer) : lost("its answer is not of the protocol"));
    });
    socket.once("error", (thrown) => reject(lost(thrown.message)));
    socket.once("close", () => reject(lost("it closed the connection")));
    socket.write(
      `${JSON.stringify({ version: PROTOCOL_VERSION, do: "borrow", label: options.label } satisfies ControlRequest)}\n`,
    );
  }).catch((thrown: unknown) => {
    socket.destroy();
    throw thrown;
  });
  return remoteLoan(id, socket, options);
}

function remoteLoan(id: string, socket: Socket, { socketPath, clock }: BorrowOptions): Loan {
  const ended = new AbortController();
  socket.once("close", () =>
    ended.abort(
      new OperatorError("LOAN_OVER", {
        message: "the supervisor ended the loan",
        nextStep: "look at what runs now with: slipway status",
      }),
    ),
  );
  let returned: Promise<SwitchReport> | undefined;
  const giveBack: Loan["giveBack"] = async (onProgress) => {
    try {
      return await askSupervisor(
        { do: "give-back", loan: id },
        { socketPath, clock, ...(onProgress === undefined ? {} : { onProgress }) },
      );
    } finally {
      socket.destroy();
    }
  };
  return {
    id,
    over: ended.signal,
    use: (presets, onProgress, signal) =>
      askSupervisor(
        { do: "use", loan: id, presets: [...presets] },
        {
          socketPath,
          clock,
          ...(onProgress === undefined ? {} : { onProgress }),
          ...(signal === undefined ? {} : { signal }),
        },
      ),
    giveBack: (onProgress) => {
      returned ??= giveBack(onProgress);
      return returned;
    },
  };
}

function troubleOf({ step, preset, message }: ControlProgress): LoanTrouble {
  return step === "server-lost" && preset !== undefined
    ? { kind: "server-lost", preset, message }
    : { kind: "memory-short", message };
}

function loanIdOf(answer: ControlAnswer | undefined): string | undefined {
  if (answer?.kind !== "done" || answer.result === null || !("loan" in answer.result)) return undefined;
  return answer.result.loan;
}
