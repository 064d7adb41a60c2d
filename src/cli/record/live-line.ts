/** What a person sees while a recording runs: one moving line on a terminal, a line a request elsewhere. */
import type { Timer } from "../../core/clock.ts";
import { formatDurationMs, msToNs, nsToMs } from "../../core/units.ts";
import type { RequestRecord } from "../../record/request-record.ts";
import type { CliIo } from "../io.ts";

/** Often enough to look alive, seldom enough to cost nothing. */
const REDRAW_MS = 250;

export class LiveLine {
  readonly #io: CliIo;
  readonly #inFlight: () => number;
  readonly #startNs: number;
  #timer: Timer | undefined;
  #finished = 0;
  #troubled = 0;

  constructor(io: CliIo, inFlight: () => number) {
    this.#io = io;
    this.#inFlight = inFlight;
    this.#startNs = io.clock.nowNs();
    if (io.errIsTerminal) this.#redraw();
  }

  add(record: RequestRecord): void {
    this.#finished++;
    if (record.outcome.kind !== "ok") this.#troubled++;
    if (!this.#io.errIsTerminal) this.#io.err(`${lineOf(record)}\n`);
  }

  end(): void {
    this.#timer?.cancel();
    if (this.#io.errIsTerminal) this.#io.err("\r\u001b[K");
  }

  #redraw(): void {
    const { clock } = this.#io;
    const troubled = this.#troubled === 0 ? "" : ` (${this.#troubled} failed or cancelled)`;
    const elapsed = formatDurationMs(nsToMs(clock.nowNs() - this.#startNs));
    this.#io.err(
      `\r\u001b[Krecorded ${this.#finished}${troubled}, ${this.#inFlight()} in flight, ${elapsed}`,
    );
    this.#timer = clock.timerAt(clock.nowNs() + msToNs(REDRAW_MS), () => this.#redraw());
  }
}

function lineOf(record: RequestRecord): string {
  const { stamps, tokens, outcome } = record;
  const took = formatDurationMs(nsToMs(stamps.endNs - stamps.scheduledNs));
  const what = outcome.kind === "ok" ? `${tokens.output ?? "unknown"} tokens` : describe(outcome);
  return `${record.agent} ${record.position} ${record.step}: ${what}, ${took}`;
}

function describe(outcome: Exclude<RequestRecord["outcome"], { kind: "ok" }>): string {
  return outcome.kind === "failed"
    ? `FAILED ${outcome.code}: ${outcome.message}`
    : `cancelled: ${outcome.reason}`;
}
