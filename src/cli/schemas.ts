/** The JSON Schemas of the files that operators write, derived from the schemas that check them. */
import { z } from "zod";
import { costFileSchema } from "../analysis/cost/cost-file.ts";
import { serviceLevelFileSchema } from "../analysis/service-level/service-level-file.ts";
import { hypothesisFileSchema } from "../analysis/verdict/hypothesis-file.ts";
import { modeSchema, presetSchema } from "../preset/preset.ts";
import { modelFileSchema } from "../route/model-file.ts";
import { capacityStudySchema } from "../workload/capacity-study.ts";
import { roleSchema } from "../workload/role.ts";
import { scenarioSchema } from "../workload/scenario.ts";
import { benchmarkSchema, jobSchema } from "../workload/task-graph.ts";
import { configSchema } from "./config.ts";

/** By their place in the package; a test holds the committed files to this. */
export function schemaDocuments(): Readonly<Record<string, string>> {
  const document = (schema: z.ZodType, title: string): string =>
    `${JSON.stringify({ title, ...z.toJSONSchema(schema, { io: "input" }) }, null, 2)}\n`;
  return {
    "examples/scenario.schema.json": document(scenarioSchema, "Slipway scenario"),
    "examples/role.schema.json": document(roleSchema, "Slipway role"),
    "examples/capacity.schema.json": document(capacityStudySchema, "Slipway capacity study"),
    "examples/slipway.schema.json": document(configSchema, "slipway.yaml"),
    "examples/hypotheses.schema.json": document(hypothesisFileSchema, "Slipway hypotheses"),
    "examples/service-levels.schema.json": document(serviceLevelFileSchema, "Slipway service levels"),
    "examples/costs.schema.json": document(costFileSchema, "Slipway costs"),
    "examples/route-models.schema.json": document(modelFileSchema, "Slipway models to route to"),
    "examples/route-jobs.schema.json": document(
      z.union([benchmarkSchema, jobSchema]),
      "Slipway jobs to route",
    ),
    "examples/preset.schema.json": document(presetSchema, "Slipway preset"),
    "examples/mode.schema.json": document(modeSchema, "Slipway mode"),
  };
}
