/**
 * Credentials come from the environment or a file, are read when a connection is made, and go
 * nowhere but into the Authorization header of that connection.
 */
import { OperatorError } from "../core/errors.ts";
import { readTextFile } from "../core/file.ts";
import type { CredentialReference } from "./engine.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The header that carries the credential; empty without a reference. Throws CREDENTIAL_MISSING. */
export function credentialHeaders(
  reference: CredentialReference | undefined,
  env: Environment,
): Readonly<Record<string, string>> {
  if (reference === undefined) return {};
  const { source, value, remedy } = resolve(reference, env);
  const secret = value.trim();
  if (secret === "")
    throw new OperatorError("CREDENTIAL_MISSING", {
      message: `the credential reference points at nothing: ${source} is empty or not set`,
      received: reference,
      nextStep: remedy,
    });
  // A header cannot hold control characters; the value itself must stay out of the message.
  if (!/^[\x20-\x7e]+$/.test(secret))
    throw new OperatorError("CREDENTIAL_MISSING", {
      message: `the credential in ${source} has characters that no header can carry`,
      received: reference,
      nextStep: `put the bare key there, on one line`,
    });
  return { authorization: `Bearer ${secret}` };
}

function resolve(
  reference: CredentialReference,
  env: Environment,
): { readonly source: string; readonly value: string; readonly remedy: string } {
  if ("env" in reference)
    return {
      source: `the environment variable ${reference.env}`,
      value: env[reference.env] ?? "",
      remedy: `set ${reference.env} before starting slipway`,
    };
  return {
    source: `the file ${reference.file}`,
    value: readTextFile(reference.file),
    remedy: `write the key into ${reference.file}`,
  };
}

/**
 * The base URL in one form: no trailing slash, no `/v1` (paths carry their own). Throws
 * ENDPOINT_URL_INVALID, and CREDENTIAL_INLINE for user information or a key in the query; those
 * messages show the host alone.
 */
export function endpointUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.username !== "" || url.password !== "" || url.search !== ""))
    throw new OperatorError("CREDENTIAL_INLINE", {
      message: "an endpoint's URL must not carry a user, a password or a query",
      received: `${url.protocol}//${url.host} (the rest is not shown)`,
      nextStep: "write the bare URL, and name the secret as credential: {env: NAME} or {file: path}",
    });
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new OperatorError("ENDPOINT_URL_INVALID", {
      message: "an endpoint must be an http or https URL",
      received: text.includes("@") ? "(not shown: it may carry a credential)" : text,
      nextStep: "write it as http://host:port",
    });
  return `${url.origin}${url.pathname.replace(/\/+$/, "").replace(/\/v1$/, "")}`;
}
