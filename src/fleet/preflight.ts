/**
 * Everything that can be known before anything is touched. Each finding is a check with its numbers
 * and, where it failed, what to do; one failed check of severity `error` refuses the switch.
 */
import type { Check } from "./check.ts";
import { fileChecks, modelFileBytes } from "./preflight/file-checks.ts";
import { openHostCheck, portChecks, programCheck } from "./preflight/launch-checks.ts";
import type { MemoryQuestion } from "./preflight/memory-checks.ts";
import {
  cardChecks,
  diskCheck,
  foreignChecks,
  hostCheck,
  poolCheck,
  shareChecks,
  unknownNeedChecks,
} from "./preflight/memory-checks.ts";
import type { FileLook, PreflightProbes } from "./preflight/probes.ts";

export interface PreflightQuestion extends MemoryQuestion {
  /** Where journal and logs are written. */
  readonly stateDirectory: string;
}

/** All checks, the failed ones among them; never throws for what it finds. */
export async function preflight(
  question: PreflightQuestion,
  probes: PreflightProbes,
): Promise<readonly Check[]> {
  const { incoming, outgoing, stateDirectory } = question;
  const look = (path: string): FileLook => probes.file(path);
  const fileBytes = incoming.reduce((sum, preset) => sum + modelFileBytes(preset, look), 0);
  return [
    ...incoming.flatMap((preset) => [
      ...fileChecks(preset, look),
      ...programCheck(preset, probes),
      ...openHostCheck(preset),
    ]),
    ...(await portChecks(incoming, outgoing, probes)),
    ...cardChecks(question),
    poolCheck(question),
    ...unknownNeedChecks(question),
    ...shareChecks(question),
    ...foreignChecks(question),
    hostCheck(question, fileBytes),
    diskCheck(stateDirectory, probes.freeDiskBytes(stateDirectory)),
  ];
}

/** Whether nothing stands against it. */
export function mayGoOn(checks: readonly Check[]): boolean {
  return checks.every((check) => check.passed || check.severity !== "error");
}
