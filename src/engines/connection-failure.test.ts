import { expect, test } from "vitest";
import { connectionFailure } from "./connection-failure.ts";

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
