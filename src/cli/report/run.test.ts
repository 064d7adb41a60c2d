import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
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

/** A runs directory with one run on disk. */
function withRun(runId: string, cwd = temporaryDirectory()): string {
  const path = join(cwd, "runs", runId);
  mkdirSync(path, { recursive: true });
  const trials = [0, 1].flatMap((repeat) =>
    block({ repeat, cell: "made", names: ["a", "b"], togetherTokS: 60 }),
  );
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
