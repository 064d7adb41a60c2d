/** The first few random sequences, and one kill at each step; test/real has all of both. */
import { describe, expect, it } from "vitest";
import { playSequences } from "./fleet-chaos.ts";
import { KILLS, killAt } from "./fleet-kills.ts";

const PATIENCE = { timeout: 240_000 };

describe.concurrent("a fleet whose supervisor is killed", () => {
  it("ends in the mode asked for or the one before, and leaves nothing behind", PATIENCE, async () => {
    const { committed } = await playSequences(6);
    expect(committed).toBeGreaterThan(0);
  });

  it.each(Object.keys(KILLS) as (keyof typeof KILLS)[])("at the step %s does too", PATIENCE, async (kind) => {
    await expect(killAt(kind, "after")).resolves.toBeUndefined();
  });
});
