import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { realClock } from "../../core/clock.ts";
import type { Check } from "../../fleet/check.ts";
import type { CliIo } from "../io.ts";
import { main } from "../main.ts";

/** Runs the command in a folder of its own with these files, and a program on the PATH. */
function workplace(files: Readonly<Record<string, string>> = {}) {
  const cwd = temporaryDirectory();
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  };
  write("bin/llama-server", "");
  chmodSync(join(cwd, "bin/llama-server"), 0o755);
  for (const [name, text] of Object.entries(files)) write(name, text);
  const slipway = async (...args: readonly string[]) => {
    const said = { out: "", err: "" };
    const io: CliIo = {
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
      errIsTerminal: false,
      outIsTerminal: false,
      outColumns: 100,
      color: false,
      env: { HOME: "/h", PATH: join(cwd, "bin"), SECRET: "s3cret" },
      cwd,
      clock: realClock,
      interrupted: new AbortController().signal,
    };
    const exitCode = await main(["preset", ...args], io);
    // A path in the folder of its own, which differs each time, is part of the hash too.
    const shown = (text: string) => text.replaceAll(cwd, "<here>").replaceAll(/\b[0-9a-f]{16}\b/g, "<hash>");
    return { exitCode, out: shown(said.out), err: shown(said.err) };
  };
  return { slipway, cwd };
}

const OWN = {
  "presets/coder.yaml": `
name: coder
description: Mine
engine: llama-server
model: coder.gguf
slots: 2
contextTokensPerSlot: 8192
kvTypeK: q8_0
kvTypeV: q4_0
chatTemplateArguments: { note: it's mine }
env: { HF_TOKEN: "\${SECRET}", LANG: "C.UTF-8" }
memory: { vramMib: 6000, hostMib: 500 }
`,
  "presets/coder.gguf": "GGUF",
  "presets/own-gguf.yaml": "{ name: own-gguf, engine: ollama, model: 'llama3.2:3b' }",
  "presets/modes/coding.yaml": "{ name: coding, presets: [coder, own-gguf] }",
};

describe("slipway preset list", () => {
  test("shows the shipped presets and modes where there are no others", async () => {
    const { exitCode, out, err } = await workplace().slipway("list");
    expect(out).toMatchSnapshot();
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
  });

  test("says which are the operator's own, and which took a shipped one's place", async () => {
    const { out } = await workplace(OWN).slipway("list");
    expect(out).toMatchSnapshot();
  });

  test("takes the folder from slipway.yaml, and from the flag before it", async () => {
    const files = {
      "slipway.yaml": "presetsDir: one",
      "one/first.yaml": "{ name: first, engine: ollama, model: x }",
      "two/second.yaml": "{ name: second, engine: ollama, model: x }",
    };
    const namesOf = (out: string): readonly string[] =>
      JSON.parse(out).presets.map((one: { readonly preset: { readonly name: string } }) => one.preset.name);
    const { slipway } = workplace(files);
    expect(namesOf((await slipway("list", "--json")).out)).toContain("first");
    const flagged = namesOf((await slipway("list", "--json", "--presets-dir", "two")).out);
    expect(flagged).toContain("second");
    expect(flagged).not.toContain("first");
  });

  test("complains of a folder that was named and is not there", async () => {
    expect(await workplace().slipway("list", "--presets-dir", "none")).toEqual({
      exitCode: 2,
      out: "",
      err: "error FILE_NOT_FOUND: cannot read <here>/none\n  received: ENOENT\n  next: check the path\n",
    });
  });
});

describe("slipway preset show", () => {
  test("hides what its name calls a secret in any of the usual words, and nothing else", async () => {
    const secret = ["HF_PAT", "GIT_CREDENTIALS", "AUTH_HEADER", "OPENAI_API_KEY_2", "APIKEY", "DB_PASSWD"];
    const plain = ["TOKENIZERS_PARALLELISM", "MAX_TOKENS", "PATH_TO_CACHE", "OMP_NUM_THREADS"];
    const env = Object.fromEntries([...secret, ...plain].map((name) => [name, "s3cret"]));
    const preset = { name: "mine", engine: "llama-server", model: "m.gguf", env };
    const { slipway } = workplace({ "presets/mine.yaml": JSON.stringify(preset) });
    const shown = JSON.parse((await slipway("show", "mine", "--json")).out);
    for (const settings of [shown.preset.env, shown.launch.env])
      for (const [name, value] of Object.entries(settings))
        if (name in env) expect([name, value]).toEqual([name, secret.includes(name) ? "(hidden)" : "s3cret"]);
    expect(Object.keys(shown.preset.env)).toEqual([...secret, ...plain]);
  });

  test("has all settings and the line that would be run, but no secret", async () => {
    const { exitCode, out } = await workplace(OWN).slipway("show", "coder");
    expect(out).toMatchSnapshot();
    expect(out).not.toContain("s3cret");
    expect(exitCode).toBe(0);
  });

  test("shows each preset of a mode", async () => {
    const { out } = await workplace(OWN).slipway("show", "hermes-agent-multi");
    expect(out).toMatchSnapshot();
  });

  test("tells a model that is loaded into a running Ollama", async () => {
    const { out } = await workplace(OWN).slipway("show", "own-gguf");
    expect(out).toMatchSnapshot();
  });

  test("gives the arguments as an array in JSON, and no secret either", async () => {
    const { out } = await workplace(OWN).slipway("show", "coder", "--json");
    expect(out).toMatchSnapshot();
    expect(out).not.toContain("s3cret");
  });

  test("shows a line that a shell takes apart into the very arguments", async () => {
    const { slipway, cwd } = workplace(OWN);
    writeFileSync(join(cwd, "bin/llama-server"), `#!/bin/sh\nprintf '%s\\0' "$@"\n`);
    const { launch } = JSON.parse((await slipway("show", "coder", "--json")).out);
    const line = (await slipway("show", "coder")).out.split("\n").find((text) => text.includes("--model"));
    const ran = execFileSync("/bin/sh", ["-c", (line ?? "").replaceAll("<here>", cwd)], {
      env: { PATH: join(cwd, "bin") },
      encoding: "utf8",
    });
    expect(ran.replaceAll(cwd, "<here>").split("\0").slice(0, -1)).toEqual(launch.args);
  });

  test("lists the presets there are when it does not know the name", async () => {
    const { exitCode, err } = await workplace().slipway("show", "nothing");
    expect(err).toMatchInlineSnapshot(`
      "error PRESET_UNKNOWN: no preset has this name
        received: nothing
        next: choose one of gemma4-26b-a4b-q4, gemma4-26b-a4b-q4-multi3-128k, gemma4-26b-a4b-q4-multi5-32k, own-gguf, vllm-embedding-code, or write nothing.yaml
      "
    `);
    expect(exitCode).toBe(2);
  });
});

describe("slipway preset check", () => {
  /** What depends on the machine of the day is left to the tests of preflight. */
  const ofPresets = (out: string) =>
    JSON.parse(out).flatMap((one: Check) =>
      ["model-file", "mmproj-file", "program", "port"].includes(one.id)
        ? [`${one.preset} ${one.id} ${one.passed ? "passed" : one.severity}`]
        : [],
    );

  test("looks at every preset of a mode, and exits with 3 when something is missing", async () => {
    const files = {
      "presets/coder.yaml":
        "{ name: coder, engine: llama-server, program: ../bin/llama-server, model: m.gguf }",
      "presets/m.gguf": "GGUF",
      "presets/lost.yaml":
        "{ name: lost, engine: llama-server, program: ./none, model: l.gguf, mmproj: p.gguf }",
      "presets/modes/both.yaml": "{ name: both, presets: [coder, lost] }",
    };
    const { slipway } = workplace(files);
    const { exitCode, out } = await slipway("check", "both", "--json");
    expect(ofPresets(out)).toEqual([
      "coder model-file passed",
      "coder program passed",
      "lost model-file error",
      "lost mmproj-file error",
      "lost program error",
    ]);
    expect(exitCode).toBe(3);
    expect((await slipway("check", "both")).out).toContain(
      "✗ lost          model-file: <here>/presets/l.gguf does not exist",
    );
  });

  test("sees that a fixed port is taken", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const { slipway } = workplace({
      "presets/fixed.yaml": `{ name: fixed, engine: command, command: [/bin/sh], port: ${port} }`,
    });
    const { exitCode, out } = await slipway("check", "fixed", "--json");
    expect(ofPresets(out)).toEqual(["fixed program passed", "fixed port error"]);
    expect(exitCode).toBe(3);
  });
});
