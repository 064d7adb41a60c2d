/** `slipway simulate`: from flags and files to the answer, in virtual time. */
import { MAX_REPEATS } from "../../core/limits.ts";
import { renderSectionText } from "../../report/section/section-text.ts";
import { durationMs, limitsOf, needOf, wholeNumber } from "../capacity/flags.ts";
import type { CliIo, ExitCode } from "../io.ts";
import { deviceOf } from "./device.ts";
import type { RawSimulateFlags } from "./flags.ts";
import { flagError, numberFrom } from "./flags.ts";
import type { SimulatedServer } from "./server.ts";
import { serverOf } from "./server.ts";
import type { Question } from "./simulate-all.ts";
import { questionOf, simulateAll } from "./simulate-all.ts";
import type { Simulation } from "./simulate-cell.ts";
import { simulationDocument } from "./simulation-document.ts";
import { simulationSection } from "./simulate-section.ts";
import { constantsOf } from "./stated-error.ts";

/** Three give an interval. */
const DEFAULT_RUNS = 3;
const DEFAULT_DURATION_MS = 600_000;
/** As the simulated engine's steps vary. */
const DEFAULT_JITTER = 0.01;
const DEFAULT_SEED = 1;

/** Exit code 3 where nothing fits. Throws what reading flags and files throws. */
export async function runSimulate(
  studyPath: string | undefined,
  flags: RawSimulateFlags,
  io: CliIo,
): Promise<ExitCode> {
  if (studyPath !== undefined && flags.mix !== undefined)
    throw flagError(
      "--mix",
      flags.mix,
      "says nothing beside a study, whose configurations have mixes of their own",
    );
  const server = serverOf(flags, io);
  const device = await deviceOf(flags, io);
  const question = questionOf(studyPath, flags, server, io.cwd);
  const { statement, ...constants } = constantsOf(flags, io.cwd);
  const limits = limitsOf({ ...flags, runsDir: "" });
  const need = needOf(flags.need);
  const simulation: Simulation = {
    server,
    device,
    ...constants,
    ...lengthsOf(flags, question),
    ...(limits.leastPerAgentTokensPerS === undefined
      ? {}
      : { leastTokensPerS: limits.leastPerAgentTokensPerS }),
  };
  const compared = simulateAll(simulation, question, need, limits);
  const caveats = [...new Set(compared.results.flatMap(({ ledger }) => ledger.caveats))];
  const answer = {
    simulation,
    need,
    statement,
    compared,
    caveats,
    nextCommand: measuringCommand(studyPath, flags, server),
  };
  if (flags.json === true) io.out(`${JSON.stringify(simulationDocument(answer), undefined, 2)}\n`);
  else io.out(renderSectionText(simulationSection(answer), io.outColumns));
  return compared.results.some(({ kind }) => kind === "simulated") ? 0 : 3;
}

function lengthsOf(
  { duration, runs, jitter, seed }: RawSimulateFlags,
  { study }: Question,
): Pick<Simulation, "durationMs" | "runs" | "jitter" | "seed"> {
  return {
    durationMs:
      duration === undefined
        ? (study?.durationMs ?? DEFAULT_DURATION_MS)
        : durationMs("--duration", duration),
    runs: runs === undefined ? DEFAULT_RUNS : wholeNumber("--runs", runs, MAX_REPEATS),
    jitter: numberFrom("--jitter", jitter, "zero") ?? DEFAULT_JITTER,
    seed: seed === undefined ? (study?.seed ?? DEFAULT_SEED) : wholeNumber("--seed", seed, 2 ** 31, 0),
  };
}

/** The same question to real servers: the flags that `slipway capacity` has too. It sweeps llama-server alone. */
function measuringCommand(
  studyPath: string | undefined,
  flags: RawSimulateFlags,
  { servedBy }: SimulatedServer,
): string | undefined {
  if (servedBy !== "llama-server") return undefined;
  const { preset, model, slots, ctx, kv, mix, duration, need } = flags;
  const shared = { preset, ...(preset === undefined ? { model } : {}), slots, ctx, kv, mix, duration, need };
  const words = Object.entries(shared).flatMap(([flag, value]) =>
    value === undefined ? [] : [`--${flag}`, quoted(value)],
  );
  return ["slipway", "capacity", ...(studyPath === undefined ? [] : [quoted(studyPath)]), ...words].join(" ");
}

/** For copying into a POSIX shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
