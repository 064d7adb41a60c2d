/** What takes minutes: two hundred random sequences, a kill at every moment of every step, and limits that are long. */
import { describe, expect, it } from "vitest";
import { playSequences } from "../e2e/fleet-chaos.ts";
import { FleetFolder } from "../e2e/fleet-folder.ts";
import { KILLS, killAt } from "../e2e/fleet-kills.ts";

const SEQUENCES = 200;
const PATIENCE = { timeout: 1_200_000 };

describe.concurrent("a fleet among faults", () => {
  it(
    "ends in the mode asked for or the one before, with nothing orphaned and memory within its budget",
    PATIENCE,
    async () => {
      const tally = await playSequences(SEQUENCES);
      process.stdout.write(`of ${SEQUENCES} sequences: ${JSON.stringify(tally)}\n`);
      // A replay of one seed need not have met anything.
      if (process.env["SLIPWAY_CHAOS_COUNT"] !== undefined) return;
      expect(tally.committed).toBeGreaterThan(SEQUENCES / 2);
      expect(tally.rolledBack).toBeGreaterThan(SEQUENCES / 10);
      expect(tally.lost).toBeGreaterThan(SEQUENCES / 10);
    },
  );

  const kinds = Object.keys(KILLS) as (keyof typeof KILLS)[];
  it.each(kinds)("survives a kill before, within and after the note of %s", PATIENCE, async (kind) => {
    for (const when of ["before", "torn", "after"] as const)
      await expect(killAt(kind, when)).resolves.toBeUndefined();
  });

  it(
    "gives up on a server that drops out five times within three minutes, and says why",
    PATIENCE,
    async () => {
      const folder = new FleetFolder();
      try {
        folder.preset("faulty", ["--fake-crash-after-ms", "400"]);
        folder.mode("looping", "faulty");
        await folder.up("looping");
        await folder.reaches("faulty", "failed", 120_000);
        const faulty = (await folder.status()).presets.find(({ preset }) => preset === "faulty");
        expect(faulty?.reason).toMatch(/^5 crashes within 180 s; .*the GPU had no memory left for it/);
        expect((await folder.run("status")).stdout).toMatch(/faulty +failed/);
        folder.expectNothingLeft();
      } finally {
        await folder.remove();
      }
    },
  );

  it(
    "does not take an answer to health for work: one token is waited for, for a minute",
    PATIENCE,
    async () => {
      const folder = new FleetFolder();
      try {
        folder.preset("steady");
        folder.preset("stalls", ["--fake-stall"]);
        folder.mode("before", "steady");
        folder.mode("after", "stalls");
        await folder.up("before");
        const { code, stderr } = await folder.switch("after");
        expect(code).toBe(3);
        expect(stderr).toContain("error SERVER_STALLED: after was not reached");
        expect(stderr).toContain("failed at: canary of stalls");
        expect(await folder.states()).toEqual({ steady: "ready" });
      } finally {
        await folder.remove();
      }
    },
  );
});
