/** `slipway engine`: the simulated engine as a server of its own. */
import { Command } from "commander";
import { OperatorError } from "../../core/errors.ts";
import { formatDurationMs, formatNumber } from "../../core/units.ts";
import type { ExpectedRates } from "../../engines/simulated/expected-rates.ts";
import type { SimulatedOptions } from "../../engines/simulated/options.ts";
import type { CliIo, ExitCode } from "../io.ts";

interface EngineFlags {
  readonly host?: string;
  readonly port?: string;
  readonly like?: string;
  readonly gpu?: string;
  readonly shape?: string;
  readonly kernels?: string;
  readonly model?: readonly string[];
  readonly mode?: string;
  readonly slots?: string;
  readonly context?: string;
  readonly loadMs?: string;
  readonly jitter?: string;
  readonly speed?: string;
  readonly seed?: string;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  slipway engine                                              every API on a free port, an 8B model on an RTX 4090
  slipway engine --like ollama --port 11434 --slots 1 --model gemma3:latest
  slipway engine --gpu rtx-3090 --slots 8 --context 16384 --seed 1 --json

Everything measured on it is labelled SIMULATED. It ends with Ctrl-C.
`;

export function engineCommand(io: CliIo, exit: (code: ExitCode) => void): Command {
  return new Command("engine")
    .summary("serve a simulated engine that behaves like a real one")
    .description("A server with the timing of a chosen model on a chosen GPU; it needs neither.")
    .addHelpText("after", EXAMPLES)
    .option("--port <n>", "0 takes a free one (default)")
    .option("--host <address>", "what to listen on; only this machine by default")
    .option("--like <server>", "whose API to answer: any (default), ollama, llama-server or openai")
    .option("--gpu <name>", "the card: rtx-4090 (default), rtx-3090, rtx-4080-laptop, l4, a100-80gb, …")
    .option("--shape <name>", "the model's size: llama-8b-q4 (default), llama-8b-bf16, gemma3")
    .option("--kernels <engine>", "whose kernels: llama.cpp (default) or vllm")
    .option("--model <name...>", "the name or names it is served under")
    .option("--mode <mode>", "continuous (default), sequential or time-shared")
    .option("--slots <n>", "requests decoded at once (default 4)")
    .option("--context <tokens>", "context of one slot (default 8192)")
    .option("--load-ms <ms>", "how long loading the model takes (default 800)")
    .option("--jitter <share>", "relative standard deviation of a step (default 0.01)")
    .option("--speed <factor>", "everything this many times faster (default 1)")
    .option("--seed <n>", "of the words, lengths and jitter (default 1)")
    .option("--json", "print one JSON document on stdout when it listens")
    .action(async (flags: EngineFlags) => exit(await serve(flags, io)));
}

async function serve(flags: EngineFlags, io: CliIo): Promise<ExitCode> {
  const { startSimulatedEngine } = await import("../../engines/simulated/start.ts");
  const { settleOptions } = await import("../../engines/simulated/options.ts");
  const { expectedRates } = await import("../../engines/simulated/expected-rates.ts");
  const options = await optionsOf(flags);
  const settings = settleOptions(options);
  const engine = await startSimulatedEngine(options, io.clock);
  try {
    const alone = expectedRates(settings, 1);
    const full = expectedRates(settings, settings.slots);
    if (flags.json === true)
      io.out(`${JSON.stringify({ url: engine.url, simulated: true, expected: { alone, full } })}\n`);
    else {
      io.out(`SIMULATED engine at ${engine.url}\n`);
      io.out(`${settings.shape.name} on ${settings.gpu.name}, as ${settings.kernels.name} would run it\n`);
      for (const rates of [alone, full]) if (rates !== undefined) io.out(`${rateLine(rates)}\n`);
      io.err("Ctrl-C ends it.\n");
    }
    await untilInterrupted(io);
  } finally {
    await engine.stop();
  }
  return 0;
}

function rateLine({ agents, promptTokens, ttftMs, tokensPerS }: ExpectedRates): string {
  const who = agents === 1 ? "one agent" : `${agents} agents`;
  return `expect of ${who} with ${promptTokens}-token prompts: TTFT up to ${formatDurationMs(ttftMs)}, ${formatNumber(tokensPerS, 0)} tok/s in all`;
}

async function optionsOf(flags: EngineFlags): Promise<SimulatedOptions> {
  const { FLAVOURS, SERVING_MODES } = await import("../../engines/simulated/options.ts");
  return onlyGiven<SimulatedOptions>({
    host: flags.host,
    port: numberOf("--port", flags.port),
    like: oneOf("--like", flags.like, FLAVOURS),
    gpu: flags.gpu,
    shape: flags.shape,
    kernels: flags.kernels,
    models: flags.model,
    mode: oneOf("--mode", flags.mode, SERVING_MODES),
    slots: numberOf("--slots", flags.slots),
    contextTokens: numberOf("--context", flags.context),
    loadMs: numberOf("--load-ms", flags.loadMs),
    jitter: numberOf("--jitter", flags.jitter),
    speed: numberOf("--speed", flags.speed),
    seed: numberOf("--seed", flags.seed),
  });
}

/** Without the flags that were not given, so that defaults stay in one place. */
function onlyGiven<T extends object>(all: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as T;
}

function oneOf<T extends string>(
  flag: string,
  text: string | undefined,
  allowed: readonly T[],
): T | undefined {
  const known = allowed.find((one) => one === text);
  if (text !== undefined && known === undefined)
    throw flagError(flag, text, `is one of ${allowed.join(", ")}`);
  return known;
}

function numberOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0)
    throw flagError(flag, text, "needs a number that is not negative");
  return value;
}

function flagError(flag: string, received: string, rule: string): OperatorError {
  return new OperatorError("FLAG_INVALID", {
    message: `${flag} ${rule}`,
    received,
    nextStep: "slipway engine --help shows every flag with an example",
  });
}

function untilInterrupted(io: CliIo): Promise<void> {
  return new Promise((resolve) => {
    if (io.interrupted.aborted) resolve();
    io.interrupted.addEventListener("abort", () => resolve(), { once: true });
  });
}
