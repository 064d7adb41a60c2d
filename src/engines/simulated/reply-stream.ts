/** One response written piece by piece, and the client's leaving noticed at once. */
import type { FastifyReply } from "fastify";

/** What may wait for a client that does not read; more, and the connection is closed. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;

export class ReplyStream {
  readonly #reply: FastifyReply;
  readonly #contentType: string;

  constructor(reply: FastifyReply, contentType: string) {
    this.#reply = reply;
    this.#contentType = contentType;
  }

  /**
   * Takes the response out of the framework's hands: from here every byte goes to the socket as it
   * is written. `onGone` is called once if the connection closes before `end`.
   */
  open(onGone: () => void): void {
    this.#reply.hijack();
    const { raw } = this.#reply;
    raw.once("close", () => {
      if (!raw.writableFinished) onGone();
    });
    // A client that leaves while we write gives an error as well; "close" follows it.
    raw.on("error", () => undefined);
  }

  write(text: string): void {
    const { raw } = this.#reply;
    this.#head();
    raw.write(text);
    if (raw.writableLength > MAX_UNREAD_BYTES) raw.destroy();
  }

  end(text: string): void {
    this.#head();
    this.#reply.raw.end(text);
  }

  /** The status goes out with the first bytes of the body, as servers do that may still have to refuse. */
  #head(): void {
    const { raw } = this.#reply;
    if (!raw.headersSent)
      raw.writeHead(200, { "content-type": this.#contentType, "cache-control": "no-cache" });
  }
}
