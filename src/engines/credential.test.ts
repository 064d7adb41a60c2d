import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { OperatorError, renderOperatorError } from "../core/errors.ts";
import { credentialHeaders, endpointUrl } from "./credential.ts";

/** The three lines a person sees of what a call throws. */
function told(call: () => unknown): string {
  try {
    call();
  } catch (thrown) {
    if (thrown instanceof OperatorError) return renderOperatorError(thrown);
    throw thrown;
  }
  return "nothing";
}

test("a credential comes from the environment or a file, without its line ending", () => {
  const folder = mkdtempSync(join(tmpdir(), "slipway-credential-"));
  try {
    const file = join(folder, "key");
    writeFileSync(file, "from-file\n");
    expect(credentialHeaders({ env: "KEY" }, { KEY: "from-env" })).toEqual({
      authorization: "Bearer from-env",
    });
    expect(credentialHeaders({ file }, {})).toEqual({ authorization: "Bearer from-file" });
    expect(credentialHeaders(undefined, { KEY: "unused" })).toEqual({});
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a reference that points at nothing says which", () => {
  expect(told(() => credentialHeaders({ env: "KEY" }, {}))).toMatchInlineSnapshot(`
    "error CREDENTIAL_MISSING: the credential reference points at nothing: the environment variable KEY is empty or not set
      received: {"env":"KEY"}
      next: set KEY before starting slipway"
  `);
  expect(told(() => credentialHeaders({ file: "/nowhere/key" }, {}))).toMatchInlineSnapshot(`
    "error FILE_NOT_FOUND: cannot read /nowhere/key
      received: ENOENT
      next: check the path"
  `);
});

test("a value that no header can carry is refused without being shown", () => {
  const message = told(() => credentialHeaders({ env: "KEY" }, { KEY: "hunter2\nline" }));
  expect(message).not.toContain("hunter2");
  expect(message).toMatchInlineSnapshot(`
    "error CREDENTIAL_MISSING: the credential in the environment variable KEY has characters that no header can carry
      received: {"env":"KEY"}
      next: put the bare key there, on one line"
  `);
});

test("a URL has one form", () => {
  expect(endpointUrl("http://localhost:11434/")).toBe("http://localhost:11434");
  expect(endpointUrl("http://localhost:8000/v1")).toBe("http://localhost:8000");
  expect(endpointUrl("https://api.example.org/openai/v1/")).toBe("https://api.example.org/openai");
});

test("a secret in a URL is refused and not shown", () => {
  for (const url of [
    "http://user:hunter2@host:1/v1",
    "http://hunter2@host:1",
    "http://host:1/?key=hunter2",
  ]) {
    const message = told(() => endpointUrl(url));
    expect(message).toContain("CREDENTIAL_INLINE");
    expect(message).not.toContain("hunter2");
  }
  expect(told(() => endpointUrl("http://user:hunter2@host:1/v1"))).toMatchInlineSnapshot(`
    "error CREDENTIAL_INLINE: an endpoint's URL must not carry a user, a password or a query
      received: http://host:1 (the rest is not shown)
      next: write the bare URL, and name the secret as credential: {env: NAME} or {file: path}"
  `);
  expect(told(() => endpointUrl("user:hunter2@host"))).not.toContain("hunter2");
});

test("what is no http URL is refused with what was received", () => {
  expect(told(() => endpointUrl("localhost:11434"))).toMatchInlineSnapshot(`
    "error ENDPOINT_URL_INVALID: an endpoint must be an http or https URL
      received: localhost:11434
      next: write it as http://host:port"
  `);
  expect(told(() => endpointUrl("ftp://host"))).toContain("received: ftp://host");
});
