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
        "tok/s: tokens that came inside the time, of unfinished turns too, ÷ the time. Per call: tokens ÷ (end − sent) of finished turns. A turn lasts from when it was due to its end.",
      ),
    ],
  };
}

/** Also for a simulation, whose turns end in the same table. */
export function roleTableBlocks(roles: RoleTable): readonly SectionBlock[] {
  const shown = roles.roles.length > 1 ? [...roles.roles, roles.all] : roles.roles;
  return [
    ...table(
      captionOf(roles),
      [
        left("role"),
        ...["agents", "tok/s", "95 % CI", "per call", "done", "unfinished", "refused", "failed"].map(right),
        ...["turn mean", "p50", "p95"].map(right),
      ],
      shown.map(row),
    ),
    ...list(shown.flatMap((one) => (one === roles.all && shown.length > 1 ? [] : remarks(one)))),
  ];
}

function captionOf({ trials, windowMs }: RoleTable): string {
  const each = trials === 1 ? "one trial" : `${trials} trials`;
  return `${each} of ${formatDurationMs(windowMs?.mean)}`;
}

function row(role: RoleFigures): readonly string[] {
  const { turns, turnMs } = role;
  return [
    role.role,
    String(role.agents),
    figureText(role.aggregateTokS?.mean),
    reach(role.aggregateTokS),
    figureText(role.perCallTokS?.mean),
    ...[turns.done, turns.unfinished, turns.refused, turns.failed].map(String),
    formatDurationMs(turnMs.mean),
    percentile(role, 0.5),
    percentile(role, 0.95),
  ];
}

function reach(description: Description | undefined): string {
  if (description?.spread.kind !== "known") return UNKNOWN;
  const { low, high } = description.spread.ci95;
  return `${figureText(low)} … ${figureText(high)}`;
}

/** One that the turns do not carry says how many it would take. */
function percentile({ turnMs }: RoleFigures, q: (typeof PERCENTILES)[number]): string {
  const known = turnMs.percentiles[PERCENTILES.indexOf(q)];
  if (known?.kind === "certified") return formatDurationMs(known.value);
  return known === undefined ? UNKNOWN : `${UNKNOWN} (n ≥ ${known.needed})`;
}

function remarks(role: RoleFigures): readonly string[] {
  const { contextFaults, lostCaches = 0, longestUnfinishedMs, turnMs, turns } = role;
  const counted = (count: number, words: string): readonly string[] =>
    count === 0 ? [] : [`${role.role}: ${turnsOf(count)} ${words}.`];
  const meanMs = turnMs.mean;
  return [
    ...counted(turns.refused, "did not fit the context, and the agent stopped or began a new conversation"),
    ...counted(contextFaults.truncated, "had a prompt that the server cut to its context"),
    ...counted(contextFaults.shifted, "were longer than the context, which was shifted under them"),
    ...counted(contextFaults.cut, "had an answer that ended where the context did"),
    ...counted(lostCaches, "found their conversation gone from the server's cache"),
    ...(longestUnfinishedMs !== undefined && longestUnfinishedMs > (meanMs ?? 0)
      ? [
          `${role.role}: a turn that the end cut off had lasted ${formatDurationMs(longestUnfinishedMs)}, longer than the mean; turn times leave it out and are too short.`,
        ]
      : []),
  ];
}

function turnsOf(count: number): string {
  return count === 1 ? "one turn" : `${count} turns`;
}
