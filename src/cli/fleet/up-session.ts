/** `slipway up`: the supervisor's life, from its lock to its last server. */
import { OperatorError, printable } from "../../core/errors.ts";
import { controlHandler } from "../../fleet/control/handler.ts";
import type { ControlProgress, SwitchReport } from "../../fleet/control/protocol.ts";
import { startControlServer } from "../../fleet/control/server.ts";
import { controlSocketPath, lockStateDirectory } from "../../fleet/control/supervisor-lock.ts";
import type { SafetyProfileName } from "../../fleet/safety-profile.ts";
import type { Supervisor } from "../../fleet/supervisor.ts";
import type { CliIo, ExitCode } from "../io.ts";
import { wrapText } from "./bar.ts";
import { type StateFlags, stateFolder } from "./places.ts";
import { renderRollback, renderUp } from "./plan-view.ts";

export interface UpFlags extends StateFlags {
  readonly presetsDir?: string;
  readonly memoryBudgetMib?: number;
  readonly safetyProfile?: SafetyProfileName;
  readonly keep?: true;
  readonly install?: true;
  readonly print?: true;
}

export interface BuiltSupervisor {
  readonly supervisor: Supervisor;
  /** Lets go of what would keep the process alive. Servers run on. */
  close(): void;
}

/** Over the real world; tests have another. */
export type BuildSupervisor = (directory: string, flags: UpFlags, io: CliIo) => Promise<BuiltSupervisor>;

/**
 * Runs until it is told to end: by a signal, by `slipway down`, or because the mode that was asked
 * for could not be reached. Throws SUPERVISOR_RUNNING where another one lives.
 */
export async function runUp(
  mode: string | undefined,
  flags: UpFlags,
  io: CliIo,
  build: BuildSupervisor,
): Promise<ExitCode> {
  const directory = stateFolder(flags, io);
  const lock = lockStateDirectory(directory);
  try {
    const built = await build(directory, flags, io);
    try {
      return await new UpSession(built.supervisor, directory, flags, io).run(mode);
    } finally {
      built.close();
    }
  } finally {
    lock.release();
  }
}

type Ending =
  | { readonly kind: "interrupted" }
  | { readonly kind: "asked" }
  | { readonly kind: "defect"; readonly thrown: unknown };

class UpSession {
  readonly #supervisor: Supervisor;
  readonly #directory: string;
  readonly #flags: UpFlags;
  readonly #io: CliIo;

  constructor(supervisor: Supervisor, directory: string, flags: UpFlags, io: CliIo) {
    this.#supervisor = supervisor;
    this.#directory = directory;
    this.#flags = flags;
    this.#io = io;
  }

  async run(mode: string | undefined): Promise<ExitCode> {
    const { clock } = this.#io;
    let onDefect: (thrown: unknown) => void = () => undefined;
    const defect = new Promise<Ending>((resolve) => {
      onDefect = (thrown) => resolve({ kind: "defect", thrown });
    });
    const server = await startControlServer({
      socketPath: controlSocketPath(this.#directory),
      handle: controlHandler(this.#supervisor, this.#tell),
      onDefect,
      clock,
    });
    try {
      for (const sentence of await this.#supervisor.begin(this.#tell))
        this.#io.err(`${printable(sentence)}\n`);
      const reached = mode === undefined ? await this.#announce() : await this.#reach(mode);
      if (!reached) return await this.#giveUp();
      return await this.#supervise(defect);
    } finally {
      await server.close();
    }
  }

  /** A message says what is done and to whom; the step's name is for programs. */
  readonly #tell = ({ message }: ControlProgress): void => {
    this.#io.err(`${printable(message)}\n`);
  };

  #hint(sentence: string): void {
    this.#io.err(`${wrapText(sentence, this.#io.outColumns, "  ")}\n`);
  }

  /** Whether the mode is up. A refusal that touched nothing is thrown, once the supervisor has let go. */
  async #reach(mode: string): Promise<boolean> {
    let report: SwitchReport;
    try {
      report = await this.#supervisor.switchMode(mode, this.#tell, this.#io.interrupted);
    } catch (thrown) {
      await this.#supervisor.shutdown("keep", this.#tell);
      throw thrown;
    }
    if (report.outcome !== "rolled-back") {
      await this.#announce(report);
      return true;
    }
    const { outColumns: columns, color } = this.#io;
    this.#io.err(renderRollback(report, mode, { columns, color }));
    return false;
  }

  async #announce(report?: SwitchReport): Promise<boolean> {
    this.#io.out(renderUp(await this.#supervisor.status(), report));
    this.#hint(
      `slipway status --watch shows it, slipway mode switch <mode> changes it; Ctrl-C ${this.#flags.keep === true ? "ends the supervisor and leaves the servers running" : "stops the servers and ends"}`,
    );
    return true;
  }

  /** What ran before this supervisor runs again, and is left to the next one. */
  async #giveUp(): Promise<ExitCode> {
    const interrupted = this.#io.interrupted.aborted;
    await this.#supervisor.shutdown(interrupted && this.#flags.keep !== true ? "stop" : "keep", this.#tell);
    return interrupted ? 130 : 3;
  }

  async #supervise(defect: Promise<Ending>): Promise<ExitCode> {
    const { interrupted } = this.#io;
    const ending = await Promise.race([
      defect,
      this.#supervisor.ended.then((): Ending => ({ kind: "asked" })),
      new Promise<Ending>((resolve) => {
        const end = (): void => resolve({ kind: "interrupted" });
        if (interrupted.aborted) end();
        else interrupted.addEventListener("abort", end, { once: true });
      }),
    ]);
    switch (ending.kind) {
      case "asked":
        this.#io.err("the supervisor was asked to end\n");
        return 0;
      case "defect":
        // Its state can no longer be trusted; what runs is left to a supervisor that reads it anew.
        throw ending.thrown;
      case "interrupted":
        return this.#end();
    }
  }

  /** Ctrl-C or SIGTERM is the ordinary end. */
  async #end(): Promise<ExitCode> {
    const servers = this.#flags.keep === true ? "keep" : "stop";
    this.#hint(
      servers === "keep"
        ? "ending; the servers run on, and the next slipway up takes them over"
        : "stopping the servers, running requests first; a second Ctrl-C ends at once and leaves the rest running",
    );
    try {
      await this.#supervisor.shutdown(servers, this.#tell);
    } catch (thrown) {
      // `slipway down` came first, and its shutdown is the one to wait for.
      if (!(thrown instanceof OperatorError)) throw thrown;
      await this.#supervisor.ended;
    }
    return 0;
  }
}
