/** Study 002: why a figure does not follow, by figure id. */
export const KERNEL_PROFILING_REASONS: ReadonlyMap<string, string> = new Map([
  [
    "kernels-pooled.ollama-8.klow",
    "does not follow from the six counts, which are exact; the cause is not printed",
  ],
  [
    "kernels-pooled.ollama-8.khigh",
    "does not follow from the six counts, which are exact; the cause is not printed",
  ],
  ["bandwidth.ollama-3b.pct8u", "1,228.8 ÷ 432 is 284.4 %; 285 needs another rate than the printed 96"],
  ["excess.abstract.high", "998.4 GB/s is 231.1 % of peak"],
  [
    "power.3.d",
    "one-sided with n − 1 degrees of freedom (2.384) and a digit wrong; the stated formula gives 2.267",
  ],
  ["power.2.d", "one-sided with n − 1 degrees of freedom; the stated formula gives 4.303"],
  ["memory-time.ollama.d", "above what the printed means of the two models allow"],
  ["text.kernel-gap-least.value", "no printed condition comes below 240"],
  ["text.model-difference-pytorch.value", "said of both backends; it holds for Ollama"],
  ["text.peak-share-1-ollama.value", "the largest of its own column is 36"],
  ["text.pytorch-demand-8.value", "its own table gives 138 and 195 GB/s"],
  ["text.amdahl-drop.value", "these fractions give 73 to 79 %"],
]);
