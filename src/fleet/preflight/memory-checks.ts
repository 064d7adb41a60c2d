/** Whether all incoming presets together have room: in the pool, on the host, and on the disk. */
import { BYTES_PER_MIB, formatBytes } from "../../core/units.ts";
import type { Preset } from "../../preset/preset.ts";
import type { Check } from "../check.ts";
import type { MemoryReading, MemoryUser } from "../memory.ts";
import type { MemoryNeedOf } from "../memory-need.ts";
import { VLLM_DEFAULT_SHARE } from "../memory-need.ts";
import type { OutgoingServer } from "../pool-forecast.ts";
import { forecastPool } from "../pool-forecast.ts";
import type { SafetyProfile } from "../safety-profile.ts";
import { hostFloorBytes } from "../safety-profile.ts";
import { passed, refused, warned } from "./verdict.ts";

export interface MemoryQuestion {
  readonly incoming: readonly Preset[];
  readonly outgoing: readonly OutgoingServer[];
  readonly reading: MemoryReading;
  readonly profile: SafetyProfile;
  readonly needOf: MemoryNeedOf;
}

/** The sum of all incoming needs and the margin, against what is free now and what will be given back. */
export function poolCheck({ incoming, outgoing, reading, profile, needOf }: MemoryQuestion): Check {
  const subject = { id: reading.kind === "gpu" ? "vram" : "memory" };
  const forecast = forecastPool(reading, incoming, outgoing, needOf);
  const needed = forecast.neededBytes + forecast.promisedBytes + profile.poolMarginBytes;
  const promised =
    forecast.promisedBytes === 0
      ? ""
      : `, ${formatBytes(forecast.promisedBytes)} that servers which stay have still to take,`;
  const free =
    forecast.givenBackBytes === 0
      ? `${formatBytes(reading.freeBytes)} are free`
      : `${formatBytes(reading.freeBytes)} are free and ${formatBytes(forecast.givenBackBytes)} come free`;
  const numbers = `${listNeeds(incoming, needOf)}${promised} and a margin of ${formatBytes(profile.poolMarginBytes)} make ${formatBytes(needed)}; ${free}`;
  if (incoming.length === 0) return passed(subject, `nothing starts; ${free}`);
  if (needed <= forecast.freeDuringBytes) return passed(subject, numbers);
  const short = formatBytes(needed - forecast.freeDuringBytes);
  return refused(subject, `${numbers}: ${short} too little`, shortRemedy(reading));
}

function shortRemedy({ foreignUsers = [], budgetBytes }: MemoryReading): string {
  if (budgetBytes !== undefined)
    return "see the alternatives in the plan, or raise the budget if the machine has room";
  const largest = foreignUsers.toSorted((one, other) => (other.bytes ?? 0) - (one.bytes ?? 0))[0];
  const others = largest === undefined ? "" : `, or end ${userText(largest)}`;
  return `see the alternatives in the plan${others}`;
}

function listNeeds(presets: readonly Preset[], needOf: MemoryNeedOf): string {
  return presets.map((preset) => `${preset.name} ${formatBytes(needOf(preset)?.bytes)}`).join(", ");
}

/** Nobody can vouch for a preset whose need is unknown; that is said, and stops nothing. */
export function unknownNeedChecks({ incoming, reading, needOf }: MemoryQuestion): readonly Check[] {
  const field = reading.kind === "gpu" ? "memory.vramMib" : "memory.hostMib";
  return incoming
    .filter((preset) => needOf(preset) === undefined)
    .map(({ name }) =>
      warned(
        { id: "memory-unknown", preset: name },
        "how much memory it takes is not known, so it may not fit",
        `declare ${field} in the preset: what it holds at its fullest`,
      ),
    );
}

/** vLLM takes its share of a whole card, also for a model of half a gigabyte. */
export function shareChecks({ incoming, reading }: MemoryQuestion): readonly Check[] {
  const card = reading.cards?.[0];
  if (card === undefined) return [];
  return incoming.flatMap((preset) => {
    if (preset.engine !== "vllm") return [];
    const share = preset.gpuMemoryFraction ?? VLLM_DEFAULT_SHARE;
    const cardsBytes = card.totalBytes * (preset.tensorParallelGpus ?? 1);
    const takenBytes = share * cardsBytes;
    const declaredBytes = (preset.memory.vramMib ?? Number.POSITIVE_INFINITY) * BYTES_PER_MIB;
    if (takenBytes <= declaredBytes) return [];
    return [
      warned(
        { id: "vllm-share", preset: preset.name },
        `it declares ${formatBytes(declaredBytes)}, but vLLM takes ${share} of its cards: ${formatBytes(takenBytes)}`,
        `set gpuMemoryFraction to ${(declaredBytes / cardsBytes).toFixed(2)}, or declare what it takes`,
      ),
    ];
  });
}

/** `modelFileBytes`: of all incoming together; on their way to the GPU they pass through the page cache. */
export function hostCheck(question: MemoryQuestion, modelFileBytes: number): Check {
  const { incoming, reading, profile } = question;
  const subject = { id: "host-memory" };
  const available = `${formatBytes(reading.hostAvailableBytes)} of host memory are available`;
  if (incoming.length === 0) return passed(subject, available);
  const declared = incoming.reduce((sum, { memory }) => sum + (memory.hostMib ?? 0) * BYTES_PER_MIB, 0);
  const floorBytes = hostFloorBytes(profile.hostFloor, modelFileBytes);
  const requiredBytes = reading.kind === "gpu" ? Math.max(floorBytes, declared) : floorBytes;
  const why = `${formatBytes(requiredBytes)} are required (profile ${profile.name}, model files ${formatBytes(modelFileBytes)})`;
  if (requiredBytes <= reading.hostAvailableBytes) return passed(subject, `${available}, ${why}`);
  return refused(
    subject,
    `only ${available}, ${why}`,
    "end what uses host memory; starting with less has hung machines until they were switched off",
  );
}

/** Who else is on the cards. Their memory is not free, and they may take more at any time. */
export function foreignChecks({ reading }: MemoryQuestion): readonly Check[] {
  if (reading.kind !== "gpu") return [];
  const subject = { id: "foreign-gpu-users" };
  const { foreignBytes, foreignUsers = [] } = reading;
  if (foreignUsers.length === 0 && (foreignBytes ?? 0) === 0)
    return [passed(subject, "no other process is on a GPU")];
  const held = foreignBytes === undefined ? "an unknown amount" : formatBytes(foreignBytes);
  const named = foreignUsers.length === 0 ? "" : `: ${foreignUsers.map(userText).join(", ")}`;
  return [passed(subject, `others hold ${held} of GPU memory${named}; it does not count as free`)];
}

function userText({ name, pid, bytes }: MemoryUser): string {
  return `${name} (pid ${pid}${bytes === undefined ? "" : `, ${formatBytes(bytes)}`})`;
}

export function cardChecks({ reading, incoming }: MemoryQuestion): readonly Check[] {
  const { cards = [], gpuTrouble } = reading;
  if (gpuTrouble !== undefined) {
    const message = `the GPU driver does not answer (${gpuTrouble.reason}); host memory is counted instead`;
    const needsGpu = incoming.some(({ memory }) => (memory.vramMib ?? 0) > 0);
    return [(needsGpu ? refused : warned)({ id: "gpu-driver" }, message, gpuTrouble.nextStep)];
  }
  if (cards.length < 2) return [];
  const list = cards.map(({ index, freeBytes }) => `GPU ${index}: ${formatBytes(freeBytes)} free`).join(", ");
  return [
    passed(
      { id: "several-gpus" },
      `${list}. Their sum is counted; a model that its server does not split has to fit on one of them`,
    ),
  ];
}

/** Logs are bounded and rotated, the journal is small: eight presets stay below this for months. */
const DISK_WARNING_BYTES = 512 * BYTES_PER_MIB;

/** Below this the journal itself is in danger, and without it a killed switch cannot be put back. */
const DISK_REFUSAL_BYTES = 64 * BYTES_PER_MIB;

export function diskCheck(stateDirectory: string, freeBytes: number | undefined): Check {
  const subject = { id: "disk" };
  if (freeBytes === undefined)
    return passed(subject, `nobody tells how much disk is free under ${stateDirectory}`);
  const message = `${formatBytes(freeBytes)} of disk are free under ${stateDirectory}, for journal and logs`;
  if (freeBytes >= DISK_WARNING_BYTES) return passed(subject, message);
  const remedy = `free some: ${formatBytes(DISK_WARNING_BYTES)} are enough`;
  return (freeBytes < DISK_REFUSAL_BYTES ? refused : warned)(subject, message, remedy);
}
