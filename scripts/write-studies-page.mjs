/** Writes docs/studies.md from the shipped study files. Run after `npm run build`. */
import { writeFileSync } from "node:fs";
import { shippedStudiesPage } from "../dist/cli/report/shipped-studies.js";

writeFileSync(new URL("../docs/studies.md", import.meta.url), shippedStudiesPage());
