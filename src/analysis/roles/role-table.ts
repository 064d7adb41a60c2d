/** What each role got, over the trials of one cell or one simulation. */
import { randomStream } from "../../core/random.ts";
import type { Description } from "../../stats/describe.ts";
import { describeWithin, NOT_NEGATIVE } from "../bounded.ts";
import type { RequestDistribution } from "../request-distribution.ts";
import { distribution } from "../request-distribution.ts";
import { ratePerS } from "../request-figures.ts";
import type { RoleTally } from "./role-tally.ts";
import type { ContextFault, RoleTurnOutcome } from "./role-turn.ts";

export interface RoleFigures {
  readonly role: string;
  readonly agents: number;
  /** Output tokens that came inside the window ÷ the window; each value is one trial's. */
  readonly aggregateTokS: Description | undefined;
  /** Σ output tokens ÷ Σ (end − sent) of the turns that are done; each value is one trial's. */
  readonly perCallTokS: Description | undefined;
  /** When a turn was due → its end, of those that are done, over all trials. */
  readonly turnMs: RequestDistribution;
  /** Sums over the trials. */
  readonly turns: Readonly<Record<RoleTurnOutcome, number>>;
  readonly contextFaults: Readonly<Record<ContextFault, number>>;
  /** Turns whose conversation was no longer in the server's cache; unknown where none says. */
  readonly lostCaches: number | undefined;
  /** The longest turn that the end of the time cut off: turn times know nothing of it. */
  readonly longestUnfinishedMs: number | undefined;
}

export interface RoleTable {
  readonly trials: number;
  /** Of each trial: a stop rule may end one early. */
  readonly windowMs: Description | undefined;
  /** In the order of their first agents. */
  readonly roles: readonly RoleFigures[];
  /** All agents together, whatever their roles. */
  readonly all: RoleFigures;
}

export interface TrialRoles {
  readonly windowMs: number;
  readonly roles: readonly RoleTally[];
}

/** `seed`: of the resampled trials behind an interval. */
export function roleTable(trials: readonly TrialRoles[], seed: number): RoleTable {
  const names = new Set(trials.flatMap(({ roles }) => roles.map(({ role }) => role)));
  return {
    trials: trials.length,
    windowMs: describeWithin(
      trials.map(({ windowMs }) => windowMs),
      NOT_NEGATIVE,
    ),
    roles: [...names].map((name) => figuresOf(name, trials, (role) => role === name, seed)),
    all: figuresOf("all", trials, () => true, seed),
  };
}

function figuresOf(
  name: string,
  trials: readonly TrialRoles[],
  isMeant: (role: string) => boolean,
  seed: number,
): RoleFigures {
  const own = trials.map(({ windowMs, roles }) => ({
    windowMs,
    tallies: roles.filter(({ role }) => isMeant(role)),
  }));
  const all = own.flatMap(({ tallies }) => tallies);
  const over = (figure: (tallies: readonly RoleTally[], windowMs: number) => number | undefined) =>
    describeWithin(
      own.map(({ tallies, windowMs }) => figure(tallies, windowMs)),
      NOT_NEGATIVE,
    );
  const unfinishedMs = all.map((tally) => tally.longestUnfinishedMs).filter((one) => one !== undefined);
  return {
    role: name,
    agents: Math.max(0, ...own.map(({ tallies }) => sum(tallies, ({ agents }) => agents.size))),
    aggregateTokS: over((tallies, windowMs) =>
      ratePerS(
        sum(tallies, (one) => one.windowTokens),
        windowMs,
      ),
    ),
    perCallTokS: over((tallies) =>
      ratePerS(
        sum(tallies, (one) => one.callTokens),
        sum(tallies, (one) => one.callMs),
      ),
    ),
    turnMs: distribution(
      own.map(({ tallies }) => Float64Array.from(tallies.flatMap(({ turnsMs }) => turnsMs))),
      () => randomStream(seed, "role-turns", name),
    ),
    turns: {
      done: sum(all, ({ outcomes }) => outcomes.done),
      refused: sum(all, ({ outcomes }) => outcomes.refused),
      failed: sum(all, ({ outcomes }) => outcomes.failed),
      unfinished: sum(all, ({ outcomes }) => outcomes.unfinished),
    },
    contextFaults: {
      truncated: sum(all, ({ contextFaults }) => contextFaults.truncated),
      shifted: sum(all, ({ contextFaults }) => contextFaults.shifted),
      cut: sum(all, ({ contextFaults }) => contextFaults.cut),
    },
    lostCaches: all.some(({ continued }) => continued > 0)
      ? sum(all, ({ lostCaches }) => lostCaches)
      : undefined,
    longestUnfinishedMs: unfinishedMs.length === 0 ? undefined : Math.max(...unfinishedMs),
  };
}

function sum(tallies: readonly RoleTally[], figure: (tally: RoleTally) => number): number {
  return tallies.reduce((total, tally) => total + figure(tally), 0);
}
