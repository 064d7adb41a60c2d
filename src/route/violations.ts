/** Study 004 counted jobs over the memory budget in two ways, and mixed them; here are both. */
import type { PlanAccount } from "./plan.ts";

export interface Violations {
  readonly jobs: number;
  /** Jobs with a step at which more is loaded than fits. */
  readonly byPeak: number;
  /** Jobs whose models would not fit if all that they use were loaded together: no fault of a plan that loads them in turn. */
  readonly bySumOfDistinct: number;
}

export function countViolations(accounts: readonly PlanAccount[], budgetMib: number): Violations {
  const over = (of: (account: PlanAccount) => number): number =>
    accounts.filter((account) => of(account) > budgetMib).length;
  return {
    jobs: accounts.length,
    byPeak: over((account) => account.peakMib),
    bySumOfDistinct: over((account) => account.sumDistinctMib),
  };
}
