/** Asks the supervisor of a state directory, over its socket. */
import { type Socket, connect } from "node:net";
import type { Clock, Timer } from "../../core/clock.ts";
import { OperatorError, messageOf, systemCodeOf } from "../../core/errors.ts";
import { msToNs } from "../../core/units.ts";
import type { ControlAnswer, ControlProgress, ControlRequest, ControlResults } from "./protocol.ts";
import { PROTOCOL_VERSION } from "./protocol.ts";
import { errorOf, parseAnswer } from "./wire.ts";

/** Status of a hundred presets with their reasons stays under 100 KB; a plan's alternatives too. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * Longest silence. A plan asks the driver and every server, each with its own limit of seconds; a
 * switch tells every step, and its longest, a start or a drain, has limits that the preset sets.
 */
const SILENCE_LIMIT_MS = { status: 10_000, plan: 60_000 } as const;

/** The request without its version, which the client adds. */
export type ControlQuestion = ControlRequest extends infer Request
  ? Request extends ControlRequest
    ? Omit<Request, "version">
    : never
  : never;

export interface AskOptions {
  readonly socketPath: string;
  readonly clock: Clock;
  readonly onProgress?: (progress: ControlProgress) => void;
  /** Ends the asking. What was asked for goes on in the supervisor. */
  readonly signal?: AbortSignal;
}

/**
 * The result of one request. Throws SUPERVISOR_ABSENT when none runs, SUPERVISOR_FOREIGN for
 * another user's, SUPERVISOR_LOST when the connection breaks, the supervisor's own errors, and the
 * signal's reason when aborted.
 */
export async function askSupervisor<Question extends ControlQuestion>(
  question: Question,
  options: AskOptions,
): Promise<ControlResults[Question["do"]]> {
  const socket = await connectSupervisor(options.socketPath);
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      silence.stop();
      options.signal?.removeEventListener("abort", onAbort);
      socket.destroy();
      settle();
    };
    const onAbort = (): void => finish(() => reject(options.signal?.reason as Error));
    const silence = new Silence(question.do, options.clock, (limitMs) =>
      finish(() => reject(lost(`it said nothing for ${limitMs / 1000} s`))),
    );
    readLines(socket, (line) => {
      silence.begin();
      const answer = parseAnswer(line);
      if (answer === undefined) finish(() => reject(lost("its answer is not of the protocol")));
      else take(answer);
    });
    const take = (answer: ControlAnswer): void => {
      if (answer.kind === "progress") options.onProgress?.(answer);
      else if (answer.kind === "error") finish(() => reject(errorOf(answer)));
      else finish(() => resolve(answer.result as ControlResults[Question["do"]]));
    };
    socket.once("error", (thrown) => finish(() => reject(lost(messageOf(thrown)))));
    socket.once("close", () => finish(() => reject(lost("it closed the connection"))));
    if (options.signal?.aborted === true) {
      onAbort();
      return;
    }
    options.signal?.addEventListener("abort", onAbort, { once: true });
    silence.begin();
    socket.write(`${JSON.stringify({ version: PROTOCOL_VERSION, ...question })}\n`);
  });
}

/** Throws SUPERVISOR_ABSENT, SUPERVISOR_FOREIGN, SUPERVISOR_LOST. */
export function connectSupervisor(socketPath: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const onError = (thrown: Error): void => reject(connectError(thrown, socketPath));
    socket.once("error", onError);
    socket.once("connect", () => {
      socket.removeListener("error", onError);
      resolve(socket);
    });
  });
}

function connectError(thrown: Error, socketPath: string): OperatorError {
  const code = systemCodeOf(thrown);
  if (code === "EACCES" || code === "EPERM")
    return new OperatorError("SUPERVISOR_FOREIGN", {
      message: "this supervisor belongs to another user",
      received: socketPath,
      nextStep: "run the command as that user, or give a --state-dir of your own",
      cause: thrown,
    });
  // A socket that nobody listens on is what a killed supervisor leaves.
  if (code === "ENOENT" || code === "ECONNREFUSED" || code === "ENOTDIR" || code === "ENOTSOCK")
    return new OperatorError("SUPERVISOR_ABSENT", {
      message: "no supervisor runs here",
      received: socketPath,
      nextStep: "start one with: slipway up <mode> (slipway mode list shows the modes)",
      cause: thrown,
    });
  return lost(messageOf(thrown));
}

export function lost(why: string): OperatorError {
  return new OperatorError("SUPERVISOR_LOST", {
    message: `the supervisor did not finish its answer: ${why}`,
    nextStep: "look at what runs now with: slipway status; slipway up takes over what a dead one left",
  });
}

class Silence {
  readonly #limitMs: number | undefined;
  readonly #clock: Clock;
  readonly #tooLong: (limitMs: number) => void;
  #timer: Timer | undefined;

  constructor(asked: ControlRequest["do"], clock: Clock, tooLong: (limitMs: number) => void) {
    this.#limitMs = asked === "status" || asked === "plan" ? SILENCE_LIMIT_MS[asked] : undefined;
    this.#clock = clock;
    this.#tooLong = tooLong;
  }

  begin(): void {
    this.stop();
    const limitMs = this.#limitMs;
    if (limitMs === undefined) return;
    this.#timer = this.#clock.timerAt(this.#clock.nowNs() + msToNs(limitMs), () => this.#tooLong(limitMs));
  }

  stop(): void {
    this.#timer?.cancel();
  }
}

/** Each line without its end. A line that is too long ends the connection, which the caller sees as lost. */
export function readLines(socket: Socket, onLine: (line: Uint8Array) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (bytes: Buffer) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    for (let end = rest.indexOf(0x0a); end >= 0 && !socket.destroyed; end = rest.indexOf(0x0a)) {
      const line = rest.subarray(0, end);
      rest = rest.subarray(end + 1);
      onLine(line);
    }
    if (rest.length > MAX_ANSWER_BYTES) socket.destroy();
  });
}
