/** What a reader must know before taking a difference for the effect of the change that was meant. */
import type { RunManifest } from "../../record/run-manifest.ts";
import type { FailureCount, PairFailures } from "./failures.ts";
import type { CellPair } from "./match-cells.ts";
import type { Side } from "./side.ts";
import { isUnlikeWork, workText } from "./work.ts";

export interface Caveat {
  readonly code:
    | "SIMULATED_AND_REAL"
    | "OTHER_MACHINE"
    | "OTHER_MODEL"
    | "OTHER_ENGINE"
    | "OTHER_VERSION"
    | "OTHER_WORKLOAD"
    | "OTHER_AGENTS"
    | "RUN_UNFINISHED"
    | "REQUESTS_FAILED";
  readonly message: string;
  readonly remedy: string;
}

export function caveatsOf(a: Side, b: Side, pairs: readonly CellPair[]): readonly Caveat[] {
  return [
    ...simulatedAndReal(a, b),
    ...otherMachine(a.manifest, b.manifest),
    ...otherVersion(a.manifest, b.manifest),
    ...pairs.flatMap(pairCaveats).filter(firstOfItsKind()),
    ...[a, b].flatMap(unfinished).filter(firstOfItsKind()),
  ];
}

function simulatedAndReal(a: Side, b: Side): readonly Caveat[] {
  if (a.simulated === b.simulated) return [];
  const which = a.simulated ? a.name : b.name;
  return [
    {
      code: "SIMULATED_AND_REAL",
      message: `${which} was measured on the simulated engine and the other side was not: the difference is that of a model from reality`,
      remedy: "compare two runs of real servers, or two simulated ones",
    },
  ];
}

function otherMachine(a: RunManifest, b: RunManifest): readonly Caveat[] {
  const [before, after] = [machineOf(a), machineOf(b)];
  if (before === after) return [];
  return [
    {
      code: "OTHER_MACHINE",
      message: `the runs come from different machines (${before}; ${after})`,
      remedy:
        "repeat both on one machine, best as two cells of one run, unless the machine is what you compare",
    },
  ];
}

function machineOf({ host }: RunManifest): string {
  const gpus = host.gpus.map(
    (gpu) => `${gpu.name}${gpu.driverVersion === undefined ? "" : `, driver ${gpu.driverVersion}`}`,
  );
  return [host.hostname, host.cpuModel ?? host.os, ...gpus].filter((part) => part !== undefined).join(", ");
}

function otherVersion(a: RunManifest, b: RunManifest): readonly Caveat[] {
  if (a.slipwayVersion === b.slipwayVersion && a.nodeVersion === b.nodeVersion) return [];
  return [
    {
      code: "OTHER_VERSION",
      message: `the runs were measured by Slipway ${a.slipwayVersion} on Node ${a.nodeVersion} and by ${b.slipwayVersion} on ${b.nodeVersion}`,
      remedy: "a client that changed can look like a server that did: repeat both with one version",
    },
  ];
}

function pairCaveats({ a, b }: CellPair): readonly Caveat[] {
  const caveats: Caveat[] = [];
  if (differ(a.models, b.models))
    caveats.push({
      code: "OTHER_MODEL",
      message: `the models differ (${listed(a.models)}; ${listed(b.models)})`,
      remedy: "a token of one model is not a token of another: compare times per task, not tokens per second",
    });
  if (differ(a.engines, b.engines))
    caveats.push({
      code: "OTHER_ENGINE",
      message: `the engines differ (${listed(a.engines)}; ${listed(b.engines)})`,
      remedy: "nothing to mend if the engine is what you compare",
    });
  if (a.agents !== b.agents)
    caveats.push({
      code: "OTHER_AGENTS",
      message: `${a.label} has ${a.agents} agents and ${b.label} has ${b.agents}`,
      remedy:
        "retention, true speedup and latency depend on how many share: compare equal numbers, or read the scaling of one run",
    });
  if (isUnlikeWork(a, b))
    caveats.push({
      code: "OTHER_WORKLOAD",
      message: `the sides did not do the same work (${workText(a)}; ${workText(b)}): figures that depend on it are called neither better nor worse`,
      remedy: "fix prompt and output lengths and the number of requests, or compare decodeTps and itlMsP50",
    });
  return caveats;
}

/** One for each cell: which cell fails matters. */
export function failureCaveats(cell: string, failures: PairFailures | undefined): readonly Caveat[] {
  if (failures === undefined) return [];
  const more = failures.bFailsMore ? ", which is more than chance" : "";
  return [
    {
      code: "REQUESTS_FAILED",
      message: `in ${cell} ${counted("A", failures.a)} failed and ${counted("B", failures.b)}${more}: figures other than failurePct describe the rest`,
      remedy: "slipway report says what failed; a server that answers less is often faster at it",
    },
  ];
}

function counted(side: "A" | "B", { failed, requests }: FailureCount): string {
  return `${failed} of ${side}'s ${requests} requests`;
}

function unfinished({ name, manifest }: Side): readonly Caveat[] {
  if (manifest.status === "complete") return [];
  return [
    {
      code: "RUN_UNFINISHED",
      message: `run ${name} is ${manifest.status}: only its finished trials are compared`,
      remedy: `complete it with slipway bench --resume ${manifest.runId}`,
    },
  ];
}

/** Every cell of a run says the same of models and engines; once is enough. */
function firstOfItsKind(): (caveat: Caveat) => boolean {
  const seen = new Set<string>();
  return ({ code, message }) => {
    const key = `${code} ${message}`;
    return seen.has(key) ? false : seen.add(key) !== undefined;
  };
}

function differ(a: readonly string[], b: readonly string[]): boolean {
  return a.length > 0 && b.length > 0 && [...a].sort().join("\n") !== [...b].sort().join("\n");
}

function listed(values: readonly string[]): string {
  return values.join(" and ");
}
