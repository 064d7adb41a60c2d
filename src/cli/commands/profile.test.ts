import { expect, describe, it } from "vitest";
import { say } from "../../../test/fakes/command-line.ts";
import { profileFixture, unpackedFixture } from "../../../test/fakes/profile-fixtures.ts";
import { realClock } from "../../core/clock.ts";
import { dirname, basename } from "node:path";

const facts = { clock: realClock, outColumns: 100 };

/** From the file's own folder, so that no path of this machine is printed. */
function readFrom(path: string, ...flags: readonly string[]): ReturnType<typeof say> {
  return say(["profile", "read", basename(path), ...flags], { ...facts, cwd: dirname(path) });
}

describe("slipway profile read", () => {
  it("answers first, then shows its tables: one GPU that waits for its host", async () => {
    const { exitCode, out, err } = await readFrom(unpackedFixture("power-iteration-t4.sqlite.gz"));
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    expect(out).toMatchSnapshot();
  });

  it("tells two GPUs that wait for copies, and what the export lacks", async () => {
    const { out } = await readFrom(unpackedFixture("h100-2gpu-1s.sqlite.gz"), "--top", "4");
    expect(out).toMatchSnapshot();
  });

  it("reads counters of a kernel", async () => {
    expect((await readFrom(profileFixture("copy-blocked-t4.csv"))).out).toMatchSnapshot();
  });

  it("reads reports, which know less than a trace", async () => {
    expect((await readFrom(profileFixture("power-iteration-t4.stats.csv"))).out).toMatchSnapshot();
  });

  it("prints one JSON document, with the answer in it", async () => {
    const { out } = await readFrom(unpackedFixture("power-iteration-t4.sqlite.gz"), "--json");
    const document = JSON.parse(out) as {
      answer: string[];
      kernelCount: unknown;
      sources: { path: string }[];
    };
    expect(document.answer[0]).toMatch(/^GEMM kernels dominate/);
    expect(document.kernelCount).toEqual({ kind: "known", value: 3689 });
    expect(document.sources[0]?.path).toBe("power-iteration-t4.sqlite");
  });

  it("says what is wrong with a file, what it is, and what to do", async () => {
    const { exitCode, out, err } = await readFrom(profileFixture("README.md"));
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
    expect(err.split("\n")[0]).toMatch(/^error PROFILE_FORMAT_UNKNOWN: .*README.md is no profile/);
    expect(err).toContain("next: give a SQLite export");
  });

  it("refuses two traces at once", async () => {
    const path = unpackedFixture("power-iteration-t4.sqlite.gz");
    const { exitCode, err } = await say(["profile", "read", path, path], facts);
    expect(exitCode).toBe(2);
    expect(err).toMatch(/^error PROFILE_CONFLICT/);
  });

  it("names a file that is not there", async () => {
    const { exitCode, err } = await readFrom("/nowhere/at-all.sqlite");
    expect(exitCode).toBe(2);
    expect(err).toMatch(/^error FILE_NOT_FOUND: cannot read \/nowhere\/at-all.sqlite/);
  });
});
