import { expect, test } from "vitest";
import { type Answer, answer, startScriptedServer } from "../../test/fakes/scripted-server.ts";
import { realClock } from "../core/clock.ts";
import { connectionFailure } from "./connection-failure.ts";
import { createEngine } from "./registry.ts";

const broken = (code: string): Error => Object.assign(new Error(`something (${code})`), { code });

test.each([
  ["ENOTFOUND", "ENDPOINT_DNS", "the host name of http://gpu:1 does not resolve"],
  ["EAI_AGAIN", "ENDPOINT_DNS", "the host name of http://gpu:1 does not resolve"],
  ["ECONNREFUSED", "ENDPOINT_REFUSED", "nothing listens at http://gpu:1"],
  ["EHOSTUNREACH", "ENDPOINT_REFUSED", "http://gpu:1 cannot be reached (EHOSTUNREACH)"],
  ["UND_ERR_CONNECT_TIMEOUT", "ENDPOINT_REFUSED", "http://gpu:1 cannot be reached (UND_ERR_CONNECT_TIMEOUT)"],
  [
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "ENDPOINT_REFUSED",
    "no secure connection to http://gpu:1: something (DEPTH_ZERO_SELF_SIGNED_CERT)",
  ],
  ["ECONNRESET", "CONNECTION_RESET", "the server closed the connection before its answer was complete"],
  ["EMFILE", "CONNECTION_RESET", "the connection broke: something (EMFILE)"],
])("%s is %s", (code, meaning, message) => {
  expect(connectionFailure(broken(code), "http://gpu:1")).toEqual({ code: meaning, message });
});

test("an error without a code keeps its message", () => {
  expect(connectionFailure(new Error("the transport was closed"), "http://gpu:1").message).toBe(
    "the connection broke: the transport was closed",
  );
});

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\ndata: [DONE]\n\n";

test.each<[string, Answer, string | undefined]>([
  [
    "100 Continue",
    answer(`HTTP/1.1 100 Continue\r\n\r\n${OK}`, { raw: true }),
    "the server answered 100 Continue, which no request here asks for and Slipway cannot read past",
  ],
  [
    "103 Early Hints",
    answer(`HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}`, { raw: true }),
    undefined,
  ],
])("an informational answer of %s is passed over or named", async (_status, script, message) => {
  const server = await startScriptedServer(() => script);
  const engine = await createEngine(
    { name: "a", url: server.url, engine: "openai" },
    { clock: realClock, env: {} },
  );
  const { outcome } = await engine.generate(
    { model: "m", prompt: "hi", options: {}, stream: true },
    { clock: realClock, limits: { gapMs: 20_000, totalMs: 20_000, loadingMs: 0 } },
  );
  await engine.close();
  await server.stop();
  expect(outcome).toEqual(
    message === undefined
      ? { kind: "ok" }
      : { kind: "failed", code: "STREAM_MALFORMED", message, afterFirstToken: false },
  );
});
