import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sampleManifest, sampleTrial } from "../../test/fakes/sample-records.ts";
import { temporaryDirectory } from "../../test/fakes/temporary-directory.ts";
import { VirtualClock } from "../core/clock.ts";
import { findRun, listRuns } from "./list-runs.ts";
import { createRunDirectory } from "./run-directory.ts";

const clock = new VirtualClock();
const IDS = [
  "20261120T105312Z-chimera_homo-3fa9",
  "20261120T105312Z-chimera_hetero-00b1",
  "20261121T080000Z-solo-77c0",
];

function runs(): string {
  const runsDir = temporaryDirectory();
  for (const runId of IDS)
    createRunDirectory({ runsDir, manifest: sampleManifest({ runId }), durable: false, clock }).close(
      "complete",
    );
  return runsDir;
}

describe("the list", () => {
  test("is in the order of time, counts complete trials once and passes over what is no run", () => {
    const runsDir = runs();
    mkdirSync(join(runsDir, "notes"));
    writeFileSync(join(runsDir, "a-file"), "");
    const line = `${JSON.stringify(sampleTrial())}\n`;
    writeFileSync(join(runsDir, IDS[0] as string, "trials.jsonl"), line + line);
    expect(listRuns(runsDir)).toMatchObject([
      { kind: "readable", runId: IDS[1], status: "complete", completeTrials: 0 },
      { kind: "readable", runId: IDS[0], status: "complete", completeTrials: 1 },
      { kind: "readable", runId: IDS[2], status: "complete", completeTrials: 0 },
    ]);
  });

  test("shows a damaged run instead of failing over it", () => {
    const runsDir = runs();
    writeFileSync(join(runsDir, IDS[2] as string, "manifest.json"), "{");
    expect(listRuns(runsDir)[2]).toMatchObject({ kind: "unreadable", runId: IDS[2], code: "RUN_DAMAGED" });
  });

  test("of a directory that does not exist is empty", () => {
    expect(listRuns(join(temporaryDirectory(), "none"))).toEqual([]);
  });

  test("tells a run that is being written from one whose writer let go without a word", () => {
    const runsDir = temporaryDirectory();
    const writer = createRunDirectory({ runsDir, manifest: sampleManifest(), durable: false, clock });
    expect(listRuns(runsDir)).toMatchObject([{ status: "running" }]);
    // What a killed writer leaves, once its process is gone: the emptied lock stands for a free one.
    writeFileSync(join(writer.path, "writer-1.lock"), "");
    expect(listRuns(runsDir)).toMatchObject([{ status: "interrupted" }]);
  });
});

describe("a run is found", () => {
  test("by its id, by a beginning that only it has, and by its path", () => {
    const runsDir = runs();
    expect(findRun(runsDir, IDS[0] as string, "/")).toBe(join(runsDir, IDS[0] as string));
    expect(findRun(runsDir, "20261121", "/")).toBe(join(runsDir, IDS[2] as string));
    expect(findRun("elsewhere", `./${IDS[2]}`, runsDir)).toBe(join(runsDir, IDS[2] as string));
  });

  test("by the name of its folder here, where no run of the runs directory has that id", () => {
    const runsDir = runs();
    const here = runs();
    renameSync(join(here, IDS[2] as string), join(here, "2026"));
    expect(findRun(runsDir, "2026", here)).toBe(join(here, "2026"));
    expect(findRun(runsDir, IDS[0] as string, here)).toBe(join(runsDir, IDS[0] as string));
    expect(() => findRun(runsDir, "", join(here, "2026"))).toThrow(
      expect.objectContaining({ code: "RUN_NOT_FOUND" }),
    );
  });

  test("not by a beginning that several have: they are named", () => {
    expect(() => findRun(runs(), "20261120", "/")).toThrow(
      expect.objectContaining({
        code: "RUN_NOT_FOUND",
        message: expect.stringMatching(/^2 runs .* begin so$/) as string,
        nextStep: `give one of: ${IDS[1]}, ${IDS[0]}`,
      }),
    );
  });

  test.each([
    ["20261120T105312Z-chimera_homo-3fa8", IDS[0]],
    ["solo-77c1", IDS[2]],
  ])("not by %s, but the nearest name is given", (name, nearest) => {
    expect(() => findRun(runs(), name, "/")).toThrow(
      expect.objectContaining({
        code: "RUN_NOT_FOUND",
        nextStep: expect.stringMatching(new RegExp(`^give one of: ${nearest}`)) as string,
      }),
    );
  });

  test("not by an empty name or by nonsense", () => {
    const runsDir = runs();
    for (const name of ["", "zzzzzzzz", "../../etc"])
      expect(() => findRun(runsDir, name, "/")).toThrow(
        expect.objectContaining({ code: "RUN_NOT_FOUND", received: name }),
      );
  });
});
