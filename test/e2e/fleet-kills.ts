/** Supervisors killed at each step that the journal knows, and what their successors make of it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { JournalRecord } from "../../src/fleet/journal.ts";
import type { Death, MODES, Moment } from "./chaos-fleet.ts";
import { ChaosFleet, presetsOf } from "./chaos-fleet.ts";

interface KilledAt {
  readonly modes: readonly (keyof typeof MODES | "doom")[];
  /** The how manieth note of its kind is the one of the last switch. */
  readonly count: number;
}

const FROM_NAP = { modes: ["nap", "door"] } as const;

/**
 * For every step that the journal knows, switches whose last comes to it. A supervisor's own beginning
 * notes one `put-back` and replaces fleet.json once.
 */
export const KILLS: Readonly<Record<JournalRecord["kind"] | "commit", KilledAt>> = {
  begin: { ...FROM_NAP, count: 2 },
  drain: { ...FROM_NAP, count: 1 },
  stop: { ...FROM_NAP, count: 1 },
  sleep: { ...FROM_NAP, count: 1 },
  start: { ...FROM_NAP, count: 3 },
  started: { ...FROM_NAP, count: 3 },
  ready: { ...FROM_NAP, count: 3 },
  commit: { ...FROM_NAP, count: 3 },
  wake: { modes: ["nap", "door", "nap"], count: 1 },
  "put-back": { modes: ["nap", "doom"], count: 2 },
  // Of the second life, which finds a journal that is damaged.
  suspects: { modes: ["nap"], count: 1 },
};

export async function killAt(kind: keyof typeof KILLS, when: Moment): Promise<void> {
  const fleet = await ChaosFleet.create();
  try {
    await dieAndRecover(fleet, kind, when);
  } finally {
    await fleet.remove();
  }
}

async function dieAndRecover(fleet: ChaosFleet, kind: keyof typeof KILLS, when: Moment): Promise<void> {
  const { folder } = fleet;
  const { modes, count } = KILLS[kind];
  fleet.script(
    "doomed",
    Array.from({ length: 5 }, () => "--fake-crash cuda-oom"),
  );
  const death: Death = `${kind}:${when}:${count}`;
  const first = await fleet.supervise(kind === "suspects" ? undefined : death);
  for (const mode of modes) await folder.ask({ do: "switch", mode }).catch(() => undefined);
  if (kind === "suspects") {
    first.kill("SIGKILL");
    await first.finished;
    writeFileSync(
      join(folder.stateDirectory, "journal.jsonl"),
      '{"kind":"begin","serverId":"server-1"\n{}\n',
    );
    expect((await (await fleet.supervise(death)).finished).code).toBeNull();
  }
  // Killed, at this very step: no other has so many of its kind.
  expect((await first.finished).code).toBeNull();
  const next = await fleet.supervise();
  const { mode, presets } = await folder.status();
  expect(modes.slice(-2)).toContain(mode);
  const ready = presets.filter(({ state }) => state === "ready").map(({ preset }) => preset);
  expect(ready.toSorted()).toEqual([...presetsOf(mode)].sort());
  fleet.expectNoOrphans(presets);
  next.kill("SIGTERM");
  expect((await next.finished).code).toBe(0);
  folder.expectNothingLeft();
  fleet.expectWithinBudget();
}
