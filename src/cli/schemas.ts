/** The JSON Schemas of the files that operators write, derived from the schemas that check them. */
import { z } from "zod";
import { modeSchema, presetSchema } from "../preset/preset.ts";
import { scenarioSchema } from "../workload/scenario.ts";
import { configSchema } from "./config.ts";

/** By their place in the package; a test holds the committed files to this. */
export function schemaDocuments(): Readonly<Record<string, string>> {
  const document = (schema: z.ZodType, title: string): string =>
    `${JSON.stringify({ title, ...z.toJSONSchema(schema, { io: "input" }) }, null, 2)}\n`;
  return {
    "examples/scenario.schema.json": document(scenarioSchema, "Slipway scenario"),
    "examples/slipway.schema.json": document(configSchema, "slipway.yaml"),
    "examples/preset.schema.json": document(presetSchema, "Slipway preset"),
    "examples/mode.schema.json": document(modeSchema, "Slipway mode"),
  };
}
