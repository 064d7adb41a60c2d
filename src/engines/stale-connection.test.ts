import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { realClock } from "../core/clock.ts";
import { createHttpTransport } from "./http-transport.ts";
import type { Transport } from "./transport.ts";

let server: Server | undefined;
let transport: Transport | undefined;
afterEach(async () => {
  await transport?.close();
  server?.close();
});

/** Serves by `answer(connection, request)`, both counted from 1. Closes after "" and after text that ends in `closesAfter`. */
async function serve(
  answer: (connection: number, request: number) => string,
  closesAfter = "",
): Promise<string> {
  let connections = 0;
  server = createServer((socket) => {
    const connection = ++connections;
    let requests = 0;
    socket.on("error", () => undefined);
    socket.on("data", () => {
      const text = answer(connection, ++requests);
      if (text === "") socket.destroy();
      else if (closesAfter !== "" && text.endsWith(closesAfter)) socket.end(text);
      else socket.write(text);
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const answer = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

function ask(via: Transport): Promise<string> {
  return new Promise((resolve) => {
    let body = "";
    let sent = 0;
    via.send(
      { method: "POST", path: "/", headers: {}, body: "{}" },
      {
        onSent: () => sent++,
        onHeaders: () => undefined,
        onData: (bytes) => {
          body += Buffer.from(bytes).toString();
        },
        onEnd: () => resolve(`${body}, sent ${sent}`),
        onError: (error) => resolve(`failed: ${error.message}`),
      },
    );
  });
}

describe("a connection that the server closes although it promised to keep it", () => {
  it("costs the next request nothing but a fresh connection", async () => {
    const url = await serve((connection, request) => (request === 1 ? answer(`from ${connection}`) : ""));
    transport = createHttpTransport(url, { clock: realClock });
    expect(await ask(transport)).toBe("from 1, sent 1");
    expect(await ask(transport)).toMatch(/^from 2, sent [12]$/);
    expect(await ask(transport)).toMatch(/^from 3, sent [12]$/);
  });

  it("is a failure when the connection was fresh, and is not tried again", async () => {
    let connections = 0;
    const url = await serve((connection) => {
      connections = connection;
      return "";
    });
    transport = createHttpTransport(url, { clock: realClock });
    expect(await ask(transport)).toMatch(/^failed: /);
    expect(connections).toBe(1);
  });

  it("is a failure once the answer had begun: nothing is ever answered twice", async () => {
    let connections = 0;
    const url = await serve((connection, request) => {
      connections = connection;
      return request === 1 ? answer("whole") : "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart";
    }, "part");
    transport = createHttpTransport(url, { clock: realClock });
    expect(await ask(transport)).toBe("whole, sent 1");
    expect(await ask(transport)).toMatch(/^failed: /);
    expect(connections).toBe(1);
  });
});
