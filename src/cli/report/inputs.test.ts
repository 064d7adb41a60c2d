import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { twoAgentRun } from "../../../test/fakes/two-agent-run.ts";
import { analyseRun } from "../../analysis/analyse-run.ts";
import { OperatorError } from "../../core/errors.ts";
import { renderSectionText } from "../../report/section/section-text.ts";
import { judgeRun, readReportInputs, studyJudgements } from "./inputs.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

const analysis = analyseRun(
  twoAgentRun([{ cell: "chimera_homo", togetherTokS: [56, 57, 58, 57, 56] }], { scenario: "made" }),
);

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (thrown) {
    return thrown instanceof OperatorError ? thrown.code : String(thrown);
  }
  return undefined;
}

describe("the files a report judges by", () => {
  it("are found by the name of a shipped one or by their path", () => {
    const shipped = readReportInputs({ costs: "my-gpu", serviceLevels: "dual-instance-study" }, "/");
    expect(shipped.costs?.title).toBe("One card against two");
    const path = readReportInputs({ hypotheses: "examples/hypotheses/my-run.yaml" }, ROOT);
    expect(path.hypotheses?.hypotheses).toHaveLength(2);
  });

  it("are refused with their field, and not read where they are about a study", () => {
    const folder = temporaryDirectory();
    writeFileSync(
      join(folder, "bad.yaml"),
      "version: 1\ntitle: made\ntargets:\n  - { metric: speed, above: 1 }\n",
    );
    expect(codeOf(() => readReportInputs({ serviceLevels: "bad.yaml" }, folder))).toBe("CONFIG_INVALID");
    expect(codeOf(() => readReportInputs({ costs: "nowhere.yaml" }, folder))).toBe("FILE_NOT_FOUND");
    expect(codeOf(() => readReportInputs({ hypotheses: "kernel-profiling" }, folder))).toBe("FLAG_INVALID");
  });
});

describe("a judged run", () => {
  it("exits 1 for a missed level, 4 for one that cannot be told, and 0 without levels", () => {
    const exitOf = (serviceLevels: string) =>
      judgeRun(readReportInputs({ serviceLevels, costs: "dual-instance-study" }, ROOT), analysis).exit;
    expect(exitOf("dual-instance-study")).toBe(1);
    expect(exitOf("concurrent-agents")).toBe(0);
    expect(judgeRun(readReportInputs({ serviceLevels: "dual-instance-study" }, ROOT), analysis).exit).toBe(4);
    expect(judgeRun(readReportInputs({ hypotheses: "my-run" }, ROOT), analysis).exit).toBe(0);
  });

  it("prints the verdicts on a run of one's own", () => {
    const [section] = judgeRun(readReportInputs({ hypotheses: "my-run" }, ROOT), analysis).sections;
    expect(section === undefined ? "" : renderSectionText(section, 100)).toMatchSnapshot();
  });

  it("refuses a figure that the run does not have, and offers names that end alike", () => {
    const folder = temporaryDirectory();
    const text = readFileSync(`${ROOT}examples/hypotheses/my-run.yaml`, "utf8");
    writeFileSync(join(folder, "typo.yaml"), text.replace("overall/trueSpeedup", "cell/chimera/trueSpeedup"));
    const inputs = readReportInputs({ hypotheses: "typo.yaml" }, folder);
    expect(() => judgeRun(inputs, analysis)).toThrow(
      expect.objectContaining({
        code: "FIGURE_UNKNOWN",
        received: "cell/chimera/trueSpeedup",
        nextStep: expect.stringContaining("overall/trueSpeedup, cell/chimera_homo/trueSpeedup"),
      }),
    );
  });
});

it("has verdicts for studies 000 and 002 and costs for study 001", () => {
  const titles = readdirSync(`${ROOT}studies`)
    .filter((file) => file.endsWith(".json"))
    .flatMap((file) => {
      const name = file.replace(".json", "");
      const { inputs } = JSON.parse(readFileSync(`${ROOT}studies/${file}`, "utf8")) as { inputs: unknown };
      return studyJudgements(name, inputs).map((section) => `${name}: ${section.id}`);
    });
  expect(titles).toEqual([
    "concurrent-agents: verdicts",
    "dual-instance: cost",
    "kernel-profiling: verdicts",
  ]);
});
