import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { schemaDocuments } from "./schemas.ts";

/** Every property name anywhere in a JSON Schema. */
function propertyNames(schema: unknown): readonly string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const own = "properties" in schema ? Object.keys(schema.properties as object) : [];
  return [...own, ...Object.values(schema).flatMap(propertyNames)];
}

describe("the schemas for editors", () => {
  it.each(Object.entries(schemaDocuments()))("%s is what the program checks", (path, text) => {
    // Regenerate with: npm run build && node scripts/write-schemas.mjs
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  it.each(Object.entries(schemaDocuments()))("%s has every field explained on its page", (path, text) => {
    const [, room = "configuration"] = /\/(preset|mode|route)\b.*\.schema\.json$/.exec(path) ?? [];
    const page = readFileSync(`docs/${room.replace(/^(preset|mode)$/, "presets")}.md`, "utf8");
    for (const name of new Set(propertyNames(JSON.parse(text)))) expect(page, name).toContain(`\`${name}\``);
  });

  it.each([
    ["scenario", "examples/scenarios"],
    ["role", "roles"],
    ["role", "examples/roles"],
    ["capacity", "examples/capacity"],
    ["hypotheses", "examples/hypotheses"],
    ["service-levels", "examples/service-levels"],
    ["costs", "examples/costs"],
    ["route-models", "examples/route-models"],
    ["route-jobs", "examples/route-jobs"],
    ["preset", "presets"],
    ["mode", "presets/modes"],
  ])("examples/%s.schema.json accepts all that ships in %s, and no misspelt field", (kind, folder) => {
    const schema = z.fromJSONSchema(JSON.parse(readFileSync(`examples/${kind}.schema.json`, "utf8")));
    const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
    expect(files).not.toEqual([]);
    for (const file of files) {
      const content = parse(readFileSync(`${folder}/${file}`, "utf8")) as object;
      expect(schema.safeParse(content).error, file).toBeUndefined();
      expect(schema.safeParse({ ...content, titel: "?" }).success, file).toBe(false);
    }
  });
});
