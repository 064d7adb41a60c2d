/** What a broken connection means, from the codes that Node and undici put on their errors. */
import type { ErrorCode } from "../core/error-codes.ts";
import { messageOf, systemCodeOf } from "../core/errors.ts";

export interface ConnectionFailure {
  readonly code: ErrorCode;
  readonly message: string;
}

/** `url` is shown: it must carry no secret. */
export function connectionFailure(error: Error, url: string): ConnectionFailure {
  const code = systemCodeOf(error) ?? "";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return { code: "ENDPOINT_DNS", message: `the host name of ${url} does not resolve` };
  if (code === "ECONNREFUSED") return { code: "ENDPOINT_REFUSED", message: `nothing listens at ${url}` };
  if (UNREACHABLE.includes(code))
    return { code: "ENDPOINT_REFUSED", message: `${url} cannot be reached (${code})` };
  if (/CERT|TLS|SSL/.test(code))
    return { code: "ENDPOINT_REFUSED", message: `no secure connection to ${url}: ${messageOf(error)}` };
  if (error.name === "HTTPParserError")
    return { code: "STREAM_MALFORMED", message: `the answer is not HTTP: ${messageOf(error)}` };
  // undici gives up at 100 Continue, although RFC 9110 (section 15.2) lets a server send it unasked;
  // all other informational answers pass. Its words are all that tells this apart.
  if (code === "UND_ERR_SOCKET" && error.message === "bad response")
    return {
      code: "STREAM_MALFORMED",
      message:
        "the server answered 100 Continue, which no request here asks for and Slipway cannot read past",
    };
  // Which of these it is depends on what the system had noticed first, and says nothing more.
  if (BROKEN.includes(code))
    return {
      code: "CONNECTION_RESET",
      message: "the server closed the connection before its answer was complete",
    };
  const detail = code === "" || messageOf(error).includes(code) ? "" : `, ${code}`;
  return { code: "CONNECTION_RESET", message: `the connection broke: ${messageOf(error)}${detail}` };
}

const BROKEN: readonly string[] = [
  "ECONNRESET",
  "EPIPE",
  "UND_ERR_SOCKET",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
];

const UNREACHABLE: readonly string[] = [
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "ETIMEDOUT",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
];
