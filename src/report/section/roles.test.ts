import { describe, expect, it } from "vitest";
import { TrialTally } from "../../analysis/roles/role-tally.ts";
import { roleTable } from "../../analysis/roles/role-table.ts";
import type { RoleTurn } from "../../analysis/roles/role-turn.ts";
import { rolesSection } from "./roles.ts";
import { renderSectionText } from "./section-text.ts";

const done = (more: Partial<RoleTurn> = {}): RoleTurn => ({
  role: "Dev",
  agent: "dev",
  outcome: "done",
  turnMs: 2000,
  callMs: 2000,
  outputTokens: 100,
  windowTokens: 100,
  continues: false,
  ...more,
});

function shown(turnsOfTrials: readonly (readonly RoleTurn[])[]): string {
  const trials = turnsOfTrials.map((turns) => {
    const tally = new TrialTally(new Map([["dev", "Dev"]]));
    for (const turn of turns) tally.add(turn);
    return { windowMs: 10_000, roles: tally.finish() };
  });
  const section = rolesSection([{ hash: "h", label: "cell", ...roleTable(trials, 1) }], false);
  return section === undefined ? "" : renderSectionText(section, 140);
}

describe("the table of roles", () => {
  it("has rates, turns and their times, and no percentile that they do not carry", () => {
    const text = shown([[done(), done()], [done()]]);
    expect(text).toContain("2 trials of 10.0 s");
    // 200 and 100 tokens in 10 s: mean 15, and t(0.975, 1) = 12.706 times 5.
    expect(text).toMatch(/Dev\s+15 ± 63\.53\s+50\s+3 \+ 0\s+2\.0 s\s+–\s+–\n/);
  });

  it("has a row for all where there are several roles, and none beside a single one", () => {
    expect(shown([[done()]])).not.toMatch(/^all /m);
    expect(shown([[done(), done({ role: "TL", agent: "tl" })]])).toMatch(/^all ×2\s+20/m);
  });

  it("says what went wrong, each once and by role", () => {
    const text = shown([
      [
        done({ promptTokens: 100, continues: true }),
        done({ promptTokens: 150, cachedTokens: 3, continues: true }),
        done({ contextFault: "shifted" }),
        done({ outcome: "refused", windowTokens: 0 }),
        done({ outcome: "unfinished", turnMs: 9000 }),
      ],
    ]);
    expect(text).toContain("Dev: turns that found their conversation gone from the server's cache: 1.");
    expect(text).toContain("Dev: turns longer than the context, which was shifted under them: 1.");
    expect(text).toMatch(/Dev: turns that did not fit the context .*: 1\./);
    expect(text).toContain("Dev: a turn that the end cut off had lasted 9.0 s, longer than the mean");
    expect(shown([[done()]])).not.toContain("Dev: ");
  });

  it("is left out of a run without roles", () => {
    expect(rolesSection([], false)).toBeUndefined();
  });
});
