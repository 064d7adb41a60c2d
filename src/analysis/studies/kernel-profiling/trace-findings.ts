/** Study 002: what its profiles do and do not say. */
import { holm } from "../../../stats/holm.ts";
import { detectableEffect } from "../../../stats/power.ts";
import { tQuantile } from "../../../stats/distributions.ts";
import { median } from "../../../stats/quantile.ts";
import { meanOf } from "../sample-figures.ts";
import type { Finding } from "../study-findings.ts";
import { countText, numberText, percentText, powerText } from "../words.ts";
import { BYTES_PER_PARAM_Q4_0, BYTES_PER_PARAM_Q8_0 } from "./corrections.ts";
import type { KernelProfilingInputs } from "./inputs.ts";
import { conditionOf, modelOf, pooled } from "./inputs.ts";
import { memoryTimeBounds } from "./memory-time.ts";

const MS_PER_S = 1000;

export function traceFindings(inputs: KernelProfilingInputs): readonly Finding[] {
  return [
    memoryTimeImpossible(inputs),
    memoryTimeMeaning(),
    decodeMissing(inputs),
    quantisedType(inputs),
    noVariance(inputs),
    excludedRepetition(inputs),
    power(inputs),
    outliers(),
    utilisation(inputs),
    overlap(inputs),
    overhead(inputs),
    workload(inputs),
    holmFamily(inputs),
    lostTraces(),
  ];
}

function memoryTimeImpossible({ memoryTimeMs }: KernelProfilingInputs): Finding {
  const bounds = memoryTimeBounds(memoryTimeMs.ollama).perModel;
  const n = (value: number | undefined, decimals: number): string =>
    numberText(value ?? Number.NaN, decimals);
  return {
    id: "memory-time-impossible",
    kind: "contradiction",
    section: "SS4.4, SS10.2",
    says: "Ollama's memory time rises with d = 3.81, t = −6.61, p = 6.4 × 10^-5: the strongest signal, the only one that survives Holm.",
    shows: `Its six runs at N = 1 are three of a model with 109.3 ms and three of one with 245.4 ms, so they vary by at least sd ${n(bounds?.leastSdMs, 1)} ms; d = 3.81 leaves at most ${n(bounds?.sdAllowedByPrintedDMs, 1)} ms. From the printed means d is at most ${n(bounds?.mostD, 2)}, |t| at most ${n(bounds?.mostT, 2)} and p at least ${n(bounds?.leastP, 4)}: d, t and p of the central test do not follow from its own means.`,
  };
}

function memoryTimeMeaning(): Finding {
  return {
    id: "memory-time-meaning",
    kind: "interpretation",
    section: "SS2.2, SS10",
    says: "Memory operation time rises, so the memory bus is under stress.",
    shows:
      "Its metric sums memcpy and memset. Weights are read by the kernels themselves and are in no such operation, so the figure says nothing about the traffic it is taken for.",
  };
}

function decodeMissing(inputs: KernelProfilingInputs): Finding {
  const { maxNewTokens, requestsPerAgentAlone, warmUpRequests } = inputs.settings;
  const requests = requestsPerAgentAlone + warmUpRequests;
  const perLayer = inputs.models.map(({ id, layers }) => {
    const kernels = conditionOf(inputs, "ollama", id, 1).kernels.map((run) => run.value);
    return meanOf(kernels) / requests / layers;
  });
  const gpuMs = meanOf(conditionOf(inputs, "ollama", "1b", 1).gpuTimeMs.map((run) => run.value));
  const gigabytes = modelOf(inputs, "1b").paramsB.value * inputs.bytesPerParam.ollama * maxNewTokens;
  const leastMs = (gigabytes / inputs.gpu.peakGbS) * MS_PER_S;
  return {
    id: "decode-missing",
    kind: "inference",
    section: "SS4.3, SS8",
    says: "The GPU works 5.7 % of a request's time; the rest is the server's overhead.",
    shows: `${maxNewTokens} tokens of the 1B model read ${numberText(gigabytes, 1)} GB of weights, which takes ${numberText(leastMs, 0)} ms at peak bandwidth for one request, while the trace holds ${numberText(gpuMs, 1)} ms for all of them: decode cannot be in it. The counts say the same: over ${requests} requests (warm-up included) ${perLayer.map((value) => numberText(value, 1)).join(" and ")} kernels per layer and request, for both models, fit one prefill pass. Most likely decode ran inside CUDA graphs. Kernel counts and GPU times of Ollama do not describe decode, and cannot be set beside PyTorch's.`,
  };
}

function quantisedType({ bytesPerParam }: KernelProfilingInputs): Finding {
  return {
    id: "quantised-type",
    kind: "inference",
    section: "SS3.2, SS4.4",
    says: "Kernels of ggml type 8 show Q4_0, at 0.5 bytes per parameter.",
    shows: `Type 8 is Q8_0, Q4_0 is type 2. Neither is ${numberText(bytesPerParam.ollama, 1)}: a block of 32 weights carries a 2-byte scale, so Q4_0 takes ${numberText(BYTES_PER_PARAM_Q4_0, 4)} and Q8_0 ${numberText(BYTES_PER_PARAM_Q8_0, 4)} bytes per parameter. Every bandwidth figure of Ollama is to be multiplied by ${numberText(BYTES_PER_PARAM_Q4_0 / bytesPerParam.ollama, 3)} if it was Q4_0, and by ${numberText(BYTES_PER_PARAM_Q8_0 / bytesPerParam.ollama, 3)} if it was Q8_0.`,
  };
}

function noVariance({ holm: { tests } }: KernelProfilingInputs): Finding {
  const undefinedTests = tests.filter((test) => test.p === undefined).length;
  return {
    id: "no-variance",
    kind: "contradiction",
    section: "SS12, SS13, SS15, appendix C",
    says: "Context switching and cache pressure are rejected: their measures do not change, p undefined and p = 1.0.",
    shows: `A measure without any variance decides nothing: ${undefinedTests} of the ${tests.length} tests have no p for that reason, and allocation counts, which vary as little, are given p = 1.0 against the study's own rule (undefined). Both hypotheses are unknown, not rejected.`,
  };
}

function excludedRepetition(inputs: KernelProfilingInputs): Finding {
  const kernels = (agents: 1 | 8) => pooled(inputs, "pytorch", agents, "kernels").map((run) => run.value);
  const without = (agents: 1 | 8): number => {
    const excluded = conditionOf(inputs, "pytorch", "3b", agents).kernels[0]?.value;
    return meanOf(kernels(agents).filter((count) => count !== excluded));
  };
  const growth = (alone: number, together: number): string => percentText((together / alone - 1) * 100, 0);
  return {
    id: "excluded-repetition",
    kind: "contradiction",
    section: "SS6, SS8",
    says: "Repetition 0 of PyTorch 3B completed no request and is excluded.",
    shows: `It is excluded from throughput only. Kernel counts and GPU times keep it: without it the means are ${countText(without(1))} and ${countText(without(8))} kernels in place of ${countText(meanOf(kernels(1)))} and ${countText(meanOf(kernels(8)))}, a growth of ${growth(without(1), without(8))} in place of ${growth(meanOf(kernels(1)), meanOf(kernels(8)))}.`,
  };
}

function power({ holm: { alpha } }: KernelProfilingInputs): Finding {
  const effect = (n: number) => detectableEffect(n);
  const critical = (n: number): string => {
    const known = effect(n);
    return known.kind === "known" ? numberText(known.criticalD, 3) : "–";
  };
  const oneSided = (n: number): string => numberText(tQuantile(1 - alpha, n - 1) * Math.sqrt(2 / n), 3);
  const six = effect(6);
  return {
    id: "power",
    kind: "contradiction",
    section: "SS16.1, appendix C",
    says: "Minimum detectable d: 1.286 (n = 6), 1.458 (5), 2.484 (3), 6.314 (2), by t_crit(α/2, 2n − 2)·√(2/n).",
    shows: `By that formula n = 3 gives ${critical(3)} and n = 2 gives ${critical(2)}. One-sided with n − 1 degrees of freedom gives ${oneSided(2)} for n = 2, as printed, and ${oneSided(3)} for n = 3, a digit away from what is printed twice: two formulas were mixed. And d at the critical value is found only half of the time: ${six.kind === "known" ? numberText(six.detectableD, 2) : "–"} is what n = 6 finds with 80 % power.`,
  };
}

function outliers(): Finding {
  return {
    id: "outliers-cannot-be",
    kind: "assumption",
    section: "SS16",
    says: "Tukey's fences found no outlier in any group.",
    shows:
      "In three sorted values a ≤ b ≤ c the upper fence is (b + c)/2 + 0.75·(c − a), which is never below c, for 2b + c ≥ 3a; the lower one is its mirror. Groups of two or three cannot have an outlier by this rule, so nothing was found out.",
  };
}

function utilisation(inputs: KernelProfilingInputs): Finding {
  const { profileAloneS, profileTogetherS } = inputs.settings;
  // The median, since a repetition of the 3B model completed no request and filled little of its profile.
  const share = (model: "1b" | "3b", agents: 1 | 8): number => {
    const runs = conditionOf(inputs, "pytorch", model, agents).gpuTimeMs.map((run) => run.value);
    const gpuMs = median(runs) ?? Number.NaN;
    return (gpuMs / ((agents === 1 ? profileAloneS : profileTogetherS).pytorch * MS_PER_S)) * 100;
  };
  return {
    id: "utilisation-zero",
    kind: "contradiction",
    section: "SS9",
    says: "GPU utilisation rounds to 0.0 % in all 24 runs, since kernels fill a tiny part of the profile.",
    shows: `For PyTorch they fill ${percentText(share("1b", 1), 0)} (1B) and ${percentText(share("3b", 1), 0)} (3B) of the profile at N = 1, ${percentText(share("1b", 8), 0)} and ${percentText(share("3b", 8), 0)} at N = 8, by the median repetition. Zero everywhere is a defect of the measurement; so are the gap figures without variance that come from the same trace.`,
  };
}

function overlap(inputs: KernelProfilingInputs): Finding {
  const condition = conditionOf(inputs, "pytorch", "1b", 1);
  const wallMs = meanOf(condition.wallMs.map((run) => run.value));
  const gpuMs = meanOf(condition.gpuTimeMs.map((run) => run.value));
  const requests = inputs.settings.requestsPerAgentAlone;
  return {
    id: "kernel-overlap",
    kind: "contradiction",
    section: "SS6.4, SS11.1",
    says: "PyTorch's GPU time exceeds its wall time, so kernels overlap; at most one kernel ran at any time in every run.",
    shows: `The two exclude each other. GPU time is the sum over the profile, wall time that of one request: ${requests} requests take ${countText(requests * wallMs)} ms of wall, more than the ${countText(gpuMs)} ms on the GPU, without warm-up. Nothing overlapped.`,
  };
}

function overhead(inputs: KernelProfilingInputs): Finding {
  const condition = conditionOf(inputs, "ollama", "1b", 1);
  const wallMs = meanOf(condition.wallMs.map((run) => run.value));
  const gpuMs = meanOf(condition.gpuTimeMs.map((run) => run.value));
  return {
    id: "overhead-share",
    kind: "contradiction",
    section: "SS4.3",
    says: "The remaining 94.3 % is overhead, matching about 210 ms per request found earlier.",
    shows: `What remains is ${numberText(wallMs - gpuMs, 0)} ms, not 210 ms; and the GPU time it is taken from belongs to all requests of the profile, not to one.`,
  };
}

function workload({ settings }: KernelProfilingInputs): Finding {
  const together = settings.agentsTogether * settings.requestsPerAgentTogether;
  const alone = settings.requestsPerAgentAlone;
  return {
    id: "kernel-growth",
    kind: "contradiction",
    section: "SS5.3",
    says: "Kernel counts grow about five-fold for an eight-fold workload, since some requests are cut off.",
    shows: `The workload is ${together} requests against ${alone}: ${numberText(together / alone, 1)} ×. Counts that grow 4.9 × fit that, and no cut-off is needed to explain them.`,
  };
}

function holmFamily({ holm: { alpha, tests } }: KernelProfilingInputs): Finding {
  const results = holm(
    tests.map((test) => test.p?.value),
    alpha,
  );
  const defined = results.filter((result) => result.kind === "adjusted").length;
  const first = results[0];
  return {
    id: "holm-family",
    kind: "interpretation",
    section: "SS15.3",
    says: "Six tests are corrected; one survives.",
    shows: `${defined} of the six have a p at all${first?.kind === "adjusted" ? ` (adjusted: ${powerText(first.adjustedP)} for memory time)` : ""}. The comparisons that carry the conclusion, degradation by backend and model, are not in the family.`,
  };
}

function lostTraces(): Finding {
  return {
    id: "lost-traces",
    kind: "contradiction",
    section: "SS6.4, SS11.1, SS16.3",
    says: "At most one kernel ran at a time in all 26 runs.",
    shows:
      "The figure comes from the kernel trace, which could not be read for the three PyTorch 3B runs at N = 8, and the two Nsight Compute runs have none: it is known for 21 runs. N = 8 on the larger model, where overlap would matter, is missing.",
  };
}
