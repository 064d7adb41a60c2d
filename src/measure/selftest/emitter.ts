/**
 * The server of the self-test: writes events on an absolute timetable, each stamped when it is
 * written, and keeps account of how late it was itself. A bare socket server, so that its own cost
 * per event is one write. It runs in a process of its own; see `emitter-main`.
 */
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { onNextTurn } from "../../core/clock.ts";
import type { Clock, Timer } from "../../core/clock.ts";
import { OperatorError } from "../../core/errors.ts";
import { NS_PER_MS, nsToMs } from "../../core/units.ts";
import { LogHistogram } from "../../stats/log-histogram.ts";
import { DueQueue } from "./due-queue.ts";
import { RESPONSE_HEAD, STREAM_END, StampedEvent, readTimetable } from "./wire.ts";
import type { Timetable } from "./wire.ts";

/** How late the emitter's own writes were. */
export interface EmitterLag {
  readonly events: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Answers the lag since the last asking. */
export const LAG_PATH = "/lag";

/** Timers fire up to a millisecond late, so the rest of a wait is spent turning the event loop. */
const TURNING_NS = 2 * NS_PER_MS;

/** New requests are looked at after at most this many writes, also when the emitter is behind. */
const WRITES_PER_TURN = 64;

const NO_DELAY = { noDelay: true };

interface Stream {
  dueNs: number;
  readonly socket: Socket;
  readonly timetable: Timetable;
  /** Whole steps of the grid by which the request came too late. */
  readonly lateSteps: number;
  written: number;
}

export class Emitter {
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #queue = new DueQueue<Stream>();
  readonly #event = new StampedEvent();
  #lag = new LogHistogram();
  #turning = false;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#server = createServer(NO_DELAY, (socket) => {
      socket.on("error", () => socket.destroy());
      readRequests(socket, (path, body) => {
        try {
          this.#answer(socket, path, body);
        } catch (thrown) {
          if (!(thrown instanceof OperatorError)) throw thrown;
          // Some other program of this host found the port: it gets nothing, and disturbs no stream.
          socket.destroy();
        }
      });
    });
  }

  /** Listens on a free port of the loopback interface and answers it. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  close(): void {
    this.#timer?.cancel();
    this.#server.close();
  }

  #answer(socket: Socket, path: string, body: string): void {
    if (path === LAG_PATH) {
      const text = JSON.stringify(this.#takeLag());
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`);
      return;
    }
    const timetable = readTimetable(body);
    const lateNs = Math.max(0, this.#clock.nowNs() - timetable.firstNs);
    this.#queue.push({
      dueNs: timetable.firstNs + lateNs,
      socket,
      timetable,
      lateSteps: Math.ceil(lateNs / timetable.gapNs),
      written: 0,
    });
    this.#wake();
  }

  #takeLag(): EmitterLag {
    const lag = this.#lag;
    this.#lag = new LogHistogram();
    return {
      events: lag.count,
      p50Ms: lag.quantile(0.5) ?? 0,
      p99Ms: lag.quantile(0.99) ?? 0,
      maxMs: lag.max ?? 0,
    };
  }

  #wake(): void {
    if (this.#turning) return;
    this.#turning = true;
    this.#timer?.cancel();
    onNextTurn(this.#turn);
  }

  readonly #turn = (): void => {
    for (let writes = 0; writes < WRITES_PER_TURN; writes++) {
      const stream = this.#queue.first;
      if (stream === undefined) {
        this.#turning = false;
        return;
      }
      const nowNs = this.#clock.nowNs();
      if (stream.dueNs > nowNs) {
        this.#await(stream.dueNs, nowNs);
        return;
      }
      this.#write(stream, nowNs);
    }
    onNextTurn(this.#turn);
  };

  #await(dueNs: number, nowNs: number): void {
    if (dueNs - nowNs <= TURNING_NS) {
      onNextTurn(this.#turn);
      return;
    }
    // A request that comes during the wait may be due earlier: it turns the loop again itself.
    this.#turning = false;
    this.#timer = this.#clock.timerAt(dueNs - TURNING_NS, () => this.#wake());
  }

  #write(stream: Stream, nowNs: number): void {
    const { socket, timetable } = stream;
    this.#lag.add(nsToMs(nowNs - stream.dueNs));
    if (socket.destroyed) {
      this.#queue.removeFirst();
      return;
    }
    const last = stream.written + 1 === timetable.events;
    const first = stream.written === 0;
    if (first || last) socket.cork();
    if (first) socket.write(RESPONSE_HEAD);
    socket.write(this.#event.at(nowNs));
    if (last) socket.write(STREAM_END);
    if (first || last) socket.uncork();
    // What the kernel did not take at once still lies in the buffer that the next event would overwrite.
    if (socket.writableLength > 0) this.#event.release();
    stream.written++;
    if (last) this.#queue.removeFirst();
    else {
      const steps = stream.lateSteps + stream.written;
      stream.dueNs = timetable.firstNs + timetable.phaseNs + steps * timetable.gapNs;
      this.#queue.firstMoved();
    }
  }
}

/** Requests are small and one at a time on a connection: no pipelining, no chunked bodies. */
function readRequests(socket: Socket, onRequest: (path: string, body: string) => void): void {
  let text = "";
  socket.on("data", (bytes: Buffer) => {
    text += bytes.toString("latin1");
    const headEnd = text.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const bodyLength = Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, headEnd))?.[1] ?? 0);
    if (text.length < headEnd + 4 + bodyLength) return;
    const path = text.split(" ", 2)[1] ?? "";
    const body = text.slice(headEnd + 4);
    text = "";
    onRequest(path, body);
  });
}
