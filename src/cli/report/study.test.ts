import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { STUDY_NAMES } from "../../analysis/studies/study-document.ts";
import { VirtualClock } from "../../core/clock.ts";
import type { CliIo } from "../io.ts";
import { main } from "../main.ts";
import { shippedStudiesPage } from "./shipped-studies.ts";

function workplace(outColumns: number) {
  const cwd = temporaryDirectory();
  const report = async (...args: readonly string[]) => {
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
      outColumns,
      color: false,
      env: {},
      cwd,
      clock: new VirtualClock(),
      interrupted: new AbortController().signal,
    };
    const exitCode = await main(["report", ...args], io);
    return { exitCode, ...said };
  };
  return { cwd, report };
}

describe("slipway report --study", () => {
  it.each(STUDY_NAMES)("renders %s on 80 columns, and fits", async (name) => {
    const { exitCode, out, err } = await workplace(80).report("--study", name);
    expect(out).toMatchSnapshot();
    expect(out.split("\n").filter((line) => stringWidth(line) > 80)).toEqual([]);
    expect(err).toBe("");
    expect(exitCode).toBe(0);
  });

  it.each(STUDY_NAMES)("renders %s on 120 columns, and fits", async (name) => {
    const { out } = await workplace(120).report("--study", name);
    expect(out.split("\n").filter((line) => stringWidth(line) > 120)).toEqual([]);
  });

  it("gives one JSON document with every figure, its check and the reason where it differs", async () => {
    const { out } = await workplace(80).report("--study", "kernel-profiling", "--json");
    const document = JSON.parse(out);
    expect(document).toMatchObject({
      name: "kernel-profiling",
      counts: { reproduced: 216, "within-rounding": 11, possible: 4, differs: 12 },
    });
    const power = document.tables.find((table: { id: string }) => table.id === "power");
    expect(power.rows[2].figures.d).toMatchObject({
      id: "power.3.d",
      published: { text: "2.484" },
      agreement: "differs",
      reason: expect.stringContaining("2.267"),
    });
  });

  it("writes Markdown where asked, with both figures side by side", async () => {
    const { cwd, report } = workplace(80);
    const { out } = await report("--study", "swarm-router", "--out", "study.md");
    expect(out).toBe(`${join(cwd, "study.md")}\n`);
    expect(readFileSync(join(cwd, "study.md"), "utf8")).toMatchSnapshot();
  });

  it("names the studies there are when there is none of the name, and writes nothing", async () => {
    const { cwd, report } = workplace(80);
    const { exitCode, out, err } = await report("--study", "kernels", "--out", "study.md");
    expect(err).toBe(
      "error FLAG_INVALID: --study has no study of this name\n" +
        "  received: kernels\n" +
        "  next: give one of: concurrent-agents, dual-instance, kernel-profiling, capacity-spike, swarm-router\n",
    );
    expect({ exitCode, out, written: existsSync(join(cwd, "study.md")) }).toEqual({
      exitCode: 2,
      out: "",
      written: false,
    });
  });

  it("shows an example in its help, and every study", async () => {
    const { exitCode, out } = await workplace(80).report("--help");
    expect(out).toContain("slipway report --study kernel-profiling");
    for (const name of STUDY_NAMES) expect(out).toContain(name);
    expect(exitCode).toBe(0);
  });
});

it("the page of studies is what the shipped data give", () => {
  // Regenerate with: npm run build && node scripts/write-studies-page.mjs
  expect(readFileSync("docs/studies.md", "utf8")).toBe(shippedStudiesPage());
});
