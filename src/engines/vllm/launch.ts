/** How vLLM is started, by the flags of its `vllm serve` reference (0.11 and newer); none was at hand to be asked. */
import { urlOf } from "../../preset/address.ts";
import type { ProcessLaunch } from "../../preset/launch.ts";
import type { VllmPreset } from "../../preset/preset.ts";

export function launchVllm(preset: VllmPreset, port: number): ProcessLaunch {
  const sleeps = preset.sleepLevel !== undefined;
  return {
    kind: "process",
    command: preset.program,
    args: [
      ...["serve", preset.model],
      ...["--host", preset.host, "--port", `${port}`],
      ...option("--max-num-seqs", preset.slots),
      ...option("--max-model-len", preset.contextTokensPerSlot),
      ...option("--kv-cache-dtype", preset.kvType),
      ...option("--gpu-memory-utilization", preset.gpuMemoryFraction),
      ...option("--tensor-parallel-size", preset.tensorParallelGpus),
      // 0.13 no longer knows the older --task embed.
      ...(preset.embedding ? ["--runner", "pooling"] : []),
      ...(sleeps ? ["--enable-sleep-mode"] : []),
      ...preset.extraArgs,
    ],
    // Only the development endpoints have /sleep and /wake_up.
    env: { ...(sleeps && { VLLM_SERVER_DEV_MODE: "1" }), ...preset.env },
    url: urlOf(preset.host, port),
    healthPath: preset.healthPath ?? "/health",
  };
}

function option(flag: string, value: string | number | undefined): readonly string[] {
  return value === undefined ? [] : [flag, `${value}`];
}
