import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { makeFolder, writeFileWhole } from "./file.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a whole file", () => {
  it("replaces the old one, makes the folders above it, and leaves nothing beside it", () => {
    const path = join(folder, "a/b/report.md");
    writeFileWhole(path, "old");
    writeFileWhole(path, "new");
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(readdirSync(join(folder, "a/b"))).toEqual(["report.md"]);
  });

  it("whose path leads through a file is an operator's error, not ours", () => {
    writeFileSync(join(folder, "plain"), "");
    expect(() => writeFileWhole(join(folder, "plain/report.md"), "x")).toThrow(
      expect.objectContaining({ code: "DIRECTORY_UNWRITABLE" }),
    );
  });
});

describe("a folder", () => {
  it("that is there already is fine, and a file in its place is not", () => {
    makeFolder(join(folder, "x/y"));
    makeFolder(join(folder, "x/y"));
    writeFileSync(join(folder, "file"), "");
    expect(() => makeFolder(join(folder, "file/below"))).toThrow(
      expect.objectContaining({ code: "ENOTDIR" }),
    );
  });
});
