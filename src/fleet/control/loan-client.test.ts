/** A loan over the socket, on a machine on paper whose clock runs with the real one. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { connect } from "node:net";
import { paperPreset } from "../../../test/fakes/paper-fleet.ts";
import { COMMITTED, paperSupervisor } from "../../../test/fakes/paper-supervisor.ts";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { realClock } from "../../core/clock.ts";
import type { Preset } from "../../preset/preset.ts";
import { OperatorError } from "../../core/errors.ts";
import type { Loan, OnLoanTrouble } from "../loan.ts";
import { controlHandler } from "./handler.ts";
import { borrowMachine } from "./loan-client.ts";
import { startControlServer } from "./server.ts";
import { controlSocketPath } from "./supervisor-lock.ts";

interface Lender {
  readonly socketPath: string;
  readonly used: Preset[][];
  readonly givenBack: Promise<void>;
  readonly closeServer: () => Promise<void>;
  trouble: OnLoanTrouble;
}

async function lender(): Promise<Lender> {
  const directory = join(temporaryDirectory(), "state");
  mkdirSync(directory, { mode: 0o700 });
  const used: Preset[][] = [];
  const over = new AbortController();
  let onGivenBack: () => void = () => undefined;
  const givenBack = new Promise<void>((resolve) => {
    onGivenBack = resolve;
  });
  const loan: Loan = {
    id: "loan-7",
    over: over.signal,
    use: (presets) => {
      used.push([...presets]);
      return Promise.resolve(COMMITTED);
    },
    giveBack: () => {
      over.abort();
      onGivenBack();
      return Promise.resolve(COMMITTED);
    },
  };
  const parts: Lender = {
    socketPath: controlSocketPath(directory),
    used,
    givenBack,
    closeServer: () => server.close(),
    trouble: () => undefined,
  };
  const supervisor = paperSupervisor({
    borrow: (label, onTrouble) => {
      if (label === "second")
        throw new OperatorError("FLEET_LENT", { message: "the machine is lent to first", nextStep: "wait" });
      parts.trouble = onTrouble;
      return Promise.resolve(loan);
    },
    loan: () => loan,
  });
  const server = await startControlServer({
    socketPath: parts.socketPath,
    handle: controlHandler(supervisor, () => undefined),
    clock: realClock,
    onDefect: (thrown) => {
      throw thrown;
    },
  });
  onTestFinished(() => server.close());
  return parts;
}

describe("a loan over the socket", () => {
  it("carries presets whole, tells troubles, and is given back once", async () => {
    const machine = await lender();
    let onTrouble: OnLoanTrouble = () => undefined;
    const troubled = new Promise((resolve) => {
      onTrouble = resolve;
    });
    const loan = await borrowMachine({
      socketPath: machine.socketPath,
      clock: realClock,
      label: "first",
      onTrouble,
    });
    const preset = paperPreset("probe", 4, { extraArgs: ["--verbosity", "4"] });
    expect(await loan.use([preset])).toEqual(COMMITTED);
    expect(machine.used).toEqual([[preset]]);
    machine.trouble({ kind: "server-lost", preset: "probe", message: "it ended" });
    expect(await troubled).toEqual({ kind: "server-lost", preset: "probe", message: "it ended" });
    const first = loan.giveBack();
    expect(loan.giveBack()).toBe(first);
    expect(await first).toEqual(COMMITTED);
    await machine.givenBack;
  });

  it("is given back when the borrower's connection closes, as kill -9 closes it", async () => {
    const machine = await lender();
    const socket = connect(machine.socketPath);
    const answered = new Promise((resolve) => socket.once("data", resolve));
    socket.write(`${JSON.stringify({ version: 1, do: "borrow", label: "killed" })}\n`);
    await answered;
    socket.destroy();
    await machine.givenBack;
  });

  it("is refused with the borrower's name while another has the machine", async () => {
    const { socketPath } = await lender();
    const asked = borrowMachine({
      socketPath,
      clock: realClock,
      label: "second",
      onTrouble: () => undefined,
    });
    await expect(asked).rejects.toMatchObject({
      code: "FLEET_LENT",
      message: "the machine is lent to first",
    });
  });

  it("is over when the supervisor is gone", async () => {
    const machine = await lender();
    const loan = await borrowMachine({
      socketPath: machine.socketPath,
      clock: realClock,
      label: "first",
      onTrouble: () => undefined,
    });
    const over = new Promise((resolve) => loan.over.addEventListener("abort", resolve, { once: true }));
    await machine.closeServer();
    await over;
    expect(loan.over.reason).toMatchObject({ code: "LOAN_OVER" });
    await expect(loan.use([])).rejects.toMatchObject({ code: "SUPERVISOR_ABSENT" });
  });
});
