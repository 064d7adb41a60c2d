/**
 * What options cost: per month, per million executions, over years, and after how many months the
 * dearer one to build has paid for itself. Amounts are in the file's currency and not discounted.
 */
import type { FigureBook } from "../verdict/figure-book.ts";
import { figureNamed } from "../verdict/figure-book.ts";
import type { CostFile, CostOption, InstanceCount } from "./cost-file.ts";

const MILLION = 1_000_000;
const THOUSAND = 1_000;
const MONTHS_PER_YEAR = 12;
/** A twelfth of 365.25 days. */
const MS_PER_MONTH = 2_629_800_000;

export interface InstanceCost {
  readonly name: string;
  readonly count: number | undefined;
  readonly pricePerMonth: number;
  /** How the count came about. */
  readonly why: string;
}

export interface OptionCost {
  readonly name: string;
  readonly what: string | undefined;
  readonly instances: readonly InstanceCost[];
  /** Instances alone. */
  readonly perMonth: number | undefined;
  readonly perMillion: number | undefined;
  readonly perThousand: number | undefined;
  /** Instances and everything else of a year. */
  readonly operatingPerYear: number | undefined;
  readonly development: number;
  /** Development and all years of operation. */
  readonly total: number | undefined;
  /** perMonth as a share of the baseline's. */
  readonly pctOfBaseline: number | undefined;
  readonly published: CostOption["published"];
}

export type BreakEvenOutcome =
  | { readonly kind: "after"; readonly months: number }
  /** Dearer to build and no cheaper to run. */
  | { readonly kind: "never" }
  /** No dearer to build, and cheaper to run. */
  | { readonly kind: "at-once" }
  | { readonly kind: "unknown" };

export interface BreakEven {
  /** The one that is dearer to build. */
  readonly option: string;
  readonly against: string;
  readonly extraOnce: number;
  /** Negative where it is dearer to run as well. */
  readonly savedPerYear: number | undefined;
  readonly outcome: BreakEvenOutcome;
  readonly publishedMonths: number | undefined;
}

export interface CostReport {
  readonly title: string;
  readonly about: string;
  readonly simulated: boolean;
  readonly currency: string;
  readonly executionsPerMonth: number;
  readonly years: number;
  readonly baseline: string;
  readonly options: readonly OptionCost[];
  /** Every pair. */
  readonly breakEvens: readonly BreakEven[];
  readonly notes: readonly string[];
}

/** Throws FIGURE_UNKNOWN where a count names a figure that the book does not have. */
export function costOf(file: CostFile, book: FigureBook): CostReport {
  const costs = file.options.map((option) => optionCost(option, file, book));
  const baseline = costs.find((one) => one.name === file.baseline)?.perMonth;
  const options = costs.map((one) => ({
    ...one,
    pctOfBaseline:
      one.perMonth === undefined || baseline === undefined || baseline === 0
        ? undefined
        : (one.perMonth / baseline) * 100,
  }));
  return {
    title: file.title,
    about: book.about,
    simulated: book.simulated && file.options.some(usesFigures),
    currency: file.currency,
    executionsPerMonth: file.executionsPerMonth,
    years: file.years,
    baseline: file.baseline,
    options,
    breakEvens: options.flatMap((first, place) =>
      options.slice(place + 1).map((second) => breakEven(first, second, file)),
    ),
    notes: file.notes,
  };
}

function usesFigures({ instances }: CostOption): boolean {
  return instances.some(
    ({ count }) => typeof count === "object" && count.by === "time" && typeof count.execution === "string",
  );
}

function optionCost(option: CostOption, file: CostFile, book: FigureBook): Omit<OptionCost, "pctOfBaseline"> {
  const instances = option.instances.map(({ name, count, pricePerMonth }) => ({
    name,
    pricePerMonth,
    ...counted(count, file, book, `${option.name}, ${name},`),
  }));
  const perMonth = sumOfAll(
    instances.map(({ count, pricePerMonth }) => (count === undefined ? undefined : count * pricePerMonth)),
  );
  const others = Object.values(option.perYear).reduce((sum, one) => sum + one, 0);
  const operatingPerYear = perMonth === undefined ? undefined : perMonth * MONTHS_PER_YEAR + others;
  const perExecution = perMonth === undefined ? undefined : perMonth / file.executionsPerMonth;
  return {
    name: option.name,
    what: option.what,
    instances,
    perMonth,
    perMillion: perExecution === undefined ? undefined : perExecution * MILLION,
    perThousand: perExecution === undefined ? undefined : perExecution * THOUSAND,
    operatingPerYear,
    development: option.development,
    total: operatingPerYear === undefined ? undefined : option.development + file.years * operatingPerYear,
    published: option.published,
  };
}

function counted(
  count: InstanceCount,
  file: CostFile,
  book: FigureBook,
  askedBy: string,
): { readonly count: number | undefined; readonly why: string } {
  if (typeof count === "number") return { count, why: "given" };
  if (count.by === "memory") {
    const perInstance = Math.floor(count.memoryPerInstanceMib / count.memoryPerAgentMib);
    return {
      count: perInstance === 0 ? undefined : Math.ceil(count.agents / perInstance),
      why: `${count.agents} agents of ${count.memoryPerAgentMib} MiB in instances of ${count.memoryPerInstanceMib} MiB`,
    };
  }
  const figure =
    typeof count.execution === "string" ? figureNamed(book, count.execution, askedBy) : undefined;
  // A price is of one configuration: the mean of a plan is paid by nobody.
  const withheld = figure?.withheld ?? figure?.acrossSettings;
  const executionMs =
    typeof count.execution === "number"
      ? count.execution
      : withheld === undefined
        ? figure?.value
        : undefined;
  const from =
    typeof count.execution === "string" ? ` (${count.execution}, n = ${figure?.values.length ?? 0})` : "";
  if (executionMs === undefined) {
    const because = withheld === undefined ? "" : `: ${withheld.reason}; ${withheld.settledBy}`;
    return { count: undefined, why: `${count.execution} is not known${because}` };
  }
  const busyMs = (file.executionsPerMonth * executionMs) / count.atOnce;
  return {
    count: Math.ceil(busyMs / (MS_PER_MONTH * count.utilization)),
    why: `${file.executionsPerMonth} executions of ${(executionMs / 1000).toFixed(2)} s${from}, ${count.atOnce} at once, instances busy ${(count.utilization * 100).toFixed(0)} % of the time`,
  };
}

function sumOfAll(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? known.reduce((sum, one) => sum + one, 0) : undefined;
}

function breakEven(first: OptionCost, second: OptionCost, file: CostFile): BreakEven {
  const [dearer, other] = first.development > second.development ? [first, second] : [second, first];
  const extraOnce = dearer.development - other.development;
  const savedPerYear =
    dearer.operatingPerYear === undefined || other.operatingPerYear === undefined
      ? undefined
      : other.operatingPerYear - dearer.operatingPerYear;
  return {
    option: dearer.name,
    against: other.name,
    extraOnce,
    savedPerYear,
    outcome: outcomeOf(extraOnce, savedPerYear),
    publishedMonths: file.published?.breakEvenMonths.find(
      (one) => one.option === dearer.name && one.against === other.name,
    )?.months,
  };
}

function outcomeOf(extraOnce: number, savedPerYear: number | undefined): BreakEvenOutcome {
  if (savedPerYear === undefined) return { kind: "unknown" };
  if (savedPerYear <= 0) return { kind: "never" };
  return extraOnce === 0
    ? { kind: "at-once" }
    : { kind: "after", months: extraOnce / (savedPerYear / MONTHS_PER_YEAR) };
}
