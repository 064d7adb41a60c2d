/** A simulation in words: the answer first, then how wrong it may be, the figures, and what to do next. */
import type { RoleTable } from "../../analysis/roles/role-table.ts";
import { formatBytes, formatDurationMs, formatNumber } from "../../core/units.ts";
import type { NoisyFigure } from "../../plan/evaluation.ts";
import { describeConfiguration } from "../../plan/configuration.ts";
import type { Need } from "../../plan/knee.ts";
import type { Walls } from "../../predict/walls.ts";
import { roleTableBlocks } from "../../report/section/roles.ts";
import type { Section, SectionBlock } from "../../report/section/section.ts";
import {
  command,
  heading,
  lead,
  left,
  list,
  note,
  plain,
  right,
  table,
} from "../../report/section/section.ts";
import type { Compared } from "./simulate-all.ts";
import type { CellResult, Simulation } from "./simulate-cell.ts";

export interface ShownSimulation {
  readonly simulation: Simulation;
  readonly need: Need;
  /** How wrong it may be, in sentences. */
  readonly statement: readonly string[];
  readonly compared: Compared;
  readonly caveats: readonly string[];
  /** To be copied: what measures the same. Undefined where no command does. */
  readonly nextCommand: string | undefined;
}

type Simulated = Extract<CellResult, { kind: "simulated" }>;

export function simulationSection(shown: ShownSimulation): Section {
  const { server, device } = shown.simulation;
  const [only, ...others] = shown.compared.results;
  const blocks =
    only === undefined ? [] : others.length === 0 ? oneBlocks(only, shown) : severalBlocks(shown);
  return {
    id: "simulation",
    title: `Simulation of ${server.name} on ${device.device.name}`,
    simulated: true,
    blocks: [
      ...blocks,
      ...shown.caveats.map((caveat) => note(`Assumed: ${caveat}.`)),
      ...(shown.nextCommand === undefined ? [] : [plain("To measure the same:"), command(shown.nextCommand)]),
    ],
  };
}

function oneBlocks(result: CellResult, { statement }: ShownSimulation): readonly SectionBlock[] {
  switch (result.kind) {
    case "does-not-fit":
      return [
        lead(
          `${mixText(result)} on ${placeText(result)}: does not fit. ${capitalised(lackText(result))}, and nothing was simulated.`,
        ),
        ...list(result.alternatives.map((change) => `It fits with ${change}.`)),
      ];
    case "not-simulated":
      return [lead(`${mixText(result)} on ${placeText(result)}: not simulated, for ${result.reason}.`)];
    case "simulated":
      return [
        lead(answerText(result)),
        ...statement.map(plain),
        ...roleTableBlocks(result.roles),
        heading("What stops the next agent"),
        ...list(wallSentences(result)),
        heading("Memory"),
        ...memoryBlocks(result),
      ];
  }
}

function answerText(result: Simulated): string {
  const { evaluation, roles } = result;
  const { done, unfinished, refused, failed } = roles.all.turns;
  const lost = refused + failed === 0 ? "" : `, ${refused} refused and ${failed} ended by a full cache`;
  return `${mixText(result)} on ${placeText(result)}: ${figureText(evaluation.aggregateTokensPerS)} tok/s in all, ${figureText(evaluation.perAgentTokensPerS)} per call; ${done} turns done and ${unfinished} cut off by the end${lost}.`;
}

function wallSentences({ walls, contextTokens, cell }: Simulated): readonly string[] {
  const { bandwidthKnee, asymptoteTokensPerS, next } = walls;
  const agents = cell.agents.length + 1;
  return [
    next === undefined
      ? `Agent ${agents} meets no wall.`
      : `Agent ${agents} meets the ${WALL_NAMES[next.kind]}: ${next.distance}.`,
    ...walls.walls
      .filter((wall) => wall !== next)
      .map((wall) => `${capitalised(WALL_NAMES[wall.kind])}: ${wall.distance}.`),
    ...(bandwidthKnee === undefined || asymptoteTokensPerS === undefined
      ? []
      : [
          `N* = ${formatNumber(bandwidthKnee)} agents with ${Math.round(contextTokens).toLocaleString("en-US")} tokens each, as these have on average; however many more come, all together get at most ${formatNumber(asymptoteTokensPerS, 0)} tok/s from the cache's reading alone.`,
        ]),
  ];
}

const WALL_NAMES: Readonly<Record<Walls["walls"][number]["kind"], string>> = {
  vram: "memory wall",
  slots: "slot wall",
  "service-level": "service level",
  bandwidth: "bandwidth wall",
  compute: "compute wall",
};

function memoryBlocks({ ledger, neededBytes, capacityBytes }: Simulated): readonly SectionBlock[] {
  const onDevice = ledger.lines.filter(({ place }) => place === "device");
  return table(
    `${formatBytes(neededBytes)} of ${formatBytes(capacityBytes)}; ${formatBytes(capacityBytes - neededBytes)} are left`,
    [left("line"), right("memory"), left("is")],
    onDevice.map(({ label, bytes, provenance }) => [label, formatBytes(bytes), provenance]),
  );
}

function severalBlocks(shown: ShownSimulation): readonly SectionBlock[] {
  const { compared, statement, need } = shown;
  const { runs, durationMs, errorShare } = shown.simulation;
  const { results, knee, cliff } = compared;
  const simulated = results.filter((result) => result.kind === "simulated");
  return [
    ...kneeBlocks(compared),
    ...statement.map(plain),
    ...table(
      `${runs === 1 ? "one simulation" : `${runs} simulations`} each of ${formatDurationMs(durationMs)}; a range is over them${errorShare === undefined ? "" : " and the error above"}`,
      [
        left("configuration"),
        ...["agents", "tok/s", "per call", latencyHeading(need), "memory", "N*"].map(right),
        left("next wall"),
        ...(knee === undefined ? [] : [left("")]),
      ],
      simulated.map((result) => rowOf(result, compared, need)),
    ),
    ...(knee === undefined
      ? []
      : [
          note(
            "front: no other is better in slots, context, rate in all and rate per call at once. answers cut: the context ended them, so that they count for no best.",
          ),
        ]),
    ...(cliff === undefined ? [] : [plain(`To the cliff: ${cliff.distance}.`)]),
    ...withoutFigures(results),
  ];
}

function kneeBlocks({ knee, results }: Compared): readonly SectionBlock[] {
  if (knee === undefined) {
    const simulated = results.filter(({ kind }) => kind === "simulated").length;
    return [
      lead(
        `${simulated} of ${results.length} configurations were simulated. Their agents differ, so that none is the best.`,
      ),
    ];
  }
  if (knee.kind === "none") return [lead(knee.reason)];
  const range = ({ low, high }: { readonly low: number; readonly high: number }): string =>
    low === high
      ? low.toLocaleString("en-US")
      : `${low.toLocaleString("en-US")} to ${high.toLocaleString("en-US")}`;
  const noun = knee.slots.high === 1 ? "slot" : "slots";
  return [
    lead(`The knee is at ${range(knee.slots)} ${noun} of ${range(knee.contextTokensPerSlot)} tokens.`),
    plain(knee.reason),
  ];
}

function rowOf(result: Simulated, { front, knee }: Compared, need: Need): readonly string[] {
  const { cell, evaluation, walls, neededBytes, roles, answersCut } = result;
  return [
    cell.name,
    String(cell.agents.length),
    figureText(evaluation.aggregateTokensPerS),
    figureText(evaluation.perAgentTokensPerS),
    formatDurationMs(latencyMs(roles, need)),
    formatBytes(neededBytes),
    formatNumber(walls.bandwidthKnee),
    walls.next?.kind ?? "none",
    ...(knee === undefined ? [] : [answersCut ? "answers cut" : front.has(cell.name) ? "front" : ""]),
  ];
}

function latencyHeading(need: Need): string {
  return need.kind === "latency" ? `${need.role} turn` : "turn, mean";
}

function latencyMs({ roles, all }: RoleTable, need: Need): number | undefined {
  if (need.kind !== "latency") return all.turnMs.mean;
  return roles.find(({ role }) => role === need.role)?.turnMs.mean;
}

function withoutFigures(results: readonly CellResult[]): readonly SectionBlock[] {
  const items = results.flatMap((result) => {
    if (result.kind === "simulated") return [];
    return [`${result.cell.name}: ${result.kind === "does-not-fit" ? lackText(result) : result.reason}.`];
  });
  return items.length === 0 ? [] : [heading("Without figures"), ...list(items)];
}

function lackText({
  missingBytes,
  neededBytes,
  capacityBytes,
}: Extract<CellResult, { kind: "does-not-fit" }>): string {
  return `it needs ${formatBytes(neededBytes)} of ${formatBytes(capacityBytes)}: ${formatBytes(missingBytes)} are missing, so that a server would move layers to host memory, or not start`;
}

function mixText({ cell }: CellResult): string {
  const counts = new Map<string, number>();
  for (const { role } of cell.agents) counts.set(role.name, (counts.get(role.name) ?? 0) + 1);
  return [...counts].map(([role, count]) => (count === 1 ? role : `${count} × ${role}`)).join(", ");
}

function placeText({ cell }: CellResult): string {
  return describeConfiguration(cell.configuration);
}

function figureText({ value, low, high }: NoisyFigure): string {
  const [text, from, to] = [value, low, high].map((one) => formatNumber(one));
  return from === to ? `${text}` : `${text} (${from} to ${to})`;
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
