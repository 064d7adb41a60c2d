/**
 * What a server says, made fit for a screen and a record: without control characters, and without
 * our own credential, which some servers and proxies repeat in their error messages.
 */
import { printable } from "../core/errors.ts";

/** Makes one line of a server's text; see {@link shownText}. */
export type ShowText = (text: string) => string;

/** The headers that carry a credential, ours or that of a client whose requests are recorded. */
const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "x-api-key",
  "api-key",
  "x-goog-api-key",
]);

/**
 * A credential below this is not masked: it protects nothing, and as part of ordinary words it
 * would make messages unreadable. For the same reason fewer characters of a cut one may stay.
 */
const SHORTEST_SECRET = 4;

const MASKED = "[credential]";

/** For a connection that sends these headers, given as name and value. */
export function shownText(headers: Iterable<readonly [string, string]>): ShowText {
  const secrets = [...headers]
    .filter(([name]) => CREDENTIAL_HEADERS.has(name.toLowerCase()))
    .map(([, value]) => withoutScheme(value))
    .filter((secret) => secret.length >= SHORTEST_SECRET);
  return (text) => secrets.reduce(maskSecret, printable(text));
}

/** `Bearer abc` is `abc`: servers repeat either. */
function withoutScheme(value: string): string {
  return value.trim().replace(/^[A-Za-z][\w-]* +/, "");
}

/** The secret as it is, then in the escapes of JSON and of URLs, mixed in any way. */
function maskSecret(text: string, secret: string): string {
  let masked = "";
  let copied = 0;
  for (let at = 0; at < text.length; at++) {
    const end = text.startsWith(secret, at) ? at + secret.length : endOfSecret(text, at, secret);
    if (end < 0) continue;
    masked += text.slice(copied, at) + MASKED;
    copied = end;
    at = end - 1;
  }
  return masked + text.slice(copied);
}

/** Where the secret ends that begins at `from`, whole or cut off by an ellipsis; −1 if there is none. */
function endOfSecret(text: string, from: number, secret: string): number {
  let at = from;
  for (let index = 0; index < secret.length; index++) {
    const length = lengthOf(secret[index] as string, text, at);
    if (length === 0) return index >= SHORTEST_SECRET ? endOfCut(text, at) : -1;
    at += length;
  }
  return at;
}

const ESCAPED = /%([0-9a-f]{2})|\\+u([0-9a-f]{4})|\\+(["/\\])/iy;

/** How many characters at `at` stand for the one wanted; 0 if they stand for another. */
function lengthOf(wanted: string, text: string, at: number): number {
  const first = text[at];
  if (first === "%" || first === "\\") {
    ESCAPED.lastIndex = at;
    const [all = "", url, unicode, plain] = ESCAPED.exec(text) ?? [];
    const code = url ?? unicode;
    const meant = code === undefined ? plain : String.fromCharCode(Number.parseInt(code, 16));
    if (meant === wanted) return all.length;
  }
  return first === wanted ? 1 : 0;
}

/** Messages are cut after some length, which must not leave the beginning of a secret, nor half an escape. */
const CUT = /(?:%[0-9a-f]?|\\+(?:u[0-9a-f]{0,3})?)?(?=…)/iy;

function endOfCut(text: string, at: number): number {
  CUT.lastIndex = at;
  return CUT.test(text) ? CUT.lastIndex : -1;
}
