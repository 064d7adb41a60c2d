/** What a person sees while a benchmark runs: one moving line on a terminal, a line a trial elsewhere. */
import { formatDurationMs, nsToMs } from "../../core/units.ts";
import type { Clock } from "../../core/clock.ts";
import type { RunProgress } from "../../measure/runner.ts";

/** Often enough to look alive, seldom enough to cost nothing. */
const REDRAW_NS = 200_000_000;

/** A trial with more kinds of failure than this is read in its records. */
const MOST_REASONS_SHOWN = 3;

export interface ProgressView {
  show(progress: RunProgress): void;
  /** Clears the moving line. */
  end(): void;
}

/** The part of the CLI's surroundings that progress needs. */
export interface ProgressIo {
  readonly err: (text: string) => void;
  readonly errIsTerminal: boolean;
  readonly clock: Clock;
}

export class ProgressLine implements ProgressView {
  readonly #io: ProgressIo;
  readonly #tokens = new Map<string, number>();
  #requests = 0;
  /** Why requests failed, and how many each. */
  readonly #failures = new Map<string, number>();
  #title = "";
  #startNs = 0;
  #drawnNs = 0;

  constructor(io: ProgressIo) {
    this.#io = io;
  }

  show(progress: RunProgress): void {
    switch (progress.kind) {
      case "trial-start": {
        const { trial, index, total } = progress;
        const who =
          trial.kind === "solo" ? `${trial.soloAgent ?? ""} alone` : `${trial.cell.agents.length} together`;
        this.#title = `[${index + 1}/${total}] ${trial.cell.label}: ${who}`;
        this.#tokens.clear();
        this.#requests = 0;
        this.#failures.clear();
        this.#startNs = this.#io.clock.nowNs();
        this.#draw(true);
        return;
      }
      case "tokens":
        this.#tokens.set(progress.agent, progress.textEvents);
        this.#draw(false);
        return;
      case "request-end":
        this.#requests++;
        if (progress.failure !== undefined)
          this.#failures.set(progress.failure, (this.#failures.get(progress.failure) ?? 0) + 1);
        this.#draw(false);
        return;
      case "trial-end": {
        const { record } = progress;
        this.end();
        const failed = record.failures === 0 ? "" : `, ${record.failures} FAILED`;
        const status = record.status === "complete" ? "" : ` (${record.status})`;
        const wallMs = nsToMs(record.endNs - record.barrierNs);
        this.#io.err(
          `${this.#title}: ${this.#requests} requests in ${formatDurationMs(wallMs)}${failed}${status}
${this.#reasons()}`,
        );
      }
    }
  }

  end(): void {
    if (this.#io.errIsTerminal) this.#io.err("\r\u001b[K");
  }

  #failureCount(): number {
    return [...this.#failures.values()].reduce((sum, count) => sum + count, 0);
  }

  #reasons(): string {
    const shown = [...this.#failures].slice(0, MOST_REASONS_SHOWN);
    const more = this.#failures.size - shown.length;
    const lines = shown.map(([reason, count]) => `    ${count}x ${reason.replaceAll("\n", "\n       ")}\n`);
    return lines.join("") + (more > 0 ? `    and ${more} other reasons; see requests.jsonl\n` : "");
  }

  #draw(now: boolean): void {
    if (!this.#io.errIsTerminal) return;
    const atNs = this.#io.clock.nowNs();
    if (!now && atNs - this.#drawnNs < REDRAW_NS) return;
    this.#drawnNs = atNs;
    const streaming = [...this.#tokens.values()].reduce((sum, count) => sum + count, 0);
    const failed = this.#failures.size === 0 ? "" : `, ${this.#failureCount()} failed`;
    const elapsed = formatDurationMs(nsToMs(atNs - this.#startNs));
    this.#io.err(
      `\r\u001b[K${this.#title}: ${this.#requests} requests done${failed}, ${streaming} tokens in flight, ${elapsed}`,
    );
  }
}
