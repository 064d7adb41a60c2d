import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { MadeTrial } from "../../../test/fakes/recorded-run.ts";
import { madeRun } from "../../../test/fakes/recorded-run.ts";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { block } from "../../../test/fakes/viewed-run.ts";
import { realClock } from "../../core/clock.ts";
import { main } from "../main.ts";

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function slipway(cwd: string, ...args: readonly string[]): Promise<Ended> {
  let out = "";
  let err = "";
  const code = await main(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    errIsTerminal: false,
    outIsTerminal: false,
    outColumns: 100,
    color: false,
    env: {},
    cwd,
    clock: realClock,
    interrupted: new AbortController().signal,
  });
  return { code, out, err };
}

const TWO_AGENTS = [0, 1].flatMap((repeat) =>
  block({ repeat, cell: "made", names: ["a", "b"], togetherTokS: 60 }),
);

/** A runs directory with one run on disk. */
function withRun(
  runId: string,
  cwd = temporaryDirectory(),
  trials: readonly MadeTrial[] = TWO_AGENTS,
): string {
  const path = join(cwd, "runs", runId);
  mkdirSync(path, { recursive: true });
  const { manifest, trials: records, requests, chunks } = madeRun(trials, { runId });
  const lines = (items: readonly unknown[]): string =>
    items.map((item) => `${JSON.stringify(item)}\n`).join("");
  writeFileSync(join(path, "manifest.json"), JSON.stringify(manifest));
  writeFileSync(join(path, "trials.jsonl"), lines(records));
  writeFileSync(join(path, "requests.jsonl"), lines(requests));
  writeFileSync(join(path, "chunks.jsonl"), lines(chunks));
  writeFileSync(join(path, "telemetry.jsonl"), "");
  writeFileSync(join(path, "events.jsonl"), "");
  return cwd;
}

describe("slipway report <run>", () => {
  it("writes its three files into the run directory and says where", async () => {
    const cwd = withRun("20260102T030405Z-made-0001");
    const { code, out } = await slipway(cwd, "report", "20260102");
    const path = join(cwd, "runs", "20260102T030405Z-made-0001");
    expect(code).toBe(0);
    expect(out.split("\n").slice(1)).toEqual([
      ...["analysis.json", "report.md", "report.html"].map((name) => `wrote ${join(path, name)}`),
      "",
    ]);
    expect(out).toContain("each kept 6");
    expect(JSON.parse(readFileSync(join(path, "analysis.json"), "utf8"))).toMatchObject({
      cells: [{ label: "made" }],
      insight: { runId: "20260102T030405Z-made-0001" },
      scaling: [],
    });
    expect(readFileSync(join(path, "report.html"), "utf8")).toMatch(/^<!doctype html>/);
  });

  it("writes the same page twice from the same records", async () => {
    const cwd = withRun("20260102T030405Z-made-0001");
    const page = async (): Promise<string> => {
      await slipway(cwd, "report", "20260102");
      return readFileSync(join(cwd, "runs", "20260102T030405Z-made-0001", "report.html"), "utf8");
    };
    expect(await page()).toBe(await page());
  });

  it("makes one page of several runs, with a folder for each", async () => {
    const cwd = withRun("20260102T030405Z-made-0002", withRun("20260102T030405Z-made-0001"));
    const { code, out } = await slipway(
      cwd,
      ...["report", "20260102T030405Z-made-0001", "20260102T030405Z-made-0002"],
      ...["--out", "both", "--json"],
    );
    expect(code).toBe(0);
    expect(readdirSync(join(cwd, "both")).sort()).toEqual([
      "20260102T030405Z-made-0001",
      "20260102T030405Z-made-0002",
      "report.html",
    ]);
    expect(JSON.parse(out)).toMatchObject({
      runs: [
        { runId: "20260102T030405Z-made-0001", simulated: false },
        { runId: "20260102T030405Z-made-0002" },
      ],
      files: { length: 5 },
    });
    expect(existsSync(join(cwd, "runs", "20260102T030405Z-made-0001", "report.html"))).toBe(false);
  });

  it("asks where a page of several runs should go", async () => {
    const cwd = withRun("20260102T030405Z-made-0002", withRun("20260102T030405Z-made-0001"));
    const { code, err } = await slipway(
      cwd,
      "report",
      "20260102T030405Z-made-0001",
      "20260102T030405Z-made-0002",
    );
    expect(code).toBe(2);
    expect(err).toContain("error FLAG_INVALID: a report of several runs belongs to no single run directory");
    expect(err).toContain("--out");
  });

  it("names what it lacks when nothing is named, or both a run and a study", async () => {
    const nothing = await slipway(temporaryDirectory(), "report");
    expect([nothing.code, nothing.err]).toEqual([
      2,
      expect.stringContaining("there is nothing to report on"),
    ]);
    const both = await slipway(temporaryDirectory(), "report", "x", "--study", "dual-instance");
    expect([both.code, both.err]).toEqual([2, expect.stringContaining("two different reports")]);
  });

  it("gives the near names when a run is not found", async () => {
    const { code, err } = await slipway(
      withRun("20260102T030405Z-made-0001"),
      "report",
      "20260102T030405Z-mode-0001",
    );
    expect(code).toBe(2);
    expect(err).toContain("give one of: 20260102T030405Z-made-0001");
  });
});

describe("slipway report --service-levels on a ladder of agent counts", () => {
  const ladder = [0, 1, 2].flatMap((repeat) => [
    ...block({ repeat, cell: "quick N=1", names: ["a"], togetherTokS: 100 + repeat }),
    ...block({ repeat, cell: "quick N=2", names: ["a", "b"], togetherTokS: 60 + repeat }),
  ]);
  const judgedBy = (limitTokS: number): Promise<Ended> => {
    const cwd = withRun("20260102T030405Z-made-0001", temporaryDirectory(), ladder);
    const targets = [
      { metric: "agentTokS", above: limitTokS },
      { metric: "errorPct", atMost: 30, judge: "observed" },
    ];
    writeFileSync(join(cwd, "levels.yaml"), JSON.stringify({ version: 1, title: "made", targets }));
    return slipway(cwd, "report", "20260102", "--service-levels", "levels.yaml");
  };

  it("exits 1 by the one configuration that misses, and names it", async () => {
    // Over both configurations the mean is above 70; with two agents it is 61.5.
    const { code, out } = await judgedBy(70);
    expect(out).toContain("misses its levels: 1 met, 1 missed, 0 cannot be told");
    expect(out).toMatch(/^throughput of an +target +> 70 tok\/s .* missed\nagent, quick N=2$/m);
    expect(out).toMatch(/^failed requests, +target .*, as observed\nwhole run$/m);
    expect(out).toContain("Levels are judged per configuration");
    expect(code).toBe(1);
  });

  it("exits 0 where every configuration meets them", async () => {
    const { code, out } = await judgedBy(30);
    expect(out).toContain("meets every level: 2 met");
    expect(code).toBe(0);
  });
});
