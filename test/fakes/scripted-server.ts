/**
 * An HTTP server on loopback that plays scripts, byte for byte and in its own time: a test says
 * which bytes leave in which write, and releases each pause itself. It speaks HTTP by hand over
 * `node:net`, so that it can also do what no HTTP library allows.
 */
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";

export interface ScriptedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One step of an answer. */
export type Step =
  | { readonly do: "write"; readonly bytes: string | Uint8Array }
  /** Waits until the test releases it (or the client leaves). */
  | { readonly do: "wait"; readonly for: Promise<unknown> }
  /** RST: the client sees the connection broken, not ended. */
  | { readonly do: "reset" }
  /** FIN, whatever had been promised. */
  | { readonly do: "hang-up" }
  /** Says nothing more and keeps the connection. */
  | { readonly do: "stall" };

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Pieces of the body: each is one write and, in HTTP, one chunk. */
  readonly steps: readonly Step[];
  /** Raw bytes instead of a status line and headers. */
  readonly raw?: boolean;
}

export type Script = (request: ScriptedRequest, connection: Socket) => Answer | Promise<Answer>;

export interface ScriptedServer {
  readonly url: string;
  readonly port: number;
  /** Everything that was asked, in order. */
  readonly requests: readonly ScriptedRequest[];
  /** Connections that are open now. */
  connections(): number;
  /** Resolves when `count` connections were closed by the client in the middle of an answer. */
  abandoned(count: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startScriptedServer(script: Script): Promise<ScriptedServer> {
  const server = new PlayingServer(script);
  await server.listen();
  return server;
}

/** A whole body in one write. */
export function answer(body: string | Uint8Array, options: Omit<Answer, "steps"> = {}): Answer {
  return { ...options, steps: [{ do: "write", bytes: body }] };
}

export function json(value: unknown, status = 200): Answer {
  return answer(JSON.stringify(value), { status, headers: { "content-type": "application/json" } });
}

/** Server-sent events, one write each, closed by `[DONE]`. */
export function sse(events: readonly unknown[], headers: Readonly<Record<string, string>> = {}): Answer {
  const writes = [...events.map((event) => JSON.stringify(event)), "[DONE]"].map(
    (data): Step => ({ do: "write", bytes: `data: ${data}\n\n` }),
  );
  return { headers: { "content-type": "text/event-stream", ...headers }, steps: writes };
}

/** One JSON line a write. */
export function ndjson(events: readonly unknown[]): Answer {
  return {
    headers: { "content-type": "application/x-ndjson" },
    steps: events.map((event): Step => ({ do: "write", bytes: `${JSON.stringify(event)}\n` })),
  };
}

/** A promise and its release, for `wait` steps. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

class PlayingServer implements ScriptedServer {
  readonly #script: Script;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly requests: ScriptedRequest[] = [];
  #abandoned = 0;
  port = 0;
  #watchers: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(script: Script) {
    this.#script = script;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", () => {
        this.port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  connections(): number {
    return this.#sockets.size;
  }

  abandoned(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#watchers.push({ count, resolve });
      this.#notify();
    });
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
    let received = Buffer.alloc(0);
    let playing: Promise<void> = Promise.resolve();
    socket.on("data", (bytes) => {
      received = Buffer.concat([received, bytes]);
      for (let parsed = parseRequest(received); parsed !== undefined; parsed = parseRequest(received)) {
        const { request } = parsed;
        received = received.subarray(parsed.length);
        this.requests.push(request);
        playing = playing.then(() => this.#play(request, socket));
      }
    });
  }

  async #play(request: ScriptedRequest, socket: Socket): Promise<void> {
    const left = gate();
    socket.once("close", left.open);
    const scripted = await this.#script(request, socket);
    const { status = 200, headers = {}, raw = false } = scripted;
    if (!raw) {
      const lines = Object.entries({ "transfer-encoding": "chunked", ...headers });
      const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
      await write(socket, `HTTP/1.1 ${status} Scripted\r\n${head}\r\n`);
    }
    const chunked = !raw && headers["content-length"] === undefined;
    for (const step of scripted.steps) {
      const goesOn = await this.#perform(step, socket, chunked, left.opened);
      if (!goesOn) return;
    }
    if (chunked) await write(socket, "0\r\n\r\n");
    if (raw) socket.end();
    socket.off("close", left.open);
  }

  async #perform(step: Step, socket: Socket, chunked: boolean, left: Promise<void>): Promise<boolean> {
    switch (step.do) {
      case "write": {
        const bytes = Buffer.from(step.bytes as Uint8Array);
        await write(socket, chunked ? asChunk(bytes) : bytes);
        break;
      }
      case "wait":
        await Promise.race([step.for, left]);
        break;
      case "reset":
        socket.resetAndDestroy();
        return false;
      case "hang-up":
        socket.end();
        return false;
      case "stall":
        await left;
        break;
    }
    if (!socket.destroyed) return true;
    this.#abandoned++;
    this.#notify();
    return false;
  }

  #notify(): void {
    this.#watchers = this.#watchers.filter(({ count, resolve }) => {
      if (this.#abandoned < count) return true;
      resolve();
      return false;
    });
  }
}

function asChunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}

/** Resolves when the bytes were handed to the system, or the connection is gone. */
function write(socket: Socket, bytes: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.write(bytes, () => resolve());
  });
}

function parseRequest(
  received: Buffer,
): { readonly request: ScriptedRequest; readonly length: number } | undefined {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const [first = "", ...lines] = received.toString("latin1", 0, headEnd).split("\r\n");
  const [method = "", path = ""] = first.split(" ");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const length = headEnd + 4 + Number(headers["content-length"] ?? 0);
  if (received.length < length) return undefined;
  const body = received.toString("utf8", headEnd + 4, length);
  return { request: { method, path, headers, body }, length };
}
