/** The knee as a preset and a mode. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { BYTES_PER_MIB } from "../../core/units.ts";
import { makeFolder } from "../../core/file.ts";
import type { StartRecord } from "../../experiment/start-record.ts";
import type { LlamaServerPreset } from "../../preset/preset.ts";
import { presetSchema } from "../../preset/preset.ts";
import { readPresets } from "../../preset/read-presets.ts";
import type { ChosenCell } from "./write-preset.ts";
import { presetFiles, writePresetFiles } from "./write-preset.ts";

const START: StartRecord = {
  cell: "2x8k",
  preset: "own-2x8k",
  configuration: { slots: 2, contextTokensPerSlot: 8192 },
  outcome: { kind: "fits" },
  pool: "gpu",
  predictedBytes: 1,
  usedBytes: 900.5 * BYTES_PER_MIB,
  compared: [],
};

function chosen(folder: string, more: Partial<ChosenCell> = {}): ChosenCell {
  const basePath = join(folder, "own.yaml");
  writeFileSync(
    basePath,
    'name: own\nengine: llama-server\nmodel: "${MODELS}/own.gguf"\nmmproj: ./projector.gguf\nthreads: 3\nport: 8123\n',
  );
  const base = presetSchema.parse({
    name: "own",
    engine: "llama-server",
    model: "/models/own.gguf",
    mmproj: join(folder, "projector.gguf"),
    threads: 3,
    port: 8123,
  });
  return {
    base: base as LlamaServerPreset,
    basePath,
    beside: ["embed"],
    cell: {
      name: "2x8k",
      configuration: { slots: 2, contextTokensPerSlot: 8192 },
      vision: "as-preset",
      agents: [],
    },
    start: START,
    reason: "2 slots: the highest rate.",
    runId: "run-1",
    ...more,
  };
}

describe("the knee's preset", () => {
  it("is read back as the cell's server, with references kept and what was measured declared", () => {
    const folder = temporaryDirectory();
    const files = presetFiles(chosen(folder));
    expect(files.presetText).toContain("model: ${MODELS}/own.gguf");
    writeFileSync(
      join(folder, "embed.yaml"),
      "name: embed\nengine: llama-server\nmodel: /models/embed.gguf\n",
    );
    expect(writePresetFiles(folder, files)).toMatchObject({ kind: "written" });
    const { presets, modes } = readPresets([folder], { MODELS: "/elsewhere" });
    expect(presets.get("own-2x8k")?.preset).toMatchObject({
      model: "/elsewhere/own.gguf",
      mmproj: join(folder, "projector.gguf"),
      slots: 2,
      contextTokensPerSlot: 8192,
      threads: 3,
      port: 8123,
      memory: { vramMib: 901 },
    });
    expect(modes.get("own-knee")?.mode.presets).toEqual(["embed", "own-2x8k"]);
  });

  it("has no projector where the cell had none", () => {
    const of = chosen(temporaryDirectory());
    expect(presetFiles({ ...of, cell: { ...of.cell, vision: "off" } }).presetText).not.toContain("mmproj");
  });

  it("replaces what an earlier sweep wrote, and nothing that is somebody's own", () => {
    const folder = temporaryDirectory();
    const files = presetFiles(chosen(folder));
    expect(writePresetFiles(folder, files).kind).toBe("written");
    expect(writePresetFiles(folder, files).kind).toBe("written");
    const other = temporaryDirectory();
    makeFolder(join(other, "modes"));
    const own = join(other, "modes", "own-knee.yaml");
    writeFileSync(own, "name: own-knee\npresets: [mine]\n");
    expect(writePresetFiles(other, files)).toEqual({ kind: "in-the-way", path: own });
    expect(readFileSync(own, "utf8")).toContain("mine");
    expect(existsSync(join(other, "own-2x8k.yaml"))).toBe(false);
  });
});
