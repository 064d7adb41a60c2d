/** `slipway simulate`: how agents would fare on a server, in virtual time. */
import { Command } from "commander";
import type { DefineCommand } from "../define-command.ts";
import type { RawSimulateFlags } from "../simulate/flags.ts";

const EXAMPLES = `
Examples:
  slipway simulate --preset gemma4-26b-a4b-q4-multi3-128k --gpu rtx-4090 --mix TL,Dev,QA
  slipway simulate --model llama-8b-q4 --gpu rtx-3090 --slots 1,2,4,8 --ctx 16384,32768 --kv q8_0 --mix Research
  slipway simulate --model model.gguf --gpu l4 --need latency:Dev --slots 2,4 --mix Dev,QA
  slipway simulate examples/capacity/capacity-spike.yaml --model gemma4-26b-a4b-q4 --kv q8_0 --gpu rtx-4090 --kernels study-003
  slipway simulate --validate              how far published measurements are met

With one number of slots the agents are those of the mix, also where they have to queue; with several, each slot has an
agent, with the roles of the mix in turn. Everything is labelled SIMULATED, with its error. Exits 3 when nothing fits.
`;

export const simulateCommand: DefineCommand = (io, exit) => {
  const command = new Command("simulate")
    .summary("how many agents would fit and how fast each would be, without a GPU")
    .description(
      "The answer of slipway capacity in seconds: the memory ledger, then agents in roles in virtual time.",
    )
    .argument("[study]", "a YAML file of configurations, each with its mix of roles")
    .addHelpText("after", EXAMPLES);
  machineOptions(command);
  workloadOptions(command);
  return command
    .option("--validate", "simulate what others measured and published, and show the errors")
    .option("--json", "print one JSON document on stdout")
    .action(async (study: string | undefined, flags: RawSimulateFlags) => {
      if (flags.validate === true) {
        const { runValidation } = await import("../simulate/validate.ts");
        exit(runValidation(flags, io));
        return;
      }
      const { runSimulate } = await import("../simulate/run.ts");
      exit(await runSimulate(study, flags, io));
    });
};

function machineOptions(command: Command): void {
  command
    .option("--preset <name>", "the server, with all its settings")
    .option(
      "--model <file|name>",
      "or a model: a GGUF file, llama-8b-q4, llama-8b-bf16, gemma3, gemma4-26b-a4b-q4",
    )
    .option("--presets-dir <dir>", "your own presets (default: presetsDir of slipway.yaml, else presets)")
    .option("--engine <kind>", "llama-server (default), ollama or time-shared: threads that take turns")
    .option("--gpu <name>", "the card: rtx-4090, rtx-3090, l4, … (default: this machine's)")
    .option("--bandwidth-gb-s <n>", "or its memory's bandwidth")
    .option("--memory-gib <n>", "and its memory")
    .option(
      "--compute-tflops <n>",
      "and its 16-bit tensor rate (default: 164 operations for each byte of bandwidth)",
    )
    .option("--beside-mib <n>", "memory of the card that somebody else holds (default: 0)")
    .option(
      "--kernels <engine>",
      "whose constants where nothing was calibrated: llama.cpp (default), vllm or study-003",
    )
    .option("--calibration <file>", "constants that were measured, with their error")
    .option("--slots <n,…>", "numbers of slots (default: the preset's, else one for each agent)")
    .option("--ctx <tokens,…>", "tokens of each slot (default: the preset's, else 32768)")
    .option("--kv <type,…>", "types of the cache, such as f16,q8_0 (default: the preset's)")
    .option("--unified-kv", "one cache for all slots")
    .option("--no-vision", "without the preset's projector");
}

function workloadOptions(command: Command): void {
  command
    .option("--mix <roles>", "the agents, such as TL,Dev,QA or 3xResearch (default: Research)")
    .option("--duration <time>", "simulated time, such as 60s or 10m (default: 600s)")
    .option("--runs <n>", "simulations of each configuration (default: 3)")
    .option("--jitter <share>", "relative standard deviation of a step (default: 0.01)")
    .option("--seed <n>", "the same seed gives the same bytes (default: 1)")
    .option("--need <what>", "throughput, context, agents, or latency:<role> (default: throughput)")
    .option("--least-agents <n>", "the knee has at least so many slots")
    .option("--least-context <tokens>", "… of so many tokens")
    .option("--least-tok-s <n>", "… and each agent gets so many tok/s");
}
