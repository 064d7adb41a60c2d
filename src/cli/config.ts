/**
 * `slipway.yaml` in the working folder: what an operator would otherwise repeat on every command
 * line. Flags win over the file, the file over defaults.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readYamlFile } from "../core/yaml.ts";
import { endpointSchema } from "../workload/scenario.ts";

export const CONFIG_FILE = "slipway.yaml";

export const configSchema = z.strictObject({
  /** Where run directories go. */
  runsDir: z.string().min(1).optional(),
  /** The operator's own presets, and modes in its folder `modes`. */
  presetsDir: z.string().min(1).optional(),
  /** The model of agents that name none. */
  model: z.string().min(1).optional(),
  /** Repeats of every cell. */
  runs: z.int().min(1).optional(),
  seed: z.int().min(0).optional(),
  /** Servers by the names that shipped scenarios use: a, b. */
  endpoints: z.record(z.string(), endpointSchema).optional(),
});

export type SlipwayConfig = z.output<typeof configSchema>;

/** The file's settings; empty when there is no file. Throws CONFIG_INVALID and YAML_SYNTAX. */
export function readConfig(cwd: string): SlipwayConfig {
  const path = join(cwd, CONFIG_FILE);
  return existsSync(path) ? readYamlFile(configSchema, path) : {};
}
