import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { presetsAsTheyAre } from "./preset-folders.ts";

function write(cwd: string, slots: number): void {
  mkdirSync(join(cwd, "presets"), { recursive: true });
  writeFileSync(
    join(cwd, "presets", "mine.yaml"),
    `name: mine\nengine: llama-server\nmodel: ./m.gguf\nslots: ${slots}\n`,
  );
}

describe("presets for one who asks again and again", () => {
  it("are read again when a file was written, added or taken away, and only then", () => {
    const cwd = temporaryDirectory();
    const presets = presetsAsTheyAre({ cwd, env: {} }, undefined);
    expect(presets().presets.has("mine")).toBe(false);
    write(cwd, 2);
    const first = presets();
    expect(first.presets.get("mine")?.preset.slots).toBe(2);
    expect(presets()).toBe(first);
    write(cwd, 3);
    expect(presets().presets.get("mine")?.preset.slots).toBe(3);
    rmSync(join(cwd, "presets", "mine.yaml"));
    expect(presets().presets.has("mine")).toBe(false);
  });

  it("fail while a file is broken, and are there again when it is mended", () => {
    const cwd = temporaryDirectory();
    write(cwd, 2);
    const presets = presetsAsTheyAre({ cwd, env: {} }, undefined);
    presets();
    write(cwd, -1);
    expect(presets).toThrow(/slots/);
    expect(presets).toThrow(/slots/);
    write(cwd, 4);
    expect(presets().presets.get("mine")?.preset.slots).toBe(4);
  });
});
