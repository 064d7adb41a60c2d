/** A long read says how far it is: one moving line on a terminal, a line now and then elsewhere. */
import { countText } from "../../report/profile/measure-text.ts";
import { NS_PER_S } from "../../core/units.ts";
import type { CliIo } from "../io.ts";

const REDRAW_NS = 200_000_000;
/** In a log a line each five seconds is enough to see that it lives. */
const LINE_NS = 5 * NS_PER_S;

export class ReadProgressLine {
  readonly #io: CliIo;
  #shownNs: number;
  #drawn = false;

  constructor(io: CliIo) {
    this.#io = io;
    this.#shownNs = io.clock.nowNs();
  }

  show(path: string, what: string, rows: number): void {
    const nowNs = this.#io.clock.nowNs();
    if (nowNs - this.#shownNs < (this.#io.errIsTerminal ? REDRAW_NS : LINE_NS)) return;
    this.#shownNs = nowNs;
    const text = `${path}: ${countText(rows)} rows of ${what} read`;
    this.#io.err(this.#io.errIsTerminal ? `\r\u001b[K${text}` : `${text}\n`);
    this.#drawn = true;
  }

  end(): void {
    if (this.#drawn && this.#io.errIsTerminal) this.#io.err("\r\u001b[K");
  }
}
