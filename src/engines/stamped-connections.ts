/**
 * Sockets for the transport: opened ahead of time or on demand, every read of them stamped.
 *
 * A plain socket reads into one buffer that all connections of a transport share (`onread`), and
 * its callback reads the clock before anything else. The bytes are then shown to undici as if the
 * stream machinery had delivered them. That machinery allocates 64 KB for each read and defers it
 * by a tick; without it a read costs a third, which is what lets one thread keep up with 100,000
 * events a second. TLS sockets, where `onread` sees no plain text, keep the usual path with a
 * listener that stands before undici's.
 */
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import type { buildConnector } from "undici";
import type { Clock } from "../core/clock.ts";
import { makeConnector } from "./undici-parts.ts";

/** As large as libuv's own suggestion; longer bursts come as several reads. */
const READ_BUFFER_BYTES = 64 * 1024;

/** A host that does not answer SYN. undici's timer for this is coarse, up to a second late. */
const CONNECT_LIMIT_MS = 10_000;

/** Events of a stream are a few hundred bytes. */
const LONGEST_KEPT_VIEW = 2048;

type Target = Parameters<buildConnector.connector>[0];

export class StampedConnections {
  /** The last socket read: when it was, and its number. Valid while undici hands out its bytes. */
  readAtNs = 0;
  readNumber = 0;
  readonly #clock: Clock;
  readonly #authorityPem: string | undefined;
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  readonly #ready: Socket[] = [];
  readonly #views: (Buffer | undefined)[] = new Array<undefined>(LONGEST_KEPT_VIEW + 1);
  #delivering: SocketFeed | undefined;
  #connectTls: buildConnector.connector | undefined;

  constructor(clock: Clock, authorityPem?: string) {
    this.#clock = clock;
    this.#authorityPem = authorityPem;
  }

  /** For undici: hands over a socket that was opened ahead, or opens one. */
  readonly connect: buildConnector.connector = (target, callback) => {
    const socket = this.#ready.pop();
    if (socket === undefined) {
      this.#dial(target, callback);
      return;
    }
    socket.off("readable", destroyThis);
    socket.off("error", destroyThis);
    // undici ignores a connection that it is given before its call for one has returned.
    queueMicrotask(() => callback(null, socket));
  };

  /** Opens sockets until `count` are ready; rejects with the system's error when one cannot be opened. */
  async openAhead(url: URL, count: number): Promise<void> {
    const target = { hostname: hostOf(url), host: url.host, protocol: url.protocol, port: url.port };
    const missing = Math.max(0, count - this.#ready.length);
    await Promise.all(Array.from({ length: missing }, () => this.#openOne(target)));
  }

  /** Told by the exchange whose bytes are being delivered: from here to the body's end they need not last. */
  bodyBegins(): void {
    if (this.#delivering !== undefined) this.#delivering.inBody = true;
  }

  bodyEnds(): void {
    if (this.#delivering !== undefined) this.#delivering.inBody = false;
  }

  close(): void {
    for (const socket of this.#ready.splice(0)) socket.destroy();
  }

  #openOne(target: Target): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#dial(target, (...[error, socket]) => {
        if (error !== null) {
          reject(error);
          return;
        }
        // Nothing may arrive before a request was sent: bytes or an end mean that it is of no use.
        socket.on("readable", destroyThis);
        socket.on("error", destroyThis);
        socket.once("close", () => {
          const place = this.#ready.indexOf(socket);
          if (place >= 0) this.#ready.splice(place, 1);
        });
        this.#ready.push(socket);
        resolve();
      });
    });
  }

  #dial(target: Target, callback: buildConnector.Callback): void {
    if (target.protocol === "https:") this.#dialTls(target, callback);
    else this.#dialPlain(target, callback);
  }

  #dialPlain(target: Target, callback: buildConnector.Callback): void {
    let feed: SocketFeed | undefined;
    const onRead = (length: number): boolean => {
      this.#stamp();
      if (feed === undefined) return true;
      this.#delivering = feed;
      const bytes = this.#firstBytes(length);
      // undici keeps header bytes until the head is complete: those must outlast this read.
      feed.deliver(feed.inBody ? bytes : Buffer.from(bytes));
      this.#delivering = undefined;
      return true;
    };
    const connect = makeConnector({
      timeout: CONNECT_LIMIT_MS,
      onread: { buffer: this.#buffer, callback: onRead },
    } as buildConnector.BuildOptions);
    connect(target, (...outcome) => {
      // On failure undici hands over the error alone: only it tells the two cases apart.
      if (outcome[0] === null) feed = new SocketFeed(outcome[1]);
      callback(...outcome);
    });
  }

  #dialTls(target: Target, callback: buildConnector.Callback): void {
    // One connector for all, since it keeps the TLS sessions.
    this.#connectTls ??= makeConnector({
      timeout: CONNECT_LIMIT_MS,
      ...(this.#authorityPem === undefined ? {} : { ca: this.#authorityPem }),
    });
    this.#connectTls(target, (...outcome) => {
      if (outcome[0] === null) outcome[1].on("readable", () => this.#stamp());
      callback(...outcome);
    });
  }

  /** A view of the shared buffer, kept for the next read of this length: the hot path allocates nothing. */
  #firstBytes(length: number): Buffer {
    if (length > LONGEST_KEPT_VIEW) return this.#buffer.subarray(0, length);
    return (this.#views[length] ??= this.#buffer.subarray(0, length));
  }

  #stamp(): void {
    this.readAtNs = this.#clock.nowNs();
    this.readNumber++;
  }
}

/** Shows bytes to a socket's `readable` listener without passing them through its stream. */
class SocketFeed {
  inBody = false;
  readonly #socket: Socket;
  #bytes: Buffer | null = null;
  #delivering = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.read = (size?: number): Buffer | null => {
      // Outside of a delivery the stream is asked as usual: that is how its end is found.
      if (!this.#delivering) return Readable.prototype.read.call(socket, size) as Buffer | null;
      const bytes = this.#bytes;
      this.#bytes = null;
      return bytes;
    };
  }

  deliver(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#delivering = true;
    this.#socket.emit("readable");
    this.#delivering = false;
  }
}

function destroyThis(this: Socket): void {
  this.destroy();
}

/** The host without the brackets of an IPv6 literal, which sockets do not take. */
function hostOf(url: URL): string {
  return url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;
}
