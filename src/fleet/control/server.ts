/**
 * The supervisor's socket. Whoever may connect may stop every server, so the socket belongs to its
 * owner alone: it is made with mode 0600 inside a folder that nobody else may enter. A caller can
 * be slow, silent, hostile or gone; none of that is ever waited for.
 */
import { lstatSync, rmSync } from "node:fs";
import { type Server, type Socket, createServer } from "node:net";
import type { Clock, Timer } from "../../core/clock.ts";
import { OperatorError, systemCodeOf } from "../../core/errors.ts";
import { fileError } from "../../core/file.ts";
import { msToNs } from "../../core/units.ts";
import type { ControlAnswer, ControlProgress, ControlRequest, ControlResult } from "./protocol.ts";
import { errorAnswer, parseRequest } from "./wire.ts";

/** A borrower's request carries presets, a kilobyte or two each; all others stay below 300 bytes. */
export const MAX_REQUEST_BYTES = 64 * 1024;

/** A person has a few terminals and a script or two; a client that leaks connections is told so instead of served. */
export const MAX_CONNECTIONS = 64;

/** Progress that a caller has not read yet. Past this it misses some, and the closing line still comes. */
const MAX_UNREAD_BYTES = 64 * 1024;

/** From connecting to the end of the first line, which a client writes at once. */
export const REQUEST_LIMIT_MS = 5_000;

/** A caller that does not take its closing line within this is dropped. */
const FAREWELL_LIMIT_MS = 5_000;

/** Bytes that fit a socket's address on Linux, unix(7), less the closing zero. */
const MAX_SOCKET_PATH_BYTES = 107;

export interface Caller {
  progress(progress: ControlProgress): void;
  /**
   * Aborted when the connection is closed on both sides. What was asked for goes on whether anybody
   * listens or not; only leases and loans end with their connection.
   */
  readonly gone: AbortSignal;
}

/** Throws OperatorErrors, which become error answers. Anything else is a defect and goes to `onDefect`. */
export type ControlHandler = (request: ControlRequest, caller: Caller) => Promise<ControlResult>;

export interface ControlServerOptions {
  readonly socketPath: string;
  readonly handle: ControlHandler;
  readonly onDefect: (thrown: unknown) => void;
  readonly clock: Clock;
}

export interface ControlServer {
  /** Takes no more callers, lets answers that are due be read, and removes the socket. */
  close(): Promise<void>;
}

/**
 * Listens in the state directory, whose lock the caller holds: a socket that lies there is therefore
 * a dead supervisor's, and is replaced. Throws FLAG_INVALID for a path too long for a socket,
 * DIRECTORY_UNWRITABLE where none can be made.
 */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { socketPath } = options;
  refuseLongPath(socketPath);
  removeStaleSocket(socketPath);
  const connections = new Set<Connection>();
  // Half-open: a client that closes its writing side after the request still wants the answer.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const connection = new Connection(socket, options);
    connections.add(connection);
    socket.once("close", () => connections.delete(connection));
    if (connections.size > MAX_CONNECTIONS) connection.refuse(tooManyConnections());
    else connection.serve();
  });
  await listenPrivately(server, socketPath);
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of connections) connection.dismiss();
      await closed;
    },
  };
}

/** The mode is right from the first moment: listening binds within the call, under this mask. */
async function listenPrivately(server: Server, socketPath: string): Promise<void> {
  const listening = new Promise<void>((resolve, reject) => {
    server.once("error", (thrown) => reject(fileError(thrown, socketPath)));
    server.once("listening", resolve);
  });
  const mask = process.umask(0o177);
  try {
    server.listen(socketPath);
  } finally {
    process.umask(mask);
  }
  await listening;
}

function refuseLongPath(socketPath: string): void {
  const bytes = Buffer.byteLength(socketPath);
  if (bytes <= MAX_SOCKET_PATH_BYTES) return;
  throw new OperatorError("FLAG_INVALID", {
    message: `the path of the control socket has ${bytes} bytes, and the system takes ${MAX_SOCKET_PATH_BYTES}`,
    received: socketPath,
    nextStep: "give a state directory with a shorter path: --state-dir <dir>",
  });
}

function removeStaleSocket(socketPath: string): void {
  const facts = statOf(socketPath);
  if (facts === undefined) return;
  if (!facts.isSocket())
    throw new OperatorError("DIRECTORY_UNWRITABLE", {
      message: `${socketPath} is in the way of the control socket and is no socket`,
      nextStep: "move it away, or give another --state-dir",
    });
  rmSync(socketPath, { force: true });
}

function statOf(path: string): ReturnType<typeof lstatSync> | undefined {
  try {
    return lstatSync(path);
  } catch (thrown) {
    if (systemCodeOf(thrown) === "ENOENT") return undefined;
    throw fileError(thrown, path);
  }
}

function tooManyConnections(): OperatorError {
  return new OperatorError("SUPERVISOR_BUSY", {
    message: `the supervisor has ${MAX_CONNECTIONS} connections open`,
    nextStep: "end clients that stay connected, such as scripts that hold leases, and ask again",
  });
}

/** reading → answering → closing; a lease or a loan stays in `held` until its client goes. */
type Phase = "reading" | "answering" | "held" | "closing";

class Connection {
  readonly #socket: Socket;
  readonly #options: ControlServerOptions;
  readonly #gone = new AbortController();
  #phase: Phase = "reading";
  #dismissed = false;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #timer: Timer | undefined;

  constructor(socket: Socket, options: ControlServerOptions) {
    this.#socket = socket;
    this.#options = options;
    // A reset or a broken pipe is followed by "close", and there is nobody left to tell.
    socket.on("error", () => undefined);
    socket.once("close", () => {
      this.#timer?.cancel();
      this.#gone.abort(new Error("the caller is gone"));
    });
  }

  serve(): void {
    this.#within(REQUEST_LIMIT_MS, () =>
      this.refuse(malformed("no request came", "send one line of JSON that ends with a line feed")),
    );
    this.#socket.on("data", (bytes: Buffer) => this.#take(bytes));
    this.#socket.on("end", () => this.#callerEnded());
  }

  refuse(error: OperatorError): void {
    this.#finish(errorAnswer(error));
  }

  /** The server closes: answers that are due soon still go out, everybody else is let go. */
  dismiss(): void {
    this.#dismissed = true;
    if (this.#phase === "answering") this.#within(FAREWELL_LIMIT_MS, () => this.#socket.destroy());
    else if (this.#phase !== "closing") this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    // Whatever follows the one line is read and dropped, so that the end of the stream is seen.
    if (this.#phase !== "reading") return;
    this.#received.push(bytes);
    this.#receivedBytes += bytes.length;
    const ends = bytes.includes(0x0a);
    if (ends || this.#receivedBytes > MAX_REQUEST_BYTES) this.#timer?.cancel();
    if (this.#receivedBytes > MAX_REQUEST_BYTES)
      this.refuse(
        malformed(`a request has at most ${MAX_REQUEST_BYTES} bytes`, "send one request per connection"),
      );
    else if (ends) this.#answer();
  }

  #callerEnded(): void {
    if (this.#phase === "held") this.#socket.destroy();
    else if (this.#phase === "reading")
      this.refuse(malformed("the connection ended within a line", "end the request with a line feed"));
  }

  #answer(): void {
    this.#phase = "answering";
    const received = Buffer.concat(this.#received);
    this.#received = [];
    const request = parseRequest(received.subarray(0, received.indexOf(0x0a)));
    if (request instanceof OperatorError) {
      this.refuse(request);
      return;
    }
    const caller: Caller = {
      progress: (progress) => this.#progress(progress),
      gone: this.#gone.signal,
    };
    void this.#carryOut(request, caller);
  }

  async #carryOut(request: ControlRequest, caller: Caller): Promise<void> {
    try {
      this.#done(request, await this.#options.handle(request, caller));
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  #done(request: ControlRequest, result: ControlResult): void {
    if ((request.do !== "lease" && request.do !== "borrow") || this.#dismissed) {
      this.#finish({ kind: "done", result });
      return;
    }
    this.#phase = "held";
    this.#write({ kind: "done", result });
    // The client may have ended its side while the lease was decided.
    if (this.#socket.readableEnded) this.#socket.destroy();
  }

  #failed(thrown: unknown): void {
    if (thrown instanceof OperatorError) {
      this.refuse(thrown);
      return;
    }
    this.#socket.destroy();
    this.#options.onDefect(thrown);
  }

  #progress(progress: ControlProgress): void {
    if (
      (this.#phase === "answering" || this.#phase === "held") &&
      this.#socket.writableLength < MAX_UNREAD_BYTES
    )
      this.#write({ kind: "progress", ...progress });
  }

  #write(answer: ControlAnswer): void {
    if (this.#socket.writable) this.#socket.write(`${JSON.stringify(answer)}\n`);
  }

  #finish(answer: ControlAnswer): void {
    this.#phase = "closing";
    this.#within(FAREWELL_LIMIT_MS, () => this.#socket.destroy());
    // Once all is written the reading side is of no more use, and a client that keeps its own open would hold us.
    if (this.#socket.writable)
      this.#socket.end(`${JSON.stringify(answer)}\n`, () => this.#socket.destroySoon());
    else this.#socket.destroy();
  }

  #within(limitMs: number, act: () => void): void {
    this.#timer?.cancel();
    if (this.#socket.destroyed) return;
    const { clock } = this.#options;
    this.#timer = clock.timerAt(clock.nowNs() + msToNs(limitMs), act);
  }
}

function malformed(message: string, nextStep: string): OperatorError {
  return new OperatorError("REQUEST_MALFORMED", { message, nextStep });
}
