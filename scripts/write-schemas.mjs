/** Writes the JSON Schemas that editors use for scenarios and slipway.yaml. Run after `npm run build`. */
import { writeFileSync } from "node:fs";
import { schemaDocuments } from "../dist/cli/schemas.js";

for (const [path, text] of Object.entries(schemaDocuments()))
  writeFileSync(new URL(`../${path}`, import.meta.url), text);
