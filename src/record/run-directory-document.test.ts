/** docs/run-directory.md describes every field that is written, and the test fails when one is added without it. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { summarySchema } from "./summary-record.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const document = read("../../docs/run-directory.md");

function undocumented(fields: readonly string[]): readonly string[] {
  return [...new Set(fields)].filter((field) => !document.includes(`\`${field}\``));
}

test.each(["request-record.ts", "trial-record.ts", "run-manifest.ts", "event-record.ts"])(
  "every field of %s is described",
  (file) => {
    const fields = [...read(file).matchAll(/readonly (\w+)\??:/g)].map(([, field]) => field as string);
    expect(fields.length).toBeGreaterThan(10);
    expect(undocumented(fields)).toEqual([]);
  },
);

test("every field of summary.json is described", () => {
  const fields: string[] = [];
  JSON.stringify(z.toJSONSchema(summarySchema, { io: "input" }), (key, value: unknown) => {
    if (key === "properties") fields.push(...Object.keys(value as object));
    return value;
  });
  expect(fields.length).toBeGreaterThan(40);
  expect(undocumented(fields)).toEqual([]);
});
