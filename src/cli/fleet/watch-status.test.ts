import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { spokenIo } from "../../../test/fakes/command-line.ts";
import { FLEET_STATUS, LARGE, SMALL, serveOnPaper } from "../../../test/fakes/paper-supervisor.ts";
import { type Clock, realClock } from "../../core/clock.ts";
import { OperatorError } from "../../core/errors.ts";
import { controlSocketPath } from "../../fleet/control/supervisor-lock.ts";
import type { FleetStatus } from "../../fleet/control/protocol.ts";
import type { CliIo } from "../io.ts";
import { watchStatus } from "./watch-status.ts";

/** Waiting takes no time; limits, which are timers, stay as long as they are. */
const impatientClock: Clock = {
  nowNs: () => realClock.nowNs(),
  wallIso: () => "2026-11-20T10:00:00.000Z",
  timerAt: (atNs, callback) => realClock.timerAt(atNs, callback),
  sleepUntil: (_atNs, signal) =>
    new Promise((resolve, reject) => {
      setImmediate(() => (signal?.aborted === true ? reject(new Error("aborted")) : resolve()));
    }),
};

/** Watches until the last of these was told, then Ctrl-C. */
async function watched(statuses: readonly FleetStatus[], facts: Partial<CliIo> = {}): Promise<string> {
  const interrupt = new AbortController();
  let asked = 0;
  const directory = await serveOnPaper({
    status: () => {
      const status = statuses[Math.min(asked++, statuses.length - 1)] ?? FLEET_STATUS;
      if (asked > statuses.length) interrupt.abort(new Error("interrupted"));
      return Promise.resolve(status);
    },
  });
  const { io, spoken } = spokenIo({ clock: impatientClock, interrupted: interrupt.signal, ...facts });
  expect(await watchStatus(controlSocketPath(directory), io)).toBe(0);
  return spoken.out;
}

const STARTING: FleetStatus = {
  ...FLEET_STATUS,
  switching: { to: "coding", step: "start" },
  presets: [{ ...LARGE, state: "starting" }],
};

describe("status --watch", () => {
  test("into a pipe gives one block a change, whatever speeds and amounts do in between", async () => {
    const faster: FleetStatus = {
      ...FLEET_STATUS,
      memory: { ...FLEET_STATUS.memory, freeBytes: 1 },
      presets: [{ ...LARGE, tokensPerSecond: 7, busySlots: 0 }, SMALL, ...FLEET_STATUS.presets.slice(2)],
    };
    const out = await watched([STARTING, STARTING, FLEET_STATUS, faster, FLEET_STATUS]);
    expect(out.split("\n").filter((line) => line.endsWith("."))).toEqual([
      "Switching from coding to coding: start.",
      "coding is up: 2 of 2 presets are ready.",
    ]);
    expect(out).toContain("\n2026-11-20T10:00:00.000Z\ncoding is up");
    expect(out).not.toContain("\u001b");
  });

  test("in a terminal draws on a screen of its own, and leaves the last picture behind", async () => {
    const out = await watched([STARTING, FLEET_STATUS], { outIsTerminal: true, outRows: 40 });
    expect(out.startsWith("\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[H")).toBe(true);
    const [, after] = out.split("\u001b[?7h\u001b[?25h\u001b[?1049l");
    expect(after?.split("\n")[0]).toBe("coding is up: 2 of 2 presets are ready.");
    expect(out.split("\u001b[H").length - 1).toBe(2);
  });

  test("never draws more lines than the terminal has, so that nothing scrolls", async () => {
    const out = await watched([FLEET_STATUS], { outIsTerminal: true, outRows: 4 });
    const [frame] = out.split("\u001b[?7h");
    expect(frame?.split("\n").length).toBe(4);
  });

  test("never draws a line wider than the terminal, and marks what it cut", async () => {
    for (const outColumns of [40, 59, 60, 80, 120])
      for (const color of [true, false]) {
        const out = await watched([FLEET_STATUS], { outIsTerminal: true, outRows: 40, outColumns, color });
        const [frame = ""] = out.split("\u001b[?7h");
        const lines = frame.split("\n").map((line) => stripVTControlCharacters(line));
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(outColumns);
        expect(lines.some((line) => line.endsWith("…"))).toBe(outColumns < 60);
      }
  });

  test("cuts a preset's row where the terminal ends, its colours ended", async () => {
    const out = await watched([FLEET_STATUS], {
      outIsTerminal: true,
      outRows: 40,
      outColumns: 40,
      color: true,
    });
    expect(out.split("\n").find((line) => line.includes("ready\u001b"))).toBe(
      "\u001b[2Kgemma4-26b-…  \u001b[32mready\u001b[0m  ██████░░  18.1 GiB…",
    );
  });

  test("ends with the supervisor, and gives the terminal back", async () => {
    let asked = 0;
    const directory = await serveOnPaper({
      status: () => {
        if (asked++ === 0) return Promise.resolve(FLEET_STATUS);
        throw new OperatorError("SUPERVISOR_LOST", { message: "gone", nextStep: "look" });
      },
    });
    const { io, spoken } = spokenIo({ clock: impatientClock, outIsTerminal: true });
    await expect(watchStatus(controlSocketPath(directory), io)).rejects.toMatchObject({
      code: "SUPERVISOR_LOST",
    });
    expect(spoken.out).toContain("\u001b[?7h\u001b[?25h\u001b[?1049l");
  });
});
