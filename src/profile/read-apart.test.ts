import { describe, expect, it } from "vitest";
import { VirtualClock, realClock } from "../core/clock.ts";
import { OperatorError } from "../core/errors.ts";
import { madeFile } from "../../test/fakes/made-export.ts";
import { unpackedFixture } from "../../test/fakes/profile-fixtures.ts";
import { readProfileApart } from "./read-apart.ts";
import { readProfile } from "./read-profile.ts";

async function readApartErrorOf(reading: Promise<unknown>): Promise<OperatorError> {
  const thrown = await reading.catch((error: unknown) => error);
  return thrown instanceof OperatorError ? thrown : expect.fail(`not an operator error: ${String(thrown)}`);
}

describe("a reader in a process of its own", () => {
  it("finds what a reader in this one finds", async () => {
    const path = unpackedFixture("power-iteration-t4.sqlite.gz");
    expect(await readProfileApart([path], { clock: realClock })).toEqual(
      JSON.parse(JSON.stringify(await readProfile([path]))),
    );
  });

  it("hands its errors on", async () => {
    const path = madeFile("report.nsys-rep", "not what it was\n");
    const thrown = await readApartErrorOf(readProfileApart([path], { clock: realClock }));
    expect(thrown).toMatchObject({ code: "PROFILE_FORMAT_UNKNOWN", received: path });
    expect(thrown.nextStep).toMatch(/^export it first: nsys export --type sqlite/);
  });

  it("is ended where it stands still", async () => {
    const clock = new VirtualClock();
    const path = unpackedFixture("power-iteration-t4.sqlite.gz");
    const reading = readApartErrorOf(readProfileApart([path], { clock, stallMs: 1 }));
    await clock.advanceTo(2_000_000);
    expect(await reading).toMatchObject({
      code: "PROFILE_TOO_LARGE",
      message: expect.stringMatching(/no progress/),
    });
  });

  it("is ended when the operator interrupts", async () => {
    const abort = new AbortController();
    const path = unpackedFixture("power-iteration-t4.sqlite.gz");
    const reading = readProfileApart([path], { clock: realClock, signal: abort.signal });
    abort.abort(new Error("interrupted"));
    await expect(reading).rejects.toThrow("interrupted");
  });
});
