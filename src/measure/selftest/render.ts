import { formatNumber } from "../../core/units.ts";
import type { Certificate, CertifiedCell } from "./certificate.ts";
import type { ErrorFigures } from "./error-figures.ts";

const COLUMNS = [
  "streams × tok/s",
  "events/s",
  "TTFT p50",
  "max",
  "start p50",
  "p99",
  "max",
  "steady p50",
  "p99",
  "max",
  "shared %",
  "emitter late p99",
];

/** The certificate as plain text: one line per cell, receive − write in milliseconds, then the verdict. */
export function renderCertificate(certificate: Certificate): string {
  const { machine, verdict } = certificate;
  const table = [COLUMNS, ...certificate.cells.map(cellColumns)];
  const widths = COLUMNS.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) => row.map((text, column) => text.padStart(widths[column] ?? 0)).join("  "));
  const highest = verdict.highestEventsPerS;
  return [
    `Error certificate (${certificate.grid}), ${certificate.createdIso}`,
    `${machine.cpuModel ?? "unknown processor"}, ${machine.logicalCores} cores, ${machine.os}, Node ${machine.nodeVersion}`,
    "Receive − write of streamed events, milliseconds; the emitter ran beside it on this machine.",
    ...busyLines(certificate),
    "",
    ...lines,
    "",
    highest === undefined
      ? "No event rate of the grid was kept up with."
      : `Kept up with ${Math.round(highest)} events/s.`,
    ...verdict.trusted.map(({ tokensPerS, streams }) =>
      trustLine(tokensPerS, streams, fewestTried(certificate, tokensPerS)),
    ),
    "",
  ].join("\n");
}

/** A load of a quarter of the cores already takes turns with the emitter and the receiver on two of them. */
const BUSY_LOAD_PER_CORE = 0.25;

function busyLines({ loadAverage1Before, machine }: Certificate): string[] {
  if (loadAverage1Before === undefined || loadAverage1Before < BUSY_LOAD_PER_CORE * machine.logicalCores)
    return [];
  return [
    `Other programs were running (load average ${loadAverage1Before.toFixed(1)}): measure again when the machine is quiet.`,
  ];
}

/** Where even the fewest streams tried were too many, nothing is known of fewer. */
function trustLine(tokensPerS: number, streams: number, fewest: number): string {
  const counted = (count: number): string => (count === 1 ? "1 stream" : `${count} streams`);
  return streams === 0
    ? `At ${tokensPerS} tok/s per stream, ${counted(fewest)} are too many to trust; fewer were not tried.`
    : `At ${tokensPerS} tok/s per stream, trust figures up to ${counted(streams)}.`;
}

function fewestTried({ cells }: Certificate, tokensPerS: number): number {
  return Math.min(
    ...cells.filter(({ plan }) => plan.tokensPerS === tokensPerS).map(({ plan }) => plan.streams),
  );
}

function cellColumns(cell: CertifiedCell): string[] {
  const { plan, firstEvents, startBurst, steady } = cell;
  const lockstep = plan.pattern === "lockstep" ? " lockstep" : "";
  return [
    `${plan.streams} × ${plan.tokensPerS}${lockstep}`,
    formatNumber(cell.writtenEventsPerS, 0),
    formatNumber(firstEvents.p50Ms, 2),
    formatNumber(firstEvents.maxMs, 2),
    ...spread(startBurst),
    ...spread(steady),
    formatNumber(cell.sharedStampPct, 1),
    formatNumber(cell.emitterLag.p99Ms, 2),
  ];
}

function spread({ p50Ms, p99Ms, maxMs }: ErrorFigures): string[] {
  return [formatNumber(p50Ms, 2), formatNumber(p99Ms, 2), formatNumber(maxMs, 2)];
}
