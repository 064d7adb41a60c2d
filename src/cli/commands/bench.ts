/** `slipway bench`: the main job. What it needs to run is imported when it runs. */
import { Command } from "commander";
import type { RawBenchFlags } from "../bench/flags.ts";
import type { DefineCommand } from "../define-command.ts";
import type { SlipwayConfig } from "../config.ts";

const collect = (value: string, previous: readonly string[] = []): readonly string[] => [...previous, value];

const EXAMPLES = `
Examples:
  slipway bench                                   four agents on whatever engine is found, else SIMULATED
  slipway bench --agents 1,2,4,8 --runs 5         a ladder of agent counts
  slipway bench chimera_hetero --runs 3 \\
    --endpoint a=http://localhost:11434 --endpoint b=http://localhost:11435 \\
    --agent1 num_gpu=60,num_ctx=512,temperature=0.8 \\
    --agent2 num_gpu=80,num_ctx=1024,temperature=0.6 --model gemma3:latest
  slipway bench my-scenario.yaml --cell 'long N=2'   one cell of its matrix, by its label
  slipway bench my-scenario.yaml --resume <run>   only the trials that are missing
  slipway bench --selftest                        how far this machine's own numbers can be trusted
`;

export const benchCommand: DefineCommand = (io, exit) => {
  const command = new Command("bench")
    .summary("run N agents at once against real servers and report what came out")
    .description(
      "Runs agents alone and together, in randomised blocks, and reports true speedup, retention, TTFT and throughput.",
    )
    .argument(
      "[scenario]",
      "a shipped scenario (quick, solo, baseline_vs_chimera, chimera_hetero, chimera_homo, single_instance, coding_team) or a YAML file",
    )
    .addHelpText("after", EXAMPLES);
  endpointOptions(command);
  workloadOptions(command);
  return command
    .option("--runs-dir <folder>", "where run directories go", "runs")
    .option("--cell <label>", "one cell of a matrix: its label, words of it, or the beginning of its hash")
    .option("--resume <run>", "complete the missing trials of a run")
    .option("--durable", "wait for the disk after every record")
    .option("--no-telemetry", "do not sample GPU, memory and CPU")
    .option("--selftest [depth]", "measure this tool instead: quick or full")
    .option("--json", "print one JSON document on stdout")
    .action(async (scenario: string | undefined, given: RawBenchFlags) => {
      const { readConfig } = await import("../config.ts");
      const flags = withConfig(given, command, readConfig(io.cwd));
      if (flags.selftest !== undefined) {
        const { runSelftestCommand } = await import("../bench/selftest.ts");
        exit(await runSelftestCommand(flags, io));
        return;
      }
      const { runBench } = await import("../bench/session.ts");
      exit(await runBench(scenario, flags, io));
    });
};

/** Flags win over the file, the file over defaults. */
function withConfig(given: RawBenchFlags, command: Command, config: SlipwayConfig): RawBenchFlags {
  const isDefault = (name: string): boolean => command.getOptionValueSource(name) !== "cli";
  return {
    ...given,
    ...(config.runsDir !== undefined && isDefault("runsDir") ? { runsDir: config.runsDir } : {}),
    ...(config.model !== undefined && isDefault("model") ? { model: config.model } : {}),
    ...(config.runs !== undefined && isDefault("runs") ? { runs: String(config.runs) } : {}),
    ...(config.seed !== undefined && isDefault("seed") ? { seed: String(config.seed) } : {}),
    ...(config.endpoints === undefined ? {} : { configuredEndpoints: config.endpoints }),
  };
}

function endpointOptions(command: Command): void {
  command
    .option("-e, --endpoint <name=url>", "a server; repeat for several (a=…, b=…)", collect)
    .option(
      "--engine <kind>",
      "openai, vllm, tgi, llama-server, ollama or simulated; asked of the server when absent",
    )
    .option("-m, --model <model>", "the model of every agent")
    .option("--max-in-flight <n>", "requests under way at once per endpoint; the wait is recorded")
    .option(
      "--credential-env <name=VARIABLE>",
      "bearer token of an endpoint from an environment variable",
      collect,
    )
    .option("--credential-file <name=path>", "bearer token of an endpoint from a file", collect)
    .option("--simulated", "use the simulated engine even if a real one is there")
    .option("--gpu <name>", "the GPU that the simulated engine behaves like")
    .option("--slots <n>", "slots of the simulated engine");
}

function workloadOptions(command: Command): void {
  command
    .option("--runs <n>", "repeats of every cell")
    .option("-n, --agents <n[,n…]>", "number of agents, or a ladder of them")
    .option("--agent1 <settings>", "settings of the first agent: num_gpu=60,num_ctx=512,temperature=0.8,…")
    .option("--agent2 <settings>", "settings of the second agent")
    .option("--agent <name:settings>", "settings of any agent by name", collect)
    .option("--requests <n>", "requests of each synthetic agent")
    .option("--prompt-tokens <n>", "tokens of each synthetic prompt")
    .option("--output-tokens <n>", "tokens of each answer, at most")
    .option("--corpus <folder>", "files that collector and insight work on")
    .option("--no-solo", "skip the solo trials; true speedup and retention are then unknown")
    .option("--seed <n>", "seed of prompts and order")
    .option("--unload <how>", "between cells: natural or forced")
    .option("--prompt-cache <how>", "cold (every prompt new) or warm")
    .option("--cool-down-ms <n>", "pause before each trial")
    .option("--retries <n>", "tries after a refused or limited request")
    .option("--gap-limit-ms <n>", "longest silence of a stream")
    .option("--total-limit-ms <n>", "longest request");
}
