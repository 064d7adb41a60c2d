/**
 * A preset file's texts as the machine at hand reads them: `${NAME}` and `${NAME:-otherwise}` from
 * the environment, `~/` as the home folder, relative paths from the file's own folder. So one file
 * serves machines that keep their models in different places, and no secret has to stand in it.
 */
import { homedir } from "node:os";
import { dirname, resolve } from "node:path";
import { OperatorError } from "../core/errors.ts";
import type { Preset } from "./preset.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** `$${` is a plain `${`; a `${` that begins no name is a mistake rather than a text. */
const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

/** The preset with every text filled in and every path absolute. Throws CONFIG_INVALID. */
export function expandPreset(preset: Preset, path: string, environment: Environment): Preset {
  const fill = (field: string, text: string): string => filledIn(text, { path, field, text, environment });
  const inFolder = (filled: string): string => resolve(dirname(path), filled);
  const file = (field: string, text: string): string => inFolder(fill(field, text));
  /** A word alone is looked for on the PATH. */
  const program = (field: string, text: string): string => {
    const filled = fill(field, text);
    return filled.includes("/") ? inFolder(filled) : filled;
  };
  const shared = {
    env: Object.fromEntries(
      Object.entries(preset.env).map(([name, text]) => [name, fill(`env.${name}`, text)]),
    ),
    extraArgs: preset.extraArgs.map((text, index) => fill(`extraArgs.${index}`, text)),
  };
  switch (preset.engine) {
    case "llama-server":
      return {
        ...preset,
        ...shared,
        program: program("program", preset.program),
        model: file("model", preset.model),
        ...(preset.mmproj !== undefined && { mmproj: file("mmproj", preset.mmproj) }),
        ...(preset.draftModel !== undefined && { draftModel: file("draftModel", preset.draftModel) }),
      };
    case "vllm": {
      const model = fill("model", preset.model);
      // What does not begin like a path is a name on the model hub.
      const isFolder = /^[./]/.test(model);
      return {
        ...preset,
        ...shared,
        program: program("program", preset.program),
        model: isFolder ? inFolder(model) : model,
      };
    }
    case "ollama":
      return {
        ...preset,
        ...shared,
        program: program("program", preset.program),
        model: fill("model", preset.model),
      };
    case "command":
      return {
        ...preset,
        ...shared,
        command: preset.command.map((text, index) =>
          index === 0 ? program("command.0", text) : fill(`command.${index}`, text),
        ),
        ...(preset.model !== undefined && { model: fill("model", preset.model) }),
      };
  }
}

/** Where a text stands, for the error. */
interface Place {
  readonly path: string;
  readonly field: string;
  readonly text: string;
  readonly environment: Environment;
}

function filledIn(text: string, place: Place): string {
  const filled = text.replace(REFERENCE, (whole, name: string | undefined, otherwise: string | undefined) => {
    if (whole === "$${") return "${";
    return name === undefined ? refuseReference(place) : variable(name, otherwise, place);
  });
  if (filled !== "~" && !filled.startsWith("~/")) return filled;
  return (place.environment["HOME"] || homedir()) + filled.slice(1);
}

/** As in a shell, `:-` also steps in for a variable that is empty: no path or setting is meant to be. */
function variable(
  name: string,
  otherwise: string | undefined,
  { path, field, text, environment }: Place,
): string {
  const value = environment[name] || otherwise;
  if (value !== undefined) return value;
  throw new OperatorError("CONFIG_INVALID", {
    message: `${path}: field ${field}: names the variable ${name}, which is not set`,
    received: `${field} = ${JSON.stringify(text)}`,
    nextStep: `set ${name}, or write what to take without it: \${${name}:-…}`,
  });
}

function refuseReference({ path, field, text }: Place): never {
  throw new OperatorError("CONFIG_INVALID", {
    message: `${path}: field ${field}: holds a reference that cannot be read`,
    received: `${field} = ${JSON.stringify(text)}`,
    nextStep: "write ${NAME} or ${NAME:-otherwise}; a plain dollar and brace is written $${",
  });
}
