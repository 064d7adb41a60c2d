import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { VirtualClock } from "../../core/clock.ts";
import type { CliIo } from "../io.ts";
import { main } from "../main.ts";

const SAMPLE = fileURLToPath(new URL("../../../test/fixtures/runs/version-1", import.meta.url));

/** Runs the command in a directory of its own, which holds the sample run. */
function workplace() {
  const cwd = temporaryDirectory();
  cpSync(SAMPLE, join(cwd, "runs", "version-1"), { recursive: true });
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
      env: {},
      cwd,
      clock: new VirtualClock(),
      interrupted: new AbortController().signal,
    };
    const exitCode = await main(["runs", ...args], io);
    // The directory differs each time, and with it the width of the table's frame.
    const out = said.out
      .replaceAll(cwd, "<here>")
      .replaceAll(/ *│\n/g, " |\n")
      .replaceAll(/[┌├└][─┬┼┴]+[┐┤┘]\n/g, "");
    return { exitCode, out, raw: said.out, err: said.err.replaceAll(cwd, "<here>") };
  };
  return { cwd, slipway };
}

describe("slipway runs list", () => {
  test("shows what became of each run, and says what is unreadable beside the table", async () => {
    const { cwd, slipway } = workplace();
    mkdirSync(join(cwd, "runs", "broken"));
    writeFileSync(join(cwd, "runs", "broken", "manifest.json"), "{");
    const { exitCode, out, err } = await slipway("list");
    expect(out).toMatchInlineSnapshot(`
      "│ run       │ status      │ scenario     │ trials │ measured on |
      │ broken    │ unreadable  │ –            │ –      │ – |
      │ version-1 │ interrupted │ chimera_homo │ 2/3    │ SIMULATED |
      "
    `);
    expect(err).toBe("broken: RUN_DAMAGED: <here>/runs/broken/manifest.json is not readable\n");
    expect(exitCode).toBe(0);
  });

  test("gives one JSON document", async () => {
    const { slipway } = workplace();
    const { raw } = await slipway("list", "--json");
    expect(JSON.parse(raw)).toMatchObject({
      runs: [{ runId: "version-1", status: "interrupted", completeTrials: 2, manifest: { seed: 42 } }],
    });
  });

  test("of nothing says where it looked", async () => {
    const { out } = await workplace().slipway("list", "--runs-dir", "elsewhere");
    expect(out).toBe("no runs in <here>/elsewhere\n");
  });
});

describe("slipway runs show", () => {
  test("shows what was recorded, cell by cell", async () => {
    const { exitCode, out, err } = await workplace().slipway("show", "version");
    expect(out).toMatchInlineSnapshot(`
      "│ run         │ version-1 |
      │ status      │ interrupted |
      │ scenario    │ chimera_homo |
      │ measured on │ SIMULATED |
      │ started     │ 2026-11-20T10:53:12.000Z |
      │ ended       │ 2026-11-20T10:54:12.000Z |
      │ directory   │ <here>/runs/version-1 |
      │ trials      │ 2 of 3 complete |
      │ requests    │ 5 ok, 1 failed, 1 cancelled |
      │ endpoint a  │ http://127.0.0.1:11434 (simulated) |
      │ cell         │ together │ solo |
      │ chimera_homo │ 1        │ 1 |
      "
    `);
    expect(err).toBe(
      "note: 2 requests belong to trials that were cut short; they are kept and enter no figure\n",
    );
    expect(exitCode).toBe(0);
  });

  test("gives one JSON document with manifest, counts and summary", async () => {
    const { raw } = await workplace().slipway("show", "version-1", "--json");
    expect(JSON.parse(raw)).toMatchObject({
      status: "interrupted",
      completeTrials: 2,
      cells: [{ label: "chimera_homo", together: 1, solo: 1 }],
      requests: { finished: 5, unfinished: 2, ok: 5, failed: 1, cancelled: 1 },
      summary: { run_id: "version-1" },
    });
  });

  test("stops at damage with the line and the way on, which works", async () => {
    const { cwd, slipway } = workplace();
    const file = join(cwd, "runs", "version-1", "requests.jsonl");
    writeFileSync(file, `garbage\n${readFileSync(file, "utf8")}`);
    const refused = await slipway("show", "version-1");
    expect(refused).toMatchObject({ exitCode: 3, out: "" });
    expect(refused.err).toBe(
      "error RUN_DAMAGED: line 1 of <here>/runs/version-1/requests.jsonl is damaged\n" +
        "  received: not JSON\n" +
        "  next: restore the file from a copy, or leave damaged lines out with --skip-damaged\n",
    );
    const skipped = await slipway("show", "version-1", "--skip-damaged");
    expect(skipped.exitCode).toBe(0);
    expect(skipped.err).toContain("note: line 1 of requests.jsonl is damaged and left out: not JSON\n");
  });

  test("names the nearest run when there is none of the name", async () => {
    const { exitCode, err } = await workplace().slipway("show", "vershun-1");
    expect(err).toBe(
      "error RUN_NOT_FOUND: no run in <here>/runs has this name\n  received: vershun-1\n  next: give one of: version-1\n",
    );
    expect(exitCode).toBe(2);
  });
});

describe("slipway runs import", () => {
  const result = {
    test: "test005",
    scenario: "baseline_vs_chimera",
    average_concurrency_speedup: 1.8321,
    runs: [{ concurrency_speedup: 1.9, efficiency_percent: 95, resource_contention_detected: false }],
  };

  test("makes a run that is listed and shown as imported", async () => {
    const { cwd, slipway } = workplace();
    writeFileSync(join(cwd, "foreign.json"), JSON.stringify(result));
    const imported = await slipway("import", "foreign.json");
    expect(imported.exitCode).toBe(0);
    const id = /imported as (\S+);/.exec(imported.out)?.[1] as string;
    expect(imported.out.replaceAll(id, "<id>")).toMatchInlineSnapshot(`
      "│ test    │ scenario            │ runs │ balance index │ efficiency % │ contention runs |
      │ test005 │ baseline_vs_chimera │ 1    │ 1.832         │ 95.0         │ 0 |
      imported as <id>; see it again with: slipway runs show <id>
      "
    `);
    expect(imported.err).toBe(
      "note: test005: average_concurrency_speedup is given as 1.8321, its runs give 1.9000\n",
    );
    expect((await slipway("list")).out).toMatch(new RegExp(`${id} │ complete .*│ – +│ imported`));
    expect((await slipway("show", id)).out).toContain("foreign.json");
  });

  test("prints no name that a terminal would obey", async () => {
    const { cwd, slipway } = workplace();
    const hostile = "\u001b[31mtest\u202e005\nfalse line";
    writeFileSync(join(cwd, "hostile.json"), JSON.stringify({ ...result, test: hostile }));
    const { raw, err } = await slipway("import", "hostile.json");
    expect(raw).toContain("\ufffd[31mtest\ufffd005 false line");
    expect(raw + err).not.toMatch(/[\p{Bidi_Control}]|(?!\n)\p{Cc}/u);
    const id = /imported as (\S+);/.exec(raw)?.[1] as string;
    expect((await slipway("show", id)).raw).not.toMatch(/[\p{Bidi_Control}]|(?!\n)\p{Cc}/u);
  });

  test("refuses a bad field with its name, its value and the rule, and in JSON too", async () => {
    const { cwd, slipway } = workplace();
    writeFileSync(join(cwd, "bad.json"), JSON.stringify({ ...result, average_concurrency_speedup: "fast" }));
    const { exitCode, err, raw } = await slipway("import", "bad.json", "--json");
    expect(err).toMatchInlineSnapshot(`
      "error IMPORT_INVALID: <here>/bad.json: field average_concurrency_speedup: Invalid input: expected number, received string
        received: average_concurrency_speedup = "fast"
        next: correct the field; docs/run-directory.md shows the form: one configuration, a list of them, or an object with configurations
      "
    `);
    expect(JSON.parse(raw)).toMatchObject({ error: { code: "IMPORT_INVALID" } });
    expect(exitCode).toBe(2);
  });
});

test.each([[], ["list"], ["show"], ["import"]])("help of runs %s shows an example", async (...command) => {
  const { exitCode, out } = await workplace().slipway(...command, "--help");
  expect(out).toContain(`Example:\n  slipway runs ${command[0] ?? "list"}`);
  expect(exitCode).toBe(0);
});

test("a missing argument is bad usage", async () => {
  const { exitCode, err } = await workplace().slipway("show");
  expect(err).toContain("missing required argument 'run'");
  expect(exitCode).toBe(2);
});
