/** `slipway status --watch`: one picture that changes in a terminal, one block a change elsewhere. */
import { askSupervisor } from "../../fleet/control/client.ts";
import stringWidth from "string-width";
import type { FleetStatus } from "../../fleet/control/protocol.ts";
import { msToNs } from "../../core/units.ts";
import type { CliIo, ExitCode } from "../io.ts";
import { renderStatus } from "./status-view.ts";

/** Often enough to see a switch move, seldom enough that servers are not asked for the sake of a picture. */
const POLL_MS = 1_000;

/**
 * Another screen, as pagers have, so that a resize cannot leave torn lines; the person's own comes
 * back at the end. Without a cursor, and without wrapping, should the terminal shrink after a frame.
 */
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const LEAVE = "\u001b[?7h\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
/** Before the text: after a full line the cursor stands on its last character, which would be cleared with the rest. */
const CLEAR_LINE = "\u001b[2K";
const CLEAR_BELOW = "\u001b[J";

/** Ends with Ctrl-C, which is its ordinary end, or with the supervisor. */
export async function watchStatus(socketPath: string, io: CliIo): Promise<ExitCode> {
  const first = await askSupervisor({ do: "status" }, { socketPath, clock: io.clock });
  return io.outIsTerminal ? watchInPlace(first, socketPath, io) : watchPiped(first, socketPath, io);
}

async function watchInPlace(first: FleetStatus, socketPath: string, io: CliIo): Promise<ExitCode> {
  let last = first;
  io.out(ENTER);
  try {
    io.out(frame(last, io));
    for await (const status of later(socketPath, io)) {
      last = status;
      io.out(frame(last, io));
    }
  } finally {
    // What was seen last stays, as a plain block.
    io.out(`${LEAVE}${renderStatus(last, styleOf(io))}`);
  }
  return 0;
}

/**
 * Lines that do not fit the screen are cut away, so that it never scrolls, and what does not fit a
 * line is cut with an ellipsis: left to the terminal, the line's last character would overwrite the
 * one in the last column, which makes another number of it.
 */
function frame(status: FleetStatus, io: CliIo): string {
  const text = renderStatus(status, styleOf(io)).trimEnd();
  const lines = [...text.split("\n"), "", "Ctrl-C ends the watch; nothing stops"];
  const shown = lines.slice(0, Math.max(1, (io.outRows ?? lines.length + 1) - 1));
  return `${HOME}${shown.map((line) => `${CLEAR_LINE}${cutPainted(line, io.outColumns)}`).join("\n")}\n${CLEAR_BELOW}`;
}

// eslint-disable-next-line no-control-regex -- colours are made of control characters
const COLOR_OR_CHARACTER = /\u001b\[\d+m|./gsu;

/** At most this many columns; colours take none, and those behind the cut stay, since they end what was begun. */
function cutPainted(line: string, columns: number): string {
  if (stringWidth(line) <= columns) return line;
  let kept = "";
  let width = 0;
  let full = false;
  for (const [piece] of line.matchAll(COLOR_OR_CHARACTER)) {
    const pieceColumns = stringWidth(piece);
    if (pieceColumns === 0) kept += piece;
    else if (!full) {
      full = width + pieceColumns >= columns;
      kept += full ? "…" : piece;
      width += pieceColumns;
    }
  }
  return kept;
}

async function watchPiped(first: FleetStatus, socketPath: string, io: CliIo): Promise<ExitCode> {
  let told = settled(first);
  io.out(renderStatus(first, styleOf(io)));
  for await (const status of later(socketPath, io)) {
    const now = settled(status);
    if (now === told) continue;
    told = now;
    io.out(`\n${io.clock.wallIso()}\n${renderStatus(status, styleOf(io))}`);
  }
  return 0;
}

/** What counts as a change: states, addresses and words. Speeds and amounts move all the time. */
function settled({ mode, switching, presets, warnings }: FleetStatus): string {
  return JSON.stringify({
    mode,
    switching,
    warnings,
    presets: presets.map(({ preset, state, url, reason, restarts }) => ({
      preset,
      state,
      url,
      reason,
      restarts,
    })),
  });
}

async function* later(socketPath: string, io: CliIo): AsyncGenerator<FleetStatus> {
  const { clock, interrupted } = io;
  for (;;) {
    try {
      await clock.sleepUntil(clock.nowNs() + msToNs(POLL_MS), interrupted);
      yield await askSupervisor({ do: "status" }, { socketPath, clock, signal: interrupted });
    } catch (thrown) {
      if (interrupted.aborted) return;
      throw thrown;
    }
  }
}

function styleOf(io: CliIo): { readonly columns: number; readonly color: boolean } {
  return { columns: io.outColumns, color: io.color };
}
