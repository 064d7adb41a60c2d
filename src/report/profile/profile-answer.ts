/** What a profile says, in sentences, first things first. */
import type {
  BusyFigures,
  DeviceFigures,
  GraphReading,
  IdleSplit,
  ProfileFigures,
} from "../../profile/figures.ts";
import { valueOf } from "../../profile/figures.ts";
import { countText, kernelNameText, nsText, shareText } from "./measure-text.ts";

export function profileAnswer(figures: ProfileFigures): readonly string[] {
  const devices = valueOf(figures.devices) ?? [];
  const graphs = valueOf(figures.graphs);
  if (figures.kernels.kind === "unknown" && figures.ncu.kind === "known")
    return [...ncuSentence(figures), dominant(figures)];
  return [
    dominant(figures),
    ...(graphs === undefined ? [] : graphSentence(graphs)),
    ...devices.slice(0, MOST_DEVICES_TOLD).flatMap((device) => deviceSentences(device, graphs)),
    ...(devices.length > MOST_DEVICES_TOLD
      ? [`${devices.length - MOST_DEVICES_TOLD} further devices stand in the table.`]
      : []),
    ...ncuSentence(figures),
  ];
}

/** More devices are read in the table. */
const MOST_DEVICES_TOLD = 4;

function dominant({ kernels, families, gpuTimeNs, kernelCount }: ProfileFigures): string {
  if (kernels.kind === "unknown") return `What ran on the GPU is unknown, because ${kernels.because}.`;
  const [family] = valueOf(families) ?? [];
  const [kernel] = kernels.value;
  const totalNs = valueOf(gpuTimeNs);
  if (family === undefined || kernel === undefined)
    return "No kernel stands in the trace; what ran stands below.";
  const count = countText(valueOf(kernelCount) ?? 0);
  return `${sentenceStart(family.family)} kernels dominate: ${shareText(family.timeShare)} of ${nsText(totalNs)} GPU time in ${countText(family.kernels)} of ${count} kernels. The longest is ${kernelNameText(kernel.name)} with ${shareText(kernel.timeShare)}.`;
}

function sentenceStart(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function graphSentence(graphs: GraphReading): readonly string[] {
  const remedy = "record with --cuda-graph-trace=node to see them";
  switch (graphs.kind) {
    case "none":
      return [];
    case "nodes":
      return [
        `${countText(graphs.kernels)} kernels ran inside CUDA graphs and are in the figures, each by itself.`,
      ];
    case "hidden": {
      const time = graphs.graphTimeNs === undefined ? "" : `, ${nsText(graphs.graphTimeNs)} in all`;
      return [
        `Work ran inside CUDA graphs: ${countText(graphs.launches)} launches${time}, whose kernels are NOT in this trace. Servers run decode in graphs, so the kernel figures cover only what ran outside, such as prefill; ${remedy}.`,
      ];
    }
    case "undecided":
      return [
        `${countText(graphs.launches)} CUDA graphs were launched, and the file does not tell whether their kernels are in it; if not, the figures lack them: ${remedy}.`,
      ];
  }
}

function deviceSentences(device: DeviceFigures, graphs: GraphReading | undefined): readonly string[] {
  const withGraphs = device.withGraphs;
  const name = `Device ${device.device}`;
  if (withGraphs !== undefined) {
    const outside = device.kernels === 0 ? "none seen" : busyText(device);
    return [
      `${name} was busy ${busyText(withGraphs)}, kernels and whole graphs together. Kernels outside of graphs: ${outside}.`,
    ];
  }
  const hidden = graphs?.kind === "hidden" ? " with kernels that the trace shows" : "";
  const concurrency =
    device.concurrency.maxKernels === 1
      ? "one kernel at a time"
      : `up to ${device.concurrency.maxKernels} kernels at a time${streamsText(device)}`;
  return [`${name} was busy${hidden} ${busyText(device)}; ${concurrency}.`, ...idleSentence(device)];
}

function streamsText({ concurrency }: DeviceFigures): string {
  const { maxStreams, sameStreamOverlaps } = concurrency;
  if (maxStreams === undefined) return "";
  const overlaps =
    sameStreamOverlaps === undefined || sameStreamOverlaps === 0
      ? ""
      : `, ${countText(sameStreamOverlaps)} overlaps within one stream`;
  return ` on up to ${maxStreams} stream${maxStreams === 1 ? "" : "s"}${overlaps}`;
}

function busyText({ utilisationOfSpan, utilisationOfWindow, busyNs, spanNs }: BusyFigures): string {
  const window =
    utilisationOfWindow.kind === "known"
      ? ` and ${shareText(utilisationOfWindow.value)} of the recorded window`
      : "";
  return `${nsText(busyNs)}, ${shareText(utilisationOfSpan)} of its span of ${nsText(spanNs)}${window}`;
}

function idleSentence({ device, gaps, idle, busyNs }: DeviceFigures): readonly string[] {
  if (gaps.kind === "unknown") return [];
  const { count, totalNs, p50Ns, maxNs } = gaps.value;
  const facts = `${nsText(totalNs)} in ${countText(count)} gaps (median ${nsText(p50Ns)}, longest ${nsText(maxNs)})`;
  if (idle.kind === "unknown")
    return [`It was idle ${facts}; what it waited for is unknown, because ${idle.because}.`];
  const cause = idleCause(idle.value);
  const weight = totalNs > busyNs ? `Device ${device} mostly waits` : "It waited";
  return [`${weight}: ${facts}, ${cause.verdict}: ${cause.parts}.`];
}

interface IdleCause {
  readonly verdict: string;
  readonly parts: string;
}

/** The cause that holds more than half of the idle time names it. */
const DECIDES = 0.5;

export function idleCause(split: IdleSplit): IdleCause {
  const causes = [
    { ns: split.hostBoundNs, verdict: "host-bound", part: "before the host began to launch the next kernel" },
    { ns: split.launchBoundNs, verdict: "launch-bound", part: "while it was being launched" },
    { ns: split.transferNs, verdict: "bound by copies", part: "while copies ran" },
    {
      ns: split.unknownNs,
      verdict: "of unknown cause",
      part: "before kernels whose launch is not in the trace",
    },
  ].sort((one, other) => other.ns - one.ns);
  const totalNs = causes.reduce((sum, { ns }) => sum + ns, 0);
  const [first] = causes;
  return {
    verdict: first !== undefined && first.ns > totalNs * DECIDES ? first.verdict : "of mixed causes",
    parts: causes
      .filter(({ ns }) => ns > 0)
      .map(({ ns, part }) => `${shareText(ns / totalNs)} ${part}`)
      .join(", "),
  };
}

function ncuSentence({ ncu }: ProfileFigures): readonly string[] {
  const launches = valueOf(ncu);
  const [longest] = [...(launches ?? [])].sort(
    (one, other) => (other.durationNs ?? 0) - (one.durationNs ?? 0),
  );
  if (launches === undefined || longest === undefined) return [];
  const { dramPctOfPeak, computePctOfPeak, achievedOccupancyPct } = longest;
  const parts = [
    ...(dramPctOfPeak === undefined ? [] : [`DRAM at ${dramPctOfPeak.toFixed(1)} % of peak`]),
    ...(computePctOfPeak === undefined ? [] : [`compute at ${computePctOfPeak.toFixed(1)} %`]),
    ...(achievedOccupancyPct === undefined ? [] : [`occupancy ${achievedOccupancyPct.toFixed(1)} %`]),
  ];
  const facts = parts.length === 0 ? "and none of the counters that are read" : parts.join(", ");
  return [
    `Nsight Compute looked into ${countText(launches.length)} launch${launches.length === 1 ? "" : "es"}; the longest, ${kernelNameText(longest.name)}: ${facts}.`,
  ];
}
