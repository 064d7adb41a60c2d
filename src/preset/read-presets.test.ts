import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "../../test/fakes/temporary-directory.ts";
import { OperatorError, renderOperatorError } from "../core/errors.ts";
import { presetNamed, presetsOfMode } from "./catalogue.ts";
import type { Environment } from "./expand.ts";
import { readPresets } from "./read-presets.ts";

type Files = Readonly<Record<string, string | Uint8Array>>;

function folderOf(files: Files): string {
  const folder = temporaryDirectory();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

function read(files: Files, environment: Environment = {}) {
  return readPresets([folderOf(files)], environment);
}

/** What a person would see, without the folder's random name. */
function complaint(action: () => unknown): string {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof OperatorError)
      return renderOperatorError(thrown).replaceAll(/\/\S*slipway-test-[^/\s]+/g, "<folder>");
    throw thrown;
  }
  throw new Error("it did not complain");
}

const llama = (name: string, more = "") =>
  `{ name: ${name}, engine: llama-server, model: ${name}.gguf${more === "" ? "" : `, ${more}`} }`;
const mode = (name: string, ...presets: readonly string[]) =>
  `{ name: ${name}, presets: [${presets.join(", ")}] }`;

describe("a field with few values", () => {
  test.each<[what: string, text: string, message: string]>([
    [
      "an engine",
      "{ name: a, engine: llamaserver, model: a.gguf }",
      'field engine: llama-server, vllm, ollama or command\nreceived: engine = "llamaserver"',
    ],
    [
      "no engine",
      "{ name: a, model: a.gguf }",
      "field engine: llama-server, vllm, ollama or command\nreceived: engine = undefined",
    ],
    [
      "a port in quotes",
      llama("a", 'port: "8080"'),
      'field port: free, or a whole number from 1 to 65535, without quotes\nreceived: port = "8080"',
    ],
    [
      "layers in quotes",
      llama("a", 'gpuLayers: "20"'),
      'field gpuLayers: all, auto, or a whole number of layers, without quotes\nreceived: gpuLayers = "20"',
    ],
  ])("names them, and what stands there instead: %s", (_what, text, message) => {
    expect(complaint(() => read({ "a.yaml": text })).replaceAll(/\n\s*/g, "\n")).toContain(message);
  });
});

describe("a folder of presets", () => {
  test("gives presets and modes by name, each with its file", () => {
    const folder = folderOf({
      "b.yaml": llama("b"),
      "a.yml": llama("a"),
      "modes/both.yaml": mode("both", "b", "a"),
      "README.md": "not a preset",
      ".#b.yaml": "an editor's lock",
    });
    const catalogue = readPresets([folder], {});
    expect([...catalogue.presets.keys()]).toEqual(["a", "b"]);
    expect(catalogue.presets.get("a")?.path).toBe(join(folder, "a.yml"));
    expect(catalogue.modes.get("both")?.path).toBe(join(folder, "modes/both.yaml"));
    expect(presetsOfMode(catalogue, "both").map(({ preset }) => preset.name)).toEqual(["b", "a"]);
  });

  test("may have no modes", () => {
    expect(read({ "a.yaml": llama("a") }).modes.size).toBe(0);
  });

  test("takes the place of an earlier one, name by name", () => {
    const shipped = folderOf({ "a.yaml": llama("a"), "b.yaml": llama("b"), "modes/m.yaml": mode("m", "a") });
    const own = folderOf({ "a.yaml": llama("a", "slots: 7"), "modes/m.yaml": mode("m", "b") });
    const catalogue = readPresets([shipped, own], {});
    expect(catalogue.presets.get("a")).toMatchObject({
      path: join(own, "a.yaml"),
      replaces: join(shipped, "a.yaml"),
      preset: { slots: 7 },
    });
    expect(catalogue.presets.get("b")?.replaces).toBeUndefined();
    expect(catalogue.modes.get("m")).toMatchObject({
      mode: { presets: ["b"] },
      replaces: join(shipped, "modes/m.yaml"),
    });
  });

  test("named twice, or through a link, is read once", () => {
    const folder = folderOf({ "a.yaml": llama("a") });
    const link = join(temporaryDirectory(), "link");
    symlinkSync(folder, link);
    expect(readPresets([folder, link], {}).presets.get("a")?.replaces).toBeUndefined();
  });

  test("that is not there is an error", () => {
    expect(complaint(() => readPresets([join(temporaryDirectory(), "none")], {}))).toMatchInlineSnapshot(`
      "error FILE_NOT_FOUND: cannot read <folder>/none
        received: ENOENT
        next: check the path"
    `);
  });
});

describe("paths and variables", () => {
  const environment = { HOME: "/h", MODELS: "/m", EMPTY: "" };
  const filled = (text: string) => {
    const folder = folderOf({ "a.yaml": `{ name: a, engine: llama-server, model: '${text}' }` });
    const { preset } = presetNamed(readPresets([folder], environment), "a");
    return preset.model?.replace(folder, "<folder>");
  };

  test.each([
    ["x.gguf", "<folder>/x.gguf"],
    ["../x.gguf", expect.not.stringContaining("..")],
    ["/models/x.gguf", "/models/x.gguf"],
    ["~/x.gguf", "/h/x.gguf"],
    ["${MODELS}/x.gguf", "/m/x.gguf"],
    ["${MODELS}/${MODELS}/x.gguf", "/m/m/x.gguf"],
    ["${NONE:-~/models}/x.gguf", "/h/models/x.gguf"],
    ["${EMPTY:-/e}/x.gguf", "/e/x.gguf"],
    ["$${MODELS}/x.gguf", "<folder>/${MODELS}/x.gguf"],
    ["a~b$c.gguf", "<folder>/a~b$c.gguf"],
  ])("the model %s is %s", (text, expected) => {
    expect(filled(text)).toEqual(expected);
  });

  test("a variable that is not set is an error that names it and its field", () => {
    expect(complaint(() => filled("${NONE}/x.gguf"))).toMatchInlineSnapshot(`
      "error CONFIG_INVALID: <folder>/a.yaml: field model: names the variable NONE, which is not set
        received: model = "\${NONE}/x.gguf"
        next: set NONE, or write what to take without it: \${NONE:-…}"
    `);
  });

  test("a reference that is not closed is an error", () => {
    expect(complaint(() => filled("${MODELS/x.gguf"))).toMatchInlineSnapshot(`
      "error CONFIG_INVALID: <folder>/a.yaml: field model: holds a reference that cannot be read
        received: model = "\${MODELS/x.gguf"
        next: write \${NAME} or \${NAME:-otherwise}; a plain dollar and brace is written $\${"
    `);
  });

  test("what a variable brings in is held to the same rules", () => {
    const files = { "a.yaml": llama("a", "extraArgs: ['${MORE}']") };
    expect(complaint(() => read(files, { MORE: "--port" }))).toContain(
      "<folder>/a.yaml: field extraArgs.0: --port cannot stand here: the field port decides it",
    );
  });

  test("a program alone stays a word for the PATH, a vLLM model alone a name on its hub", () => {
    const folder = folderOf({
      "a.yaml": "{ name: a, engine: vllm, program: vllm, model: Qwen/Qwen3-Embedding-0.6B }",
      "b.yaml": "{ name: b, engine: vllm, program: ./venv/bin/vllm, model: ./models/x }",
    });
    const { presets } = readPresets([folder], {});
    expect(presets.get("a")?.preset).toMatchObject({ program: "vllm", model: "Qwen/Qwen3-Embedding-0.6B" });
    expect(presets.get("b")?.preset).toMatchObject({
      program: join(folder, "venv/bin/vllm"),
      model: join(folder, "models/x"),
    });
  });

  test("the environment and extra arguments are filled in, so that no secret stands in a file", () => {
    const { preset } = presetNamed(
      read(
        { "a.yaml": llama("a", "env: { HF_TOKEN: '${SECRET}' }, extraArgs: [--lora, '~/l.gguf']") },
        {
          HOME: "/h",
          SECRET: "s",
        },
      ),
      "a",
    );
    expect(preset).toMatchObject({ env: { HF_TOKEN: "s" }, extraArgs: ["--lora", "/h/l.gguf"] });
  });
});

describe("what cannot be used is refused with the file, the field, the value, the rule and the next step", () => {
  test.each<[string, Files]>([
    ["a name that is not the file's", { "a.yaml": llama("b") }],
    ["one name in two files", { "a.yaml": llama("a"), "a.yml": llama("a") }],
    ["a mode with an unknown preset", { "a.yaml": llama("a"), "modes/m.yaml": mode("m", "a", "x") }],
    ["a mode that lists one preset twice", { "a.yaml": llama("a"), "modes/m.yaml": mode("m", "a", "a") }],
    ["a mode with a preset's name", { "a.yaml": llama("a"), "modes/a.yaml": mode("a", "a") }],
    ["a dependency that is no preset", { "a.yaml": llama("a", "dependsOn: [x]") }],
    [
      "a circle of dependencies",
      {
        "a.yaml": llama("a", "dependsOn: [b]"),
        "b.yaml": llama("b", "dependsOn: [c]"),
        "c.yaml": llama("c", "dependsOn: [b]"),
      },
    ],
    ["a preset that depends on itself", { "a.yaml": llama("a", "dependsOn: [a]") }],
    [
      "a dependency outside the mode",
      { "a.yaml": llama("a", "dependsOn: [b]"), "b.yaml": llama("b"), "modes/m.yaml": mode("m", "a") },
    ],
    [
      "one fixed port twice in a mode",
      {
        "a.yaml": llama("a", "port: 8081"),
        "b.yaml": llama("b", "port: 8081"),
        "modes/m.yaml": mode("m", "a", "b"),
      },
    ],
    [
      "a port that Ollama has already",
      {
        "a.yaml": llama("a", "port: 11434"),
        "b.yaml": "{ name: b, engine: ollama, model: x }",
        "modes/m.yaml": mode("m", "b", "a"),
      },
    ],
    ["bytes that are not UTF-8", { "a.yaml": Uint8Array.of(0x61, 0x3a, 0x20, 0xff) }],
    ["a file too large to be a preset", { "a.yaml": "#".repeat(5 * 1024 * 1024) }],
    ["a folder by the name of a file", { "a.yaml/x": "" }],
    ["an empty file", { "a.yaml": "" }],
    ["an unknown engine", { "a.yaml": "{ name: a, engine: tgi, model: x }" }],
  ])("%s", (_what, files) => {
    expect(complaint(() => read(files))).toMatchSnapshot();
  });

  test("a nesting that overflows the parser", () => {
    expect(complaint(() => read({ "a.yaml": "[".repeat(20_000) }))).toContain(
      "received: lists or maps nested too deeply",
    );
  });

  test("aliases that would explode", () => {
    const lines = ["x0: &x0 [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"];
    for (let level = 1; level < 8; level++)
      lines.push(
        `x${level}: &x${level} [${Array(10)
          .fill(`*x${level - 1}`)
          .join(", ")}]`,
      );
    expect(complaint(() => read({ "a.yaml": lines.join("\n") }))).toContain("YAML_SYNTAX");
  });

  test("many presets that all depend on all later ones are checked at once, not way by way", () => {
    const names = Array.from({ length: 60 }, (_, index) => `p${String(index).padStart(2, "0")}`);
    const files = Object.fromEntries(
      names.map((name, index) => [
        `${name}.yaml`,
        llama(name, `dependsOn: [${names.slice(index + 1).join(", ")}]`),
      ]),
    );
    expect(read(files).presets.size).toBe(60);
  });
});

describe("one port may stand in", () => {
  test("two modes, or two presets that share a running Ollama", () => {
    const catalogue = read({
      "a.yaml": llama("a", "port: 8081"),
      "b.yaml": llama("b", "port: 8081"),
      "c.yaml": "{ name: c, engine: ollama, model: x }",
      "d.yaml": "{ name: d, engine: ollama, model: y, port: 11434 }",
      "modes/m.yaml": mode("m", "a", "c", "d"),
      "modes/n.yaml": mode("n", "b"),
    });
    expect(catalogue.modes.size).toBe(2);
  });
});

describe("an unknown name", () => {
  const catalogue = () => read({ "a.yaml": llama("a"), "modes/m.yaml": mode("m", "a") });

  test("says which there are", () => {
    expect(complaint(() => presetNamed(catalogue(), "x"))).toMatchInlineSnapshot(`
      "error PRESET_UNKNOWN: no preset has this name
        received: x
        next: choose one of a, or write x.yaml"
    `);
  });

  test("that is the other kind's says so", () => {
    expect(complaint(() => presetsOfMode(catalogue(), "a"))).toMatchInlineSnapshot(`
      "error MODE_UNKNOWN: no mode has this name; a is a preset
        received: a
        next: choose one of m, or write modes/a.yaml"
    `);
  });
});

describe("the hash of a preset", () => {
  // The model's path is part of it, so the file is the same absolute one everywhere.
  const model = "model: /m.gguf";
  const plain = () =>
    read({ "a.yaml": `{ name: a, engine: llama-server, ${model} }` }).presets.get("a")?.hash;
  const withMore = (more: string) =>
    read({ "a.yaml": `{ ${more}, engine: llama-server, name: a, ${model} }` }).presets.get("a")?.hash;

  test("does not depend on the order of fields, nor on whether a default is written out", () => {
    expect(withMore("slots: 1")).toBe(plain());
  });

  test.each(["slots: 2", "port: 8081", "env: { A: b }", "extraArgs: [--mlock]", "flashAttention: auto"])(
    "changes with %s, which the server was started with",
    (more) => {
      expect(withMore(more)).not.toBe(plain());
    },
  );

  test.each([
    "priority: 1",
    "description: d",
    "memory: { vramMib: 1 }",
    "startLimitMs: 1",
    "drainLimitMs: 1",
    "stopGraceMs: 1",
  ])("stays with %s, which only the supervisor reads", (more) => {
    expect(withMore(more)).toBe(plain());
  });

  test("follows the variables that the file names", () => {
    const of = (value: string) =>
      read({ "a.yaml": "{ name: a, engine: llama-server, model: '/${A}.gguf' }" }, { A: value }).presets.get(
        "a",
      )?.hash;
    expect(of("x")).not.toBe(of("y"));
  });
});
