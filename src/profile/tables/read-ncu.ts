/**
 * Nsight Compute as CSV: the details page, one row per metric, and the raw page, one column per
 * metric with a row of units below the heading. What the profiled program printed may stand before.
 */
import { OperatorError } from "../../core/errors.ts";
import type { NcuLaunch } from "../figures.ts";
import { allUnknown, known } from "../figures.ts";
import { kernelFamily } from "../kernel-family.ts";
import { MAX_NAME_CHARACTERS } from "../named-tallies.ts";
import type { OnProgress } from "../progress.ts";
import { RowCounter } from "../progress.ts";
import type { ReadFile } from "../read-file.ts";
import { csvRecords } from "./csv-records.ts";
import type { DecimalMark } from "./decimal-mark.ts";
import { DecimalMarkEvidence, parseNumber } from "./decimal-mark.ts";
import { isNcuMetric, ncuFigure } from "./ncu-metrics.ts";

/** Launches kept. ncu replays each kernel many times, so that thousands take hours to record. */
const MOST_LAUNCHES = 100_000;

type NcuHeading =
  | { readonly page: "details"; readonly places: ReadonlyMap<string, number> }
  | { readonly page: "raw"; readonly places: ReadonlyMap<string, number> };

export function ncuHeading(record: readonly string[]): NcuHeading | undefined {
  const places = new Map(record.map((text, place) => [text.trim(), place]));
  if (!places.has("ID") || !places.has("Kernel Name")) return undefined;
  if (places.has("Metric Name") && places.has("Metric Value")) return { page: "details", places };
  return [...places.keys()].some((name) => name.includes("__")) ? { page: "raw", places } : undefined;
}

/** One metric of one launch, as written. */
interface Reading {
  readonly id: string;
  readonly kernel: string;
  readonly metric: string;
  readonly unit: string;
  readonly text: string;
}

export async function readNcu(path: string, onProgress: OnProgress): Promise<ReadFile> {
  const mark = await decimalMarkOf(path);
  const launches = new Map<string, { readonly name: string; readonly figures: Partial<NcuLaunch> }>();
  const counter = new RowCounter("metrics", onProgress);
  let page = "";
  let rows = 0;
  for await (const reading of readings(path, (found) => (page = found))) {
    counter.count();
    rows++;
    const launch = launches.get(reading.id) ?? newLaunch(path, reading, launches.size);
    launches.set(reading.id, launch);
    const value = parseNumber(reading.text, mark);
    const figure = value === undefined ? undefined : ncuFigure(reading.metric, reading.unit, value);
    if (figure !== undefined) Object.assign(launch.figures, { [figure.figure]: figure.value });
  }
  if (rows === 0)
    throw new OperatorError("PROFILE_DAMAGED", {
      message: `${path} has a heading of Nsight Compute and no metric below it`,
      received: path,
      nextStep: "write it again: ncu --import <report.ncu-rep> --csv --page details",
    });
  return {
    detail: `Nsight Compute, ${page} page`,
    figures: {
      ...allUnknown(
        "Nsight Compute runs kernels one at a time at a locked clock, so it tells nothing of a run; give a trace of Nsight Systems",
      ),
      ncu: known(
        [...launches].map(([id, { name, figures }]) => ({
          id,
          name,
          family: kernelFamily(name),
          ...figures,
        })),
      ),
    },
    notes: [],
  };
}

function newLaunch(
  path: string,
  { kernel }: Reading,
  launches: number,
): { readonly name: string; readonly figures: Partial<NcuLaunch> } {
  if (launches >= MOST_LAUNCHES)
    throw new OperatorError("PROFILE_TOO_LARGE", {
      message: `${path} has more than ${MOST_LAUNCHES} kernel launches`,
      received: path,
      nextStep: "profile fewer launches with ncu --launch-count",
    });
  return { name: kernel.slice(0, MAX_NAME_CHARACTERS), figures: {} };
}

async function decimalMarkOf(path: string): Promise<DecimalMark> {
  const evidence = new DecimalMarkEvidence();
  for await (const { text } of readings(path, () => undefined)) evidence.add(text);
  const { mark } = evidence;
  if (mark === undefined)
    throw new OperatorError("PROFILE_DAMAGED", {
      message: `${path} writes numbers in two languages: both 1,234.5 and 1.234,5`,
      received: path,
      nextStep: "write it again under one locale, such as LC_ALL=C",
    });
  return mark;
}

async function* readings(path: string, onPage: (page: string) => void): AsyncGenerator<Reading> {
  let heading: NcuHeading | undefined;
  let units: readonly string[] | undefined;
  for await (const cells of csvRecords(path)) {
    const found = ncuHeading(cells);
    if (found !== undefined) {
      heading = found;
      units = undefined;
      onPage(found.page);
      continue;
    }
    if (heading === undefined || !isRow(heading, cells)) continue;
    const at = (column: string): string => cells[heading?.places.get(column) ?? -1] ?? "";
    if (heading.page === "details") {
      // A rule's row has words where the metric would stand.
      if (at("Metric Name") !== "")
        yield {
          id: at("ID"),
          kernel: at("Kernel Name"),
          metric: at("Metric Name"),
          unit: at("Metric Unit"),
          text: at("Metric Value"),
        };
    } else if (at("ID") === "") units = cells;
    else yield* rawReadings(heading, units, cells);
  }
}

/** The details page leaves the columns of rules away where there is no rule, but not the comma before them. */
function isRow({ page, places }: NcuHeading, cells: readonly string[]): boolean {
  if (page === "raw") return cells.length === places.size;
  return (
    cells.length > (places.get("Metric Value") ?? 0) && /^\d+$/.test(cells[places.get("ID") ?? -1] ?? "")
  );
}

/** Only the metrics that become figures: a raw page has thousands of columns. */
function* rawReadings(
  { places }: NcuHeading,
  units: readonly string[] | undefined,
  cells: readonly string[],
): Generator<Reading> {
  const id = cells[places.get("ID") ?? -1] ?? "";
  const kernel = cells[places.get("Kernel Name") ?? -1] ?? "";
  for (const [metric, place] of places)
    if (isNcuMetric(metric))
      yield { id, kernel, metric, unit: units?.[place] ?? "", text: cells[place] ?? "" };
}
