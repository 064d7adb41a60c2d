/** What each role got: rates, turn times, and what went wrong, as one table for each cell. */
import type { CellRoles } from "../../analysis/roles/measured-roles.ts";
import type { RoleFigures, RoleTable } from "../../analysis/roles/role-table.ts";
import { PERCENTILES } from "../../analysis/request-distribution.ts";
import { formatDurationMs, UNKNOWN } from "../../core/units.ts";
import type { Description } from "../../stats/describe.ts";
import { figureText } from "./figure-text.ts";
import type { Section, SectionBlock } from "./section.ts";
import { heading, left, list, note, right, table } from "./section.ts";

/** `undefined` where no agent had a role. `simulated`: some figure comes from the simulated engine or a simulation. */
export function rolesSection(cells: readonly CellRoles[], simulated: boolean): Section | undefined {
  if (cells.length === 0) return undefined;
  return {
    id: "roles",
    title: "Roles",
    simulated,
    blocks: [
      ...cells.flatMap((cell) => [
        ...(cells.length > 1 ? [heading(cell.label)] : []),
        ...roleTableBlocks(cell),
      ]),
      note(
        "tok/s: tokens that came inside the time, of unfinished turns too, ÷ the time; ± is half of the 95 % interval over trials. Per call: tokens ÷ (end − sent) of finished turns. Turns: finished + cut off by the end. A turn lasts from when it was due to its end; p50 is given from 11 turns on, p95 from 130.",
      ),
    ],
  };
}

/** Also for a simulation, whose turns end in the same table. */
export function roleTableBlocks(roles: RoleTable): readonly SectionBlock[] {
  const shown = roles.roles.length > 1 ? [...roles.roles, roles.all] : roles.roles;
  const hasTrouble = shown.some(({ turns }) => turns.refused + turns.failed > 0);
  return [
    ...table(
      captionOf(roles),
      [
        left("role"),
        ...["tok/s", "per call", "turns", ...(hasTrouble ? ["refused", "failed"] : [])].map(right),
        ...["turn, mean", "p50", "p95"].map(right),
      ],
      shown.map((role) => row(role, hasTrouble)),
    ),
    ...list(shown.flatMap((one) => (one === roles.all && shown.length > 1 ? [] : remarks(one)))),
  ];
}

function captionOf({ trials, windowMs }: RoleTable): string {
  const each = trials === 1 ? "one trial" : `${trials} trials`;
  return `${each} of ${formatDurationMs(windowMs?.mean)}`;
}

function row(role: RoleFigures, hasTrouble: boolean): readonly string[] {
  const { turns, turnMs } = role;
  return [
    role.agents > 1 ? `${role.role} ×${role.agents}` : role.role,
    withReach(role.aggregateTokS),
    figureText(role.perCallTokS?.mean),
    `${turns.done} + ${turns.unfinished}`,
    ...(hasTrouble ? [String(turns.refused), String(turns.failed)] : []),
    formatDurationMs(turnMs.mean),
    percentile(role, 0.5),
    percentile(role, 0.95),
  ];
}

/** The interval may be cut at 0 below; above it reaches as far as it does. */
function withReach(description: Description | undefined): string {
  if (description?.spread.kind !== "known") return figureText(description?.mean);
  const { mean, spread } = description;
  return `${figureText(mean)} ± ${figureText(spread.ci95.high - mean)}`;
}

function percentile({ turnMs }: RoleFigures, q: (typeof PERCENTILES)[number]): string {
  const known = turnMs.percentiles[PERCENTILES.indexOf(q)];
  return known?.kind === "certified" ? formatDurationMs(known.value) : UNKNOWN;
}

function remarks(role: RoleFigures): readonly string[] {
  const { contextFaults, lostCaches = 0, longestUnfinishedMs, turnMs, turns } = role;
  const counted = (turnsThat: string, count: number): readonly string[] =>
    count === 0 ? [] : [`${role.role}: turns ${turnsThat}: ${count}.`];
  return [
    ...counted(
      "that did not fit the context (their agent stops, or begins a new conversation)",
      turns.refused,
    ),
    ...counted("whose prompt the server cut to its context", contextFaults.truncated),
    ...counted("longer than the context, which was shifted under them", contextFaults.shifted),
    ...counted("whose answer ended where the context did", contextFaults.cut),
    ...counted("that found their conversation gone from the server's cache", lostCaches),
    ...(longestUnfinishedMs !== undefined && longestUnfinishedMs > (turnMs.mean ?? 0)
      ? [
          `${role.role}: a turn that the end cut off had lasted ${formatDurationMs(longestUnfinishedMs)}, longer than the mean; turn times leave it out and are too short.`,
        ]
      : []),
  ];
}
