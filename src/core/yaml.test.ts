import { describe, expect, it } from "vitest";
import { z } from "zod";
import { OperatorError, renderOperatorError } from "./errors.ts";
import { parseWith, parseYaml } from "./yaml.ts";

function complaint(action: () => unknown): string {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof OperatorError) return renderOperatorError(thrown);
    throw thrown;
  }
  throw new Error("it did not complain");
}

const schema = z.strictObject({ runs: z.int().min(1), name: z.string() });

describe("parseYaml", () => {
  it("names the line of a syntax error", () => {
    expect(complaint(() => parseYaml("a: 1\nb: [1,\nc: 2\n", "s.yaml"))).toMatchInlineSnapshot(`
      "error YAML_SYNTAX: s.yaml is not valid YAML at line 3, column 1
        received: Flow sequence in block collection must be sufficiently indented and end with a ]
        next: mend the line; keys and values are separated by a colon and a space"
    `);
  });

  it("refuses a key given twice", () => {
    expect(complaint(() => parseYaml("a: 1\na: 2\n", "s.yaml"))).toMatchInlineSnapshot(`
      "error YAML_SYNTAX: s.yaml is not valid YAML at line 2, column 1
        received: Map keys must be unique
        next: mend the line; keys and values are separated by a colon and a space"
    `);
  });

  it("refuses a file whose aliases would explode", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let level = 1; level < 8; level++)
      lines.push(
        `a${level}: &a${level} [${Array(10)
          .fill(`*a${level - 1}`)
          .join(", ")}]`,
      );
    expect(complaint(() => parseYaml(lines.join("\n"), "bomb.yaml"))).toMatchInlineSnapshot(`
      "error YAML_SYNTAX: bomb.yaml cannot be expanded
        received: Excessive alias count indicates a resource exhaustion attack
        next: write repeated parts out; at most 100 expanded aliases are allowed"
    `);
  });
});

describe("a text with a terminal escape", () => {
  it("is refused and shown without it, while line breaks and tabs are fine", () => {
    const told = complaint(() => parseYaml('title: "\\e]0;pwn\\a"', "s.yaml"));
    expect(told).toContain("error YAML_SYNTAX: s.yaml holds a text with control characters");
    expect(told).not.toContain("\u001b");
    expect(told).not.toContain("\u0007");
    expect(parseYaml('text: "one\\n\\ttwo"', "s.yaml")).toEqual({ text: "one\n\ttwo" });
  });
});

describe("parseWith", () => {
  it("names an unknown field", () => {
    expect(
      complaint(() => parseWith(schema, { runs: 1, name: "x", rnus: 2 }, "s.yaml")),
    ).toMatchInlineSnapshot(`
      "error CONFIG_INVALID: s.yaml: field (top level): Unrecognized key: "rnus"
        received: (top level) = rnus
        next: correct the field; docs/configuration.md lists every field with its rule"
    `);
  });

  it("names a negative number and its rule", () => {
    expect(complaint(() => parseWith(schema, { runs: -3, name: "x" }, "s.yaml"))).toMatchInlineSnapshot(`
      "error CONFIG_INVALID: s.yaml: field runs: Too small: expected number to be >=1
        received: runs = -3
        next: correct the field; docs/configuration.md lists every field with its rule"
    `);
  });

  it("names every wrong field at once", () => {
    expect(complaint(() => parseWith(schema, { runs: "many" }, "s.yaml"))).toMatchInlineSnapshot(`
      "error CONFIG_INVALID: s.yaml: field runs: Invalid input: expected number, received string; field name: Invalid input: expected string, received undefined
        received: runs = "many"; name = undefined
        next: correct the field; docs/configuration.md lists every field with its rule"
    `);
  });
});
