import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { realClock } from "../../core/clock.ts";
import { importResults } from "../../store/import.ts";
import { main } from "../main.ts";

const run = (speedup: number, contended = false) => ({
  concurrency_speedup: speedup,
  efficiency_percent: speedup * 50,
  throughput_delta: 1.5,
  ttft_delta_ms: -100,
  resource_contention_detected: contended,
});

/** Mean 1.97 with a standard error of 0.007: t₄ · 0.007 = 0.02, so all of the interval lies above 1.9 and below 2. */
const EVEN = [1.95, 1.97, 1.99, 1.96, 1.98].map((speedup) => run(speedup));

async function report(runs: readonly object[], targets: string) {
  const cwd = temporaryDirectory();
  writeFileSync(
    join(cwd, "results.json"),
    JSON.stringify([{ test: "t1", scenario: "made", parameters: {}, runs }]),
  );
  writeFileSync(join(cwd, "levels.yaml"), `version: 1\ntitle: made\ntargets:\n${targets}`);
  const { path } = importResults({
    files: [join(cwd, "results.json")],
    runsDir: join(cwd, "runs"),
    scenario: "made",
    seed: 1,
    slipwayVersion: "0.1.0",
    command: ["slipway", "runs", "import", "results.json"],
    clock: realClock,
  });
  let out = "";
  const code = await main(["report", path, "--service-levels", "levels.yaml"], {
    out: (text) => {
      out += text;
    },
    err: () => undefined,
    errIsTerminal: false,
    outIsTerminal: false,
    outColumns: 200,
    color: false,
    env: {},
    cwd,
    clock: realClock,
    interrupted: new AbortController().signal,
  });
  const read = (name: string): string => readFileSync(join(path, name), "utf8");
  return { code, out, markdown: read("report.md"), page: read("report.html") };
}

describe("the report of imported results", () => {
  it("says what the file has, and not that no trial finished", async () => {
    const { out, markdown, page } = await report(EVEN, "  - { metric: balanceIndex, above: 1.9 }\n");
    expect(out).toContain('1 imported configuration, 5 runs: the published "speedup" is 1.97');
    for (const text of [out, markdown, page]) {
      expect(text).not.toMatch(/No trial finished|every finished request is kept|0 configurations|--resume/);
      expect(text).toContain("Imported results");
    }
  });

  it("is held against service levels as far as its figures go", async () => {
    const met = await report(
      EVEN,
      "  - { metric: balanceIndex, above: 1.9 }\n  - { metric: contentionPct, atMost: 0, judge: observed }\n",
    );
    expect(met.code).toBe(0);
    const missed = await report(EVEN, "  - { metric: balanceIndex, above: 2 }\n");
    expect(missed.code).toBe(1);
    const contended = await report(
      [...EVEN, run(1.97, true)],
      "  - { metric: contentionPct, atMost: 0, judge: observed }\n  - { metric: ttftDeltaMs, atMost: 99 }\n",
    );
    expect(contended.out).toContain("0 met, 2 missed");
  });

  it("cannot be told where a figure is not in the file, and says so", async () => {
    const { code, out } = await report(EVEN, "  - { metric: trueSpeedup, above: 1 }\n");
    expect(code).toBe(4);
    expect(out).toContain("true speedup > 1×  (target): it is not in the imported file".replace("  ", " "));
  });
});
