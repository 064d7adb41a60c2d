/** Roles by name: those that ship in the package's folder `roles`, or any YAML file by its path. */
import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { OperatorError } from "../core/errors.ts";
import { readYamlFile } from "../core/yaml.ts";
import type { Role } from "./role.ts";
import { roleSchema } from "./role.ts";

const SHIPPED_FOLDER = fileURLToPath(new URL("../../roles/", import.meta.url));

/** In the order of their files. */
export function shippedRoles(): readonly Role[] {
  return readdirSync(SHIPPED_FOLDER)
    .filter((file) => file.endsWith(".yaml"))
    .sort()
    .map((file) => readYamlFile(roleSchema, resolve(SHIPPED_FOLDER, file)));
}

/**
 * A shipped role by its name, in whatever case, or a file by its path, taken from `folder`. What
 * has a slash or ends in `.yaml` is a path. Throws ROLE_UNKNOWN, and what reading a file throws.
 */
export function readRole(nameOrFile: string, folder: string): Role {
  if (/[/\\]|\.ya?ml$/i.test(nameOrFile)) return readYamlFile(roleSchema, resolve(folder, nameOrFile));
  const shipped = shippedRoles();
  const role = shipped.find(({ name }) => name.toLowerCase() === nameOrFile.toLowerCase());
  if (role === undefined)
    throw new OperatorError("ROLE_UNKNOWN", {
      message: "no shipped role has this name",
      received: nameOrFile,
      nextStep: `choose one of ${shipped.map(({ name }) => name).join(", ")}, or give the path of a YAML file such as ./my-role.yaml`,
    });
  return role;
}
