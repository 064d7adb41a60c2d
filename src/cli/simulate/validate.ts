/** `slipway simulate --validate`: what others measured and published, simulated, with the error of each figure. */
import { UNKNOWN, formatBytes, formatNumber } from "../../core/units.ts";
import { renderSectionText } from "../../report/section/section-text.ts";
import type { Section } from "../../report/section/section.ts";
import { heading, lead, left, list, note, plain, right, table } from "../../report/section/section.ts";
import { mean } from "../../stats/quantile.ts";
import type { CliIo, ExitCode } from "../io.ts";
import type { RowComparison, SpikeComparison } from "./capacity-spike.ts";
import { capacitySpikeComparison } from "./capacity-spike.ts";
import type { WallComparison } from "./kernel-profiling.ts";
import { kernelProfilingComparison } from "./kernel-profiling.ts";
import type { RawSimulateFlags } from "./flags.ts";
import type { StepComparison } from "./published-steps.ts";
import { publishedSteps } from "./published-steps.ts";

/** A row of a study is one run on a background that changed; a step of layers is not. */
const BAR_PCT = { steps: 8, rows: 20, walls: 15 } as const;
/** Published rates that lie closer are not put in order: each is one run. */
const LEAST_APART = 1.1;

/** Prints what is not met too. Exit code 1 where a bar is missed. */
export function runValidation({ json }: RawSimulateFlags, io: CliIo): ExitCode {
  const steps = publishedSteps();
  const walls = kernelProfilingComparison();
  const spike = capacitySpikeComparison();
  if (json === true)
    io.out(
      `${JSON.stringify({ simulated: true, steps, kernelProfiling: walls, capacitySpike: spike }, undefined, 2)}\n`,
    );
  else
    io.out(
      [stepSection(steps), wallSection(walls), spikeSection(spike)]
        .map((one) => renderSectionText(one, io.outColumns))
        .join("\n"),
    );
  const isOff = (bar: number) => (one: { readonly errorPct: number }) => Math.abs(one.errorPct) > bar;
  const missed =
    steps.some(isOff(BAR_PCT.steps)) || walls.some(isOff(BAR_PCT.walls)) || missedRows(spike).length > 0;
  return missed ? 1 : 0;
}

function stepSection(steps: readonly StepComparison[]): Section {
  const sizes = steps.map(({ errorPct }) => Math.abs(errorPct));
  const contexts = [...new Set(steps.map(({ contextTokens }) => contextTokens))];
  const batches = [...new Set(steps.map(({ sequences }) => sequences))];
  return {
    id: "published-steps",
    title: "Steps composed from LLMServingSim's layer times",
    simulated: true,
    blocks: [
      lead(
        `${steps.length} decode steps of Llama-3.1-8B on an RTX 4090: ${formatNumber(mean(sizes))} % off on average, ${formatNumber(Math.max(...sizes))} % at worst, from one set of constants; the bar is ${BAR_PCT.steps} %.`,
      ),
      ...table(
        "step in ms as measured, and the error of what is predicted",
        [right("sequences"), ...contexts.flatMap((tokens) => [right(`${tokens / 1024}k`), right("error")])],
        batches.map((sequences) => [
          String(sequences),
          ...contexts.flatMap((tokens) => {
            const step = steps.find((one) => one.sequences === sequences && one.contextTokens === tokens);
            return [
              formatNumber(step === undefined ? undefined : step.measuredNs / 1e6),
              percent(step?.errorPct),
            ];
          }),
        ]),
      ),
      note(
        "Layer times: LLMServingSim, MIT licence; the constants were fitted to these steps, so that this is no prediction.",
      ),
    ],
  };
}

function wallSection(walls: readonly WallComparison[]): Section {
  const worst = Math.max(...walls.map(({ errorPct }) => Math.abs(errorPct)));
  return {
    id: "kernel-profiling",
    title: "Study 002, wall times of eight agents from those of one",
    simulated: true,
    blocks: [
      lead(`Off by ${formatNumber(worst)} % at worst; the bar is ${BAR_PCT.walls} %.`),
      ...table(
        "mean wall time of a request, ms",
        [left("backend, model"), ...["one agent", "eight, published", "simulated", "error"].map(right)],
        walls.map(({ label, aloneMs, togetherMs, simulatedMs, errorPct }) => [
          label,
          ...[aloneMs, togetherMs, simulatedMs].map((ms) => formatNumber(ms, 0)),
          percent(errorPct),
        ]),
      ),
      note(
        "Ollama serves one request after the other, PyTorch's threads take turns; three requests of 128 tokens each.",
      ),
    ],
  };
}

function spikeSection(spike: SpikeComparison): Section {
  const missed = missedRows(spike);
  const [right_, all] = orderOf(spike);
  const judged = spike.rows.filter((one) => one.residency.kind === "resident" && !one.calibrated);
  return {
    id: "capacity-spike",
    title: "Study 003, nine workloads of one RTX 4090",
    simulated: true,
    blocks: [
      lead(
        `${judged.length - missed.length} of ${judged.length} resident rows are predicted within ${BAR_PCT.rows} % in aggregate tok/s from the per-call rates of rows 01 and 03${missed.length === 0 ? "" : `; not reached: ${missed.map(({ row }) => row.id).join(", ")}`}. Of ${all} pairs more than 10 % apart, ${right_} are in the right order.`,
      ),
      plain(
        `Fitted: weights are read at ${formatNumber(100 * spike.kernels.weights)} % of the card's bandwidth, and each sequence of a step costs ${formatNumber((spike.kernels.sequenceNs ?? 0) / 1e6, 2)} ms; all else is ${spike.kernels.name}'s prior.`,
      ),
      ...table(
        "aggregate tok/s",
        [left("row"), ...["published", "simulated", "error", "left out", "error"].map(right), left("")],
        spike.rows.map((one) => rowCells(one)),
      ),
      note(
        `left out: simulated with constants (${spike.leftOutConstants.join(", ")}) that were fitted to the per-call rates of all other resident rows.`,
      ),
      heading("Not resident, by the ledger"),
      ...list(spike.rows.flatMap(residencySentence)),
    ],
  };
}

function rowCells({ cell, row, calibrated, resident, residency, leftOut }: RowComparison): readonly string[] {
  const published = row.aggregateTokS.value;
  return [
    cell.name,
    row.aggregateTokS.text,
    ...(residency.kind === "resident"
      ? ratePair(resident.aggregateTokensPerS, published)
      : [UNKNOWN, UNKNOWN]),
    ...(leftOut === undefined ? [UNKNOWN, UNKNOWN] : ratePair(leftOut.aggregateTokensPerS, published)),
    residency.kind === "not-resident" ? "not resident" : calibrated ? "fitted to its per-call rate" : "",
  ];
}

function ratePair(simulated: number, published: number): readonly string[] {
  return [formatNumber(simulated), percent(100 * (simulated / published - 1))];
}

function residencySentence({ cell, row, residency }: RowComparison): readonly string[] {
  if (residency.kind === "resident") return [];
  const { missingBytes, gpuLayers, layers, offloaded } = residency;
  return [
    `${cell.name}: ${formatBytes(missingBytes)} are missing, so that no figure of a healthy server is predicted. With ${gpuLayers} of ${layers} layers on the card 1 GiB is free, as it was; the others on an assumed host of 76.8 GB/s give ${formatNumber(offloaded.aggregateTokensPerS)} tok/s, published were ${row.aggregateTokS.text}.`,
  ];
}

function missedRows({ rows }: SpikeComparison): readonly RowComparison[] {
  return rows.filter(
    ({ row, calibrated, resident, residency }) =>
      !calibrated &&
      residency.kind === "resident" &&
      Math.abs(resident.aggregateTokensPerS / row.aggregateTokS.value - 1) > BAR_PCT.rows / 100,
  );
}

/** Pairs of resident rows: how many are in the published order, and how many there are. */
function orderOf({ rows }: SpikeComparison): readonly [right: number, all: number] {
  const known = rows.filter(({ residency }) => residency.kind === "resident");
  const pairs = known.flatMap((one) =>
    known
      .filter((other) => other.row.aggregateTokS.value > LEAST_APART * one.row.aggregateTokS.value)
      .map((other) => [one, other] as const),
  );
  const inOrder = pairs.filter(
    ([low, high]) => low.resident.aggregateTokensPerS < high.resident.aggregateTokensPerS,
  );
  return [inOrder.length, pairs.length];
}

function percent(value: number | undefined): string {
  const text = formatNumber(value);
  return value === undefined ? text : `${value < 0 ? "−" : "+"}${text.replace("-", "")} %`;
}
