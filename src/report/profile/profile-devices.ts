/** Devices, their gaps and their streams as tables. */
import type { ProfileFigures } from "../../profile/figures.ts";
import { valueOf } from "../../profile/figures.ts";
import type { SectionBlock } from "../section/section.ts";
import { left, note, right, table } from "../section/section.ts";
import { firstOf } from "./first-of.ts";
import { countText, nsText, rateText, shareText, sizeText } from "./measure-text.ts";

export function deviceBlocks(figures: ProfileFigures, top: number): readonly SectionBlock[] {
  return [...deviceTable(figures), ...gpuNotes(figures), ...gapTable(figures), ...streamTable(figures, top)];
}

function deviceTable({ devices }: ProfileFigures): readonly SectionBlock[] {
  return table(
    "Devices: GPU time is a sum, busy a union",
    [
      left("device"),
      right("kernels"),
      right("GPU time"),
      right("busy"),
      right("span"),
      right("of span"),
      right("of window"),
      right("at once"),
    ],
    (valueOf(devices) ?? []).map((row) => [
      row.device,
      countText(row.kernels),
      nsText(row.gpuTimeNs),
      nsText(row.busyNs),
      nsText(row.spanNs),
      shareText(row.utilisationOfSpan),
      shareText(valueOf(row.utilisationOfWindow)),
      String(row.concurrency.maxKernels),
    ]),
  );
}

function gpuNotes({ gpus }: ProfileFigures): readonly SectionBlock[] {
  return (valueOf(gpus) ?? []).map(({ name, memoryBytes, memoryBytesPerS, multiprocessors }) => {
    const parts = [
      ...(memoryBytes === undefined ? [] : [sizeText(memoryBytes)]),
      ...(memoryBytesPerS === undefined ? [] : [`${rateText(memoryBytesPerS)} peak`]),
      ...(multiprocessors === undefined ? [] : [`${multiprocessors} multiprocessors`]),
    ];
    return note(`GPU: ${[name, ...parts].join(", ")}.`);
  });
}

function gapTable({ devices }: ProfileFigures): readonly SectionBlock[] {
  const rows = (valueOf(devices) ?? []).flatMap((row) => {
    const [gaps, idle] = [valueOf(row.gaps), valueOf(row.idle)];
    return gaps === undefined ? [] : [{ device: row.device, gaps, idle }];
  });
  return table(
    "Gaps between kernels, and what the device waited for",
    [
      left("device"),
      right("gaps"),
      right("p50"),
      right("p90"),
      right("p99"),
      right("max"),
      right("host"),
      right("launch"),
      right("copies"),
      right("unknown"),
    ],
    rows.map(({ device, gaps, idle }) => [
      device,
      countText(gaps.count),
      nsText(gaps.p50Ns),
      nsText(gaps.p90Ns),
      nsText(gaps.p99Ns),
      nsText(gaps.maxNs),
      nsText(idle?.hostBoundNs),
      nsText(idle?.launchBoundNs),
      nsText(idle?.transferNs),
      nsText(idle === undefined ? gaps.totalNs : idle.unknownNs),
    ]),
  );
}

function streamTable({ devices }: ProfileFigures, top: number): readonly SectionBlock[] {
  const rows = (valueOf(devices) ?? []).flatMap((device) =>
    (valueOf(device.streams) ?? []).map((stream) => ({ device: device.device, ...stream })),
  );
  // With one stream per device the table of devices has said it all.
  if (rows.length <= (valueOf(devices) ?? []).length) return [];
  return table(
    `Streams${firstOf(top, rows.length)}`,
    [left("device"), left("stream"), right("kernels"), right("GPU time"), right("busy")],
    rows
      .slice(0, top)
      .map((row) => [
        row.device,
        row.stream,
        countText(row.kernels),
        nsText(row.gpuTimeNs),
        nsText(row.busyNs),
      ]),
  );
}
