/** `slipway capacity`: how many agents fit, how fast each one is, and what stops the next. */
import { Command, InvalidArgumentError, Option } from "commander";
import type { RawCapacityFlags } from "../capacity/flags.ts";
import type { DefineCommand } from "../define-command.ts";
import { STATE_DIR_OPTION } from "../fleet/places.ts";

const EXAMPLES = `
Examples:
  slipway capacity --preset gemma4-26b-a4b-q4 --mix TL,Dev,QA
  slipway capacity --model model.gguf --engine llama-server --slots 1,2,4,8 --ctx 4096,8192 --duration 60s
  slipway capacity --preset own-gguf --kv f16,q8_0 --need context --least-agents 3
  slipway capacity study.yaml --preset own-gguf      the configurations of a study, each with its own mix
  slipway capacity --preset own-gguf --explain       the memory ledger alone; starts nothing
  slipway capacity --preset own-gguf --dry-run       what would be tried, and for how long; starts nothing
  slipway capacity --resume <run>                    only what is missing

Servers are started one after the other, by the supervisor that runs or by one inside this command. What ran before runs
again afterwards, also after Ctrl-C, and after kill -9 at the next start. Nothing that Slipway did not start is stopped.
`;

export const capacityCommand: DefineCommand = (io, exit) => {
  const command = new Command("capacity")
    .summary("start a server in every size that fits, and find the one that carries most")
    .description(
      "Sweeps slots and context of one server: memory, then speed under agents in roles, then the knee.",
    )
    .argument("[study]", "a YAML file of configurations, each with its mix of roles")
    .addHelpText("after", EXAMPLES);
  serverOptions(command);
  workloadOptions(command);
  return command
    .option("--explain", "print the memory ledger, beside the server's log where there is one")
    .option("--log <file>", "with --explain: a llama-server log, written at --verbosity 4")
    .option("--dry-run", "say what would be tried and for how long; start nothing")
    .option("--cell <name>", "only this configuration, such as 4x8k")
    .option("--resume <run>", "complete a sweep")
    .option("--runs-dir <folder>", "where run directories go", "runs")
    .option("--presets-dir <dir>", "your presets; the knee's is written there too (default: presets)")
    .option(...STATE_DIR_OPTION)
    .option("--json", "print one JSON document on stdout")
    .action(async (study: string | undefined, flags: RawCapacityFlags) => {
      if (flags.explain === true || flags.dryRun === true) {
        const { previewCapacity } = await import("../capacity/preview.ts");
        exit(await previewCapacity(study, flags, io));
        return;
      }
      const [{ runCapacity }, { buildSupervisor }] = await Promise.all([
        import("../capacity/session.ts"),
        import("../fleet/build-supervisor.ts"),
      ]);
      exit(await runCapacity(study, flags, io, buildSupervisor));
    });
};

function serverOptions(command: Command): void {
  command
    .option("--preset <name>", "the server; its slots, context and cache types are what varies")
    .option("--model <file>", "or a GGUF file, on llama-server from the PATH")
    .option("--engine <kind>", "with --model: llama-server")
    .option("--program <path>", "with --model: the server's program")
    .option("--slots <n,…>", "numbers of slots (default: 1,2,4,8)")
    .option(
      "--ctx <tokens,…>",
      "tokens of each slot (default: doubled from 4096 up to what the model was trained for)",
    )
    .option("--kv <type,…>", "types of the cache, such as f16,q8_0 (default: the preset's)")
    .option("--no-vision", "leave the preset's projector away, for more context")
    .option("--beside <preset,…>", "presets that run all the time, as they will later")
    .option("--floor-mib <n>", "memory that must stay free (default: 1536 where a projector is loaded)")
    .option("--quiesce-ms <n>", "quiet time between two servers (default: 8000 with GPUs, 500 without)")
    .option("--memory-budget-mib <n>", "use at most this much of the memory there is", mebibytes)
    .addOption(
      new Option("--safety-profile <name>", "limits on memory (default: derived from the machine)").choices([
        "derived",
        "study-003",
      ]),
    );
}

function workloadOptions(command: Command): void {
  command
    .option("--mix <roles>", "roles that the slots get in turn, such as TL,Dev,QA (default: Research)")
    .option("--duration <time>", "of each trial, such as 60s or 10m (default: 60s)")
    .option("--narrow <percent>", "end a trial once its rate is known this closely")
    .option("--runs <n>", "trials of each configuration (default: 3)")
    .option("--seed <n>", "seed of prompts and order")
    .option("--need <what>", "throughput, context, agents, or latency:<role> (default: throughput)")
    .option("--least-agents <n>", "the knee has at least so many slots")
    .option("--least-context <tokens>", "… of so many tokens")
    .option("--least-tok-s <n>", "… and each agent gets so many tok/s");
}

function mebibytes(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError("a number of MiB above 0 is needed");
  return value;
}
