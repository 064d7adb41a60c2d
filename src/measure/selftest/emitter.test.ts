import { connect } from "node:net";
import type { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { realClock } from "../../core/clock.ts";
import { NS_PER_MS } from "../../core/units.ts";
import { Emitter, LAG_PATH } from "./emitter.ts";
import { timetableRequest } from "./wire.ts";
import type { Timetable } from "./wire.ts";

let emitter: Emitter;
let port: number;
const sockets: Socket[] = [];
beforeEach(async () => {
  emitter = new Emitter(realClock);
  port = await emitter.listen();
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  emitter.close();
});

/** Sends raw bytes and collects the answer until it ends as `until` says, or the connection closes. */
function talk(request: string, until: RegExp): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  sockets.push(socket);
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString();
      if (until.test(text)) resolve(text);
    });
    socket.on("close", () => resolve(text));
    socket.on("error", () => undefined);
    socket.write(request);
  });
}

function post(timetable: Timetable): string {
  const body = JSON.stringify(timetableRequest(timetable));
  return `POST /v1/chat/completions HTTP/1.1\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

function stampsOf(answer: string): number[] {
  return [...answer.matchAll(/"content":"(\d{17})"/g)].map((match) => Number(match[1]));
}

const STREAM_OVER = /\r\n0\r\n\r\n$/;

describe("the emitter", () => {
  test("writes no event before it is due, in the order of the timetable, then ends the stream", async () => {
    const firstNs = realClock.nowNs() + 5 * NS_PER_MS;
    const gapNs = 4 * NS_PER_MS;
    const answer = await talk(post({ firstNs, gapNs, phaseNs: NS_PER_MS, events: 4 }), STREAM_OVER);
    const stamps = stampsOf(answer);
    expect(stamps.length).toBe(4);
    expect(answer).toContain("data: [DONE]");
    expect(stamps[0]).toBeGreaterThanOrEqual(firstNs);
    for (const [index, stamp] of stamps.entries())
      if (index > 0) expect(stamp).toBeGreaterThanOrEqual(firstNs + NS_PER_MS + index * gapNs);
  });

  test("answers a late request at once and joins the grid at its next step", async () => {
    const askedNs = realClock.nowNs();
    const gapNs = 10 * NS_PER_MS;
    // 25 ms late on a grid of 10 ms: three steps are gone, so the second event is due on the fourth or later.
    const firstNs = askedNs - 25 * NS_PER_MS;
    const stamps = stampsOf(await talk(post({ firstNs, gapNs, phaseNs: 0, events: 2 }), STREAM_OVER));
    expect(stamps[0]).toBeGreaterThan(askedNs);
    expect(stamps[1]).toBeGreaterThanOrEqual(firstNs + 4 * gapNs);
  });

  test("accounts for its own lateness once, and then starts a new account", async () => {
    await talk(post({ firstNs: realClock.nowNs(), gapNs: NS_PER_MS, phaseNs: 0, events: 3 }), STREAM_OVER);
    const ask = `GET ${LAG_PATH} HTTP/1.1\r\n\r\n`;
    const lag = JSON.parse((await talk(ask, /\}$/)).split("\r\n\r\n")[1] ?? "") as { events: number };
    const again = JSON.parse((await talk(ask, /\}$/)).split("\r\n\r\n")[1] ?? "") as { events: number };
    expect([lag.events, again.events]).toEqual([3, 0]);
  });

  test("closes on a program that asks for something else, and goes on serving", async () => {
    expect(await talk("GET /favicon.ico HTTP/1.1\r\n\r\n", /\r\n\r\n$/)).toBe("");
    const timetable = { firstNs: realClock.nowNs(), gapNs: NS_PER_MS, phaseNs: 0, events: 1 };
    expect(stampsOf(await talk(post(timetable), STREAM_OVER)).length).toBe(1);
  });

  test("drops a stream whose client is gone", async () => {
    const gone = connect(port, "127.0.0.1");
    sockets.push(gone);
    gone.write(post({ firstNs: realClock.nowNs(), gapNs: NS_PER_MS, phaseNs: 0, events: 1_000_000 }));
    await new Promise((resolve) => gone.once("data", resolve));
    const closed = new Promise((resolve) => gone.once("close", resolve));
    gone.destroy();
    await closed;
    const timetable = { firstNs: realClock.nowNs(), gapNs: NS_PER_MS, phaseNs: 0, events: 2 };
    expect(stampsOf(await talk(post(timetable), STREAM_OVER)).length).toBe(2);
  });
});
