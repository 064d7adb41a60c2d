/** YAML and schemas: the one place where text from outside becomes typed values. */
import { readFileSync, statSync } from "node:fs";
import { LineCounter, parseDocument, stringify } from "yaml";
import type { z } from "zod";
import { OperatorError, messageOf, printable } from "./errors.ts";
import { fileError } from "./file.ts";

/** Nested aliases multiply; no scenario needs more, and a hostile file would fill memory. */
const MAX_YAML_ALIASES = 100;

/** Read whole and parsed with all positions kept: a megabyte takes about a second. A preset has one kilobyte. */
const MAX_YAML_BYTES = 4 * 1024 * 1024;

/** Parses YAML; a syntax error names the file and the line. Aliases are limited, so that no file can explode. */
export function parseYaml(text: string, source: string): unknown {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: true, uniqueKeys: true });
  const first = document.errors[0];
  if (first !== undefined) {
    const at = lineCounter.linePos(first.pos[0]);
    throw new OperatorError("YAML_SYNTAX", {
      message: `${source} is not valid YAML at line ${at.line}, column ${at.col}`,
      // The parser recurses, and reports its overflow as one more syntax error.
      received: /Maximum call stack/.test(first.message)
        ? "lists or maps nested too deeply"
        : first.message.replace(/ at line [\s\S]*$/, ""),
      nextStep: "mend the line; keys and values are separated by a colon and a space",
    });
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_YAML_ALIASES });
    refuseControlCharacters(value, source);
    return value;
  } catch (thrown) {
    if (thrown instanceof OperatorError) throw thrown;
    throw new OperatorError("YAML_SYNTAX", {
      message: `${source} cannot be expanded`,
      received: messageOf(thrown),
      nextStep: `write repeated parts out; at most ${MAX_YAML_ALIASES} expanded aliases are allowed`,
      cause: thrown,
    });
  }
}

/** Names and titles go to terminals and pages, and a terminal obeys escape sequences. */
function refuseControlCharacters(value: unknown, source: string): void {
  if (typeof value === "string" && /\p{Cc}/u.test(value.replace(/[\t\n\r]/g, "")))
    throw new OperatorError("YAML_SYNTAX", {
      message: `${source} holds a text with control characters`,
      received: printable(value),
      nextStep: "write plain text; terminal escapes and other control characters are not allowed",
    });
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    refuseControlCharacters(key, source);
    refuseControlCharacters(member, source);
  }
}

/**
 * Checks a value against a schema. The error names every offending field (at most five), the rule
 * and the value received; nothing is defaulted silently where a value was given.
 */
export function parseWith<S extends z.ZodType>(
  schema: S,
  value: unknown,
  source: string,
  page = "docs/configuration.md",
): z.output<S> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const shown = result.error.issues.slice(0, 5).map((broken) => {
    const issue = nearest(broken);
    const path = issue.path.map(String).join(".") || "(top level)";
    const received = issue.code === "unrecognized_keys" ? issue.keys.join(", ") : shortJson(issue.input);
    return { path, rule: issue.message, received };
  });
  throw new OperatorError("CONFIG_INVALID", {
    message: `${source}: ${shown.map((issue) => `field ${issue.path}: ${issue.rule}`).join("; ")}`,
    received: shown.map((issue) => `${issue.path} = ${issue.received}`).join("; "),
    nextStep: `correct the field; ${page} lists every field with its rule`,
  });
}

/**
 * Of a value that fits none of several forms, the complaint of the form that it comes nearest to:
 * the one whose first broken rule lies deepest. "Invalid input" alone helps nobody.
 */
function nearest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union") return issue;
  if (issue.discriminator !== undefined)
    return { ...issue, input: memberOf(issue.input, issue.discriminator) };
  const inner = issue.errors
    .flatMap(([first]) => (first === undefined ? [] : [nearest(first)]))
    .reduce<z.core.$ZodIssue | undefined>(
      (best, one) => (one.path.length > (best?.path.length ?? 0) ? one : best),
      undefined,
    );
  return inner === undefined ? issue : { ...inner, path: [...issue.path, ...inner.path] };
}

/** The field that decides which form is meant, of a value that the library hands over whole. */
function memberOf(value: unknown, field: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, field) : value;
}

/** Throws FILE_NOT_FOUND, YAML_SYNTAX and CONFIG_INVALID. `page` is where the fields are explained. */
export function readYamlFile<S extends z.ZodType>(schema: S, path: string, page?: string): z.output<S> {
  return parseWith(schema, parseYaml(readYamlText(path), path), path, page);
}

/** A device or a pipe would never end, and bytes that are not UTF-8 would come out as other names than were meant. */
function readYamlText(path: string): string {
  try {
    const file = statSync(path);
    if (!file.isFile() || file.size > MAX_YAML_BYTES)
      throw new OperatorError("YAML_SYNTAX", {
        message: `${path} is not a file of at most ${MAX_YAML_BYTES / (1024 * 1024)} MiB`,
        received: file.isFile() ? `${file.size} bytes` : "no regular file",
        nextStep: "name a YAML file that a person could have written",
      });
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (thrown) {
    if (thrown instanceof OperatorError) throw thrown;
    if (!(thrown instanceof TypeError)) throw fileError(thrown, path);
    throw new OperatorError("YAML_SYNTAX", {
      message: `${path} is not UTF-8 text`,
      nextStep: "save the file as UTF-8",
      cause: thrown,
    });
  }
}

function shortJson(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

/** A value as YAML that a person would write: block style, no anchors. */
export function yamlText(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}
