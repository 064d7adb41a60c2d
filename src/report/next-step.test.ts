import { describe, expect, it } from "vitest";
import type { MadeRequest } from "../../test/fakes/recorded-run.ts";
import { madeRun } from "../../test/fakes/recorded-run.ts";
import { analyseRun } from "../analysis/analyse-run.ts";
import type { RunManifest } from "../record/run-manifest.ts";
import { nextStep } from "./next-step.ts";

const answered: MadeRequest = { ttftMs: 100, tokens: 11, decodeMs: 100 };

function nextOf(manifest: Partial<RunManifest>, request = answered, runDirectory?: string): string {
  return nextStep(
    analyseRun(madeRun([{ kind: "together", agents: { a: [request] } }], manifest)),
    runDirectory,
  );
}

describe("what to do next", () => {
  it("is the same benchmark with more repeats, every flag and path of it kept", () => {
    const command = ["slipway", "bench", "my scenario.yaml", "-e", "a=http://gpu:8000", "--agents", "1,2,4"];
    const expected =
      "slipway bench 'my scenario.yaml' -e a=http://gpu:8000 --agents 1,2,4 --runs 5   (intervals need repeats)";
    expect(nextOf({ command })).toBe(expected);
    expect(nextOf({ command: [...command, "--runs", "2"] })).toBe(expected);
    expect(nextOf({ command: [...command, "--runs=2"] })).toBe(expected);
  });

  it("can be pasted into a shell, whatever stands in an argument", () => {
    expect(nextOf({ command: ["slipway", "bench", "--model", "it's $HOME; rm *"] })).toContain(
      String.raw`--model 'it'\''s $HOME; rm *' --runs 5`,
    );
  });

  it("is to look at the run where no benchmark made it", () => {
    for (const command of [["runs", "import", "a.json"], ["slipway", "record"], []])
      expect(nextOf({ command })).toBe("slipway runs show 20260102T030405Z-made-0001");
  });

  it("is to go on where the run is not whole", () => {
    expect(nextOf({ status: "interrupted" }, answered, "my runs/1")).toBe(
      "slipway bench --resume 'my runs/1'",
    );
  });

  it("is to see what answers where nothing did", () => {
    const refused = {
      ...answered,
      record: {
        outcome: { kind: "failed", code: "ENDPOINT_REFUSED", message: "refused", afterFirstToken: false },
      },
    } as const;
    expect(nextOf({}, refused)).toContain("slipway doctor");
  });
});
