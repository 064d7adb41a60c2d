import { describe, expect, it } from "vitest";
import type { MadeCall, MadeKernel, MadeTables } from "../../../test/fakes/made-export.ts";
import { kernelTable, madeExport, runtimeTable, stringTable } from "../../../test/fakes/made-export.ts";
import { readProfile } from "../../profile/read-profile.ts";
import { countText, kernelNameText, nsText, rateText, shareText, sizeText } from "./measure-text.ts";
import { idleCause, profileAnswer } from "./profile-answer.ts";

async function answerTo(
  kernels: readonly MadeKernel[],
  calls: readonly MadeCall[] = [],
  more: MadeTables = {},
): Promise<readonly string[]> {
  const path = madeExport({
    StringIds: stringTable({ 1: "mul_mat_q", 2: "cudaLaunchKernel", 3: "cudaGraphLaunch" }) as never,
    ...(kernels.length === 0 ? {} : { CUPTI_ACTIVITY_KIND_KERNEL: kernelTable(kernels) as never }),
    ...(calls.length === 0 ? {} : { CUPTI_ACTIVITY_KIND_RUNTIME: runtimeTable(calls) as never }),
    ...more,
  });
  return profileAnswer(await readProfile([path]));
}

const graphBlocks = (rows: readonly (readonly number[])[]): MadeTables => ({
  CUPTI_ACTIVITY_KIND_GRAPH_TRACE: {
    columns: ["start", "end", "deviceId", "contextId", "streamId", "globalPid"],
    rows,
  },
});

describe("the answer to a profile", () => {
  it("names what dominated, and says that launches are slower than kernels", async () => {
    const kernels = [0, 1, 2].map((n) => ({ start: n * 100, end: n * 100 + 20, correlation: n }));
    const calls = [0, 1, 2].map((n) => ({ start: n * 100 - 60, end: n * 100 - 5, name: 2, correlation: n }));
    expect(await answerTo(kernels, calls)).toEqual([
      "Quantised matmul kernels dominate: 100 % of 60 ns GPU time in 3 of 3 kernels. The longest is mul_mat_q with 100 %.",
      "Device 0 was busy 60 ns, 27 % of its span of 220 ns; one kernel at a time.",
      "Device 0 mostly waits: 160 ns in 2 gaps (median 80 ns, longest 80 ns), launch-bound: 75 % while it was being launched, 25 % before the host began to launch the next kernel.",
    ]);
  });

  it("does not take decode inside graphs for an idle device", async () => {
    const graphs = graphBlocks([[1000, 9000, 0, 1, 7, 0]]);
    const answer = await answerTo([{ start: 0, end: 1000 }], [{ start: 0, end: 5, name: 3 }], graphs);
    expect(answer[1]).toBe(
      "Work ran inside CUDA graphs: 1 launches, 8 µs in all, whose kernels are NOT in this trace. Servers run decode in graphs, so the kernel figures cover only what ran outside, such as prefill; record with --cuda-graph-trace=node to see them.",
    );
    expect(answer[2]).toBe(
      "Device 0 was busy 9 µs, 100 % of its span of 9 µs, kernels and whole graphs together. Kernels outside of graphs: 1 µs, 100 % of its span of 1 µs.",
    );
  });

  it("knows nothing of kernels where all work ran inside graphs, and counts none", async () => {
    const answer = await answerTo([], [], graphBlocks([[0, 10, 0, 1, 7, 0]]));
    expect(answer[0]).toBe(
      "What ran on the GPU is unknown, because the table CUPTI_ACTIVITY_KIND_KERNEL is missing.",
    );
    expect(answer[2]).toMatch(/Kernels outside of graphs: none seen\.$/);
  });

  it("tells concurrency of streams from overlap within one", async () => {
    const answer = await answerTo([
      { start: 0, end: 10, stream: 1 },
      { start: 2, end: 12, stream: 2 },
      { start: 8, end: 20, stream: 1 },
    ]);
    expect(answer[1]).toBe(
      "Device 0 was busy 20 ns, 100 % of its span of 20 ns; up to 3 kernels at a time on up to 2 streams, 1 overlaps within one stream.",
    );
  });
});

it("a cause that holds less than half of the idle time does not name it", () => {
  const split = { transferNs: 40, launchBoundNs: 30, alreadyLaunchedNs: 0, hostBoundNs: 30, unknownNs: 0 };
  expect(idleCause(split).verdict).toBe("of mixed causes");
});

it("figures are printed as a reader takes them in", () => {
  expect([0, 640, 12_345, 12_345_678, 1_790_607_861, undefined].map(nsText)).toEqual([
    "0 ns",
    "640 ns",
    "12.3 µs",
    "12.3 ms",
    "1.79 s",
    "–",
  ]);
  expect([0, 0.00001, 0.005, 0.63, 0.9999, 1, undefined].map(shareText)).toEqual([
    "0.0 %",
    "< 0.01 %",
    "0.50 %",
    "63 %",
    "99.99 %",
    "100 %",
    "–",
  ]);
  expect([2e6, 196.46e9].map(rateText)).toEqual(["2 MB/s", "196 GB/s"]);
  expect([18, 2048].map(sizeText)).toEqual(["18 B", "2 KiB"]);
  expect(countText(5_274_779)).toBe("5,274,779");
});

it("a kernel's name keeps what tells it apart", () => {
  expect(kernelNameText("void mul_mat_q<(ggml_type)8, (int)128>(const char *)")).toBe("mul_mat_q");
  expect(
    kernelNameText(
      "void at::native::vectorized_elementwise_kernel<(int)4, at::native::CUDAFunctor_add<float>>(int)",
    ),
  ).toBe("vectorized_elementwise_kernel<CUDAFunctor_add>");
});
